/** The report as one self-contained HTML document. */
import { controls } from "./controls.ts";
import { markup, Markup, table } from "./html.ts";
import { keySection } from "./key-section.ts";
import type { Report } from "./model.ts";
import { legend, patternDefinitions } from "./patterns.ts";
import { refusedUses } from "./refusals.ts";
import { at, day } from "./wording.ts";
import { scaleOf } from "./scale.ts";
import { styles } from "./style.ts";
import { summaryOf, type Summary } from "./summary.ts";
import * as tables from "./tables.ts";
import * as texts from "./texts.ts";

export type WrittenPage = { path: string; sha256: string; bytes: number };

/** In pieces: a report of ten thousand keys is never one string. */
export function* page(report: Report, files: WrittenPage[]): Generator<string> {
  const named = report.keys.map((key, index) => ({ key, id: `key-${index + 1}` }));
  const summary = summaryOf(report);
  const scale = scaleOf(report);
  yield head(report, summary).text;
  yield section("exceptions", "Exceptions", texts.exceptions, tables.exceptions(named));
  yield section("controls", "Controls", texts.controls, controls(report, summary));
  yield section("inventory", "Inventory", texts.inventory, tables.inventory(named));
  yield markup`<section aria-labelledby="timelines">
    <h2 id="timelines">Timelines</h2>
    ${texts.timelines(report)}
    ${legend()}
  `.text;
  for (const one of named) yield keySection(one, scale, report.madeAtMs).text;
  yield "</section>\n";
  yield section("rotations", "Rotations", texts.rotations, tables.rotations(named));
  yield section("decisions", "Requests and approvals", texts.decisions, tables.decisions(named));
  yield section("evidence", "Evidence of drain", texts.evidence, tables.evidence(named));
  yield section("refusals", "Refused uses", texts.refusals(report), refusedUses(named));
  const chains = tables.integrity(named, report);
  yield section("integrity", "Integrity of the journals", texts.integrity(report), chains);
  yield section("limits", "Limits of this report", texts.limits(report));
  yield section("files", "Files", texts.files, filesTable(files));
  yield markup`</main>
<footer><p>Made by keyturn from the table ${report.tableName} at ${at(report.madeAtMs)} UTC.</p></footer>
</body></html>
`.text;
}

function section(id: string, title: string, text: Markup, body?: Markup): string {
  return markup`<section aria-labelledby="${id}">
    <h2 id="${id}">${title}</h2>
    ${text}
    ${body}
  </section>
  `.text;
}

const contents: [id: string, title: string][] = [
  ["exceptions", "Exceptions"],
  ["controls", "Controls"],
  ["inventory", "Inventory"],
  ["timelines", "Timelines"],
  ["rotations", "Rotations"],
  ["decisions", "Requests and approvals"],
  ["evidence", "Evidence of drain"],
  ["refusals", "Refused uses"],
  ["integrity", "Integrity"],
  ["limits", "Limits"],
  ["files", "Files"],
];

function head(report: Report, summary: Summary): Markup {
  const { period, tableName, madeAtMs, keys } = report;
  const owners = [...new Set(keys.map(({ owner }) => owner))].sort();
  const days = `${day(period.fromMs)} to ${day(period.toMs - 1)}`;
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <meta name="color-scheme" content="light dark"/>
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
        <title>Key rotation evidence, ${days}</title>
        <style>
          ${new Markup(styles())}
        </style>
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        ${patternDefinitions()}
        <header>
          <h1>Key rotation evidence</h1>
          <p class="lead">
            The history of each KMS key that keyturn rotates, with evidence and approvals
          </p>
          <dl class="about">
            <dt>Owner</dt>
            <dd>${owners.length === 0 ? "none yet" : owners.join(", ")}</dd>
            <dt>State table</dt>
            <dd>${tableName}</dd>
            <dt>Period</dt>
            <dd>${at(period.fromMs)} up to ${at(period.toMs)} UTC</dd>
            <dt>Made</dt>
            <dd>${at(madeAtMs)} UTC; "now" in this report is this time</dd>
          </dl>
          ${figures(summary)} ${alerts(summary)}
        </header>
        <nav aria-label="Contents">
          <ol>
            ${contents.map(([id, title]) => markup`<li><a href="#${id}">${title}</a></li>`)}
          </ol>
        </nav>
        <main id="content" tabindex="-1">
  `;
}

function figures(summary: Summary): Markup {
  const shown: [label: string, value: number, kind?: string][] = [
    ["managed keys", summary.keys],
    ["in rotation or drain now", summary.inRotation],
    ["overdue now", summary.overdue, summary.overdue > 0 ? "bad" : ""],
    ["exceptions open now", summary.openExceptions, summary.openExceptions > 0 ? "warn" : ""],
    ["versions activated", summary.activated],
    ["rotations completed", summary.completed],
    ["versions revoked", summary.revoked],
  ];
  return markup`<dl class="figures">
    ${shown.map(
      ([label, value, kind = ""]) =>
        markup`<div>
          <dt>${label}</dt>
          <dd class="${kind}">${value}</dd>
        </div>`,
    )}
  </dl>`;
}

/** The problems that make the rest of the report unreliable. */
function alerts({ broken, unread }: Summary): Markup | undefined {
  if (broken.length + unread.length === 0) return undefined;
  const items = [
    ...broken.map(
      (alias) =>
        markup`<li>
          ${alias}: the hash chain of its journal is <strong>broken</strong>. Its entries in this report may
          be falsified: see <a href="#integrity">Integrity</a>.
        </li>`,
    ),
    ...unread.map(
      (alias) =>
        markup`<li>
          ${alias}: newer code wrote its record, which could not be read. It is
          <strong>missing</strong> from this report.
        </li>`,
    ),
  ];
  return markup`<section class="alert" aria-labelledby="alert">
    <h2 id="alert">This report is not reliable for all keys</h2>
    <ul>
      ${items}
    </ul>
  </section>`;
}

function filesTable(files: WrittenPage[]): Markup {
  return table(
    {
      caption: "SHA-256 of the files of this report",
      columns: ["File", "Bytes", { title: "SHA-256", class: "hash" }],
      rows: files.map(({ path, bytes, sha256 }) => [
        { head: path },
        bytes,
        markup`<code>${sha256}</code>`,
      ]),
      none: "This document was written without other files.",
    },
    "Files",
  );
}
