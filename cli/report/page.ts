/** The report as one HTML document, which needs nothing but itself. */
import { controls } from "./controls.ts";
import { markup, Markup, table } from "./html.ts";
import { keySection } from "./key-section.ts";
import type { Report } from "./model.ts";
import { legend, patternDefinitions } from "./patterns.ts";
import { at, day } from "./wording.ts";
import { scaleOf } from "./scale.ts";
import { styles } from "./style.ts";
import { summaryOf, type Summary } from "./summary.ts";
import * as tables from "./tables.ts";
import * as texts from "./texts.ts";

export type WrittenPage = { path: string; sha256: string; bytes: number };

/** In pieces, so that a report of ten thousand keys is never one string. */
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
  yield section("decisions", "Who asked, who approved", texts.decisions, tables.decisions(named));
  yield section("evidence", "Evidence of drain", texts.evidence, tables.evidence(named));
  const chains = tables.integrity(named, report);
  yield section("integrity", "Integrity of the journals", texts.integrity(report), chains);
  yield section("limits", "What this report cannot show", texts.limits(report));
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
  ["decisions", "Who asked, who approved"],
  ["evidence", "Evidence of drain"],
  ["integrity", "Integrity"],
  ["limits", "What it cannot show"],
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
            What became of each KMS key that keyturn rotates, on what evidence, and by whose word
          </p>
          <dl class="about">
            <dt>Owner</dt>
            <dd>${owners.length === 0 ? "none yet" : owners.join(", ")}</dd>
            <dt>State table</dt>
            <dd>${tableName}</dd>
            <dt>Period</dt>
            <dd>${at(period.fromMs)} up to ${at(period.toMs)} UTC</dd>
            <dt>Made</dt>
            <dd>${at(madeAtMs)} UTC; what is said of the present is of that moment</dd>
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
    ["versions put in service", summary.activated],
    ["rotations completed", summary.completed],
    ["versions put out of use", summary.revoked],
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

/** What takes the ground from under the rest of the report. */
function alerts({ broken, unread }: Summary): Markup | undefined {
  if (broken.length + unread.length === 0) return undefined;
  const items = [
    ...broken.map(
      (alias) =>
        markup`<li>
          ${alias}: the chain of its journal is <strong>broken</strong>. What is said of it here may
          have been altered: see <a href="#integrity">Integrity</a>.
        </li>`,
    ),
    ...unread.map(
      (alias) =>
        markup`<li>
          ${alias}: its record could not be read, since newer code wrote it. It is
          <strong>missing</strong> from this report.
        </li>`,
    ),
  ];
  return markup`<section class="alert" aria-labelledby="alert">
    <h2 id="alert">This report does not hold for all keys</h2>
    <ul>
      ${items}
    </ul>
  </section>`;
}

function filesTable(files: WrittenPage[]): Markup {
  return table(
    {
      caption: "SHA-256 of the files that were written with this one",
      columns: ["File", "Bytes", { title: "SHA-256", class: "hash" }],
      rows: files.map(({ path, bytes, sha256 }) => [
        { head: path },
        bytes,
        markup`<code>${sha256}</code>`,
      ]),
      none: "This document was made alone.",
    },
    "Files",
  );
}
