/** The sections that are one table for all keys. */
import { html, table, type Markup } from "./html.ts";
import type { KeyReport, Report } from "./model.ts";
import { at, lasted } from "./say.ts";
import type { Exception } from "./exceptions.ts";

export type Named = { key: KeyReport; id: string };

function linkTo({ key, id }: Named): Markup {
  return html`<a href="#${id}">${key.alias}</a>`;
}

export function inventory(all: Named[]): Markup {
  const rows = all.map((named) => {
    const { key } = named;
    const serving = key.versions.findLast(({ number }) => number === key.serving);
    const shape = serving?.shape ?? key.versions.at(-1)?.shape;
    const also = key.aliases.slice(1);
    return [
      {
        head: html`${linkTo(named)}${also.length === 0 ? undefined : html`<br />${also.join(", ")}`}`,
      },
      shape === undefined
        ? "not known"
        : html`${shape.spec}<br />${shape.usage}<br />${shape.origin}`,
      key.owner,
      policyOf(key),
      standingOf(key),
      serving === undefined
        ? "none"
        : html`v${serving.number}<br /><code>${serving.arn || serving.keyId}</code>`,
    ];
  });
  return table(
    {
      caption: `${all.length} managed keys, as the state table has them`,
      columns: [
        "Alias",
        "Spec, usage, origin",
        "Owner",
        { title: "Policy", class: "words" },
        "Enrolled by",
        { title: "Serving version", class: "id" },
      ],
      rows,
      none: "No key is managed yet.",
    },
    "Inventory",
  );
}

function policyOf({ policy }: KeyReport): string {
  const { drain, approval, retire } = policy;
  const end =
    retire === "delete"
      ? `delete after ${lasted(policy.soakMs)} disabled, with a window of ${policy.deletionWindowDays}d`
      : retire;
  const asked = approval === "none" ? "no approval" : `approval before ${approval}`;
  return `${policy.name}: cryptoperiod ${lasted(policy.cryptoperiodMs)}; drain at least ${lasted(drain.atLeastMs)}, quiet for ${lasted(drain.quietForMs)}, evidence ${drain.evidence}; originate ${policy.originate}; retire: ${end}; ${asked}`;
}

function standingOf({ enrolledBy, enrolledAtMs, unenrolment }: KeyReport): Markup {
  if (unenrolment !== undefined) {
    return html`un-enrolled by ${unenrolment.by}<br />${at(unenrolment.atMs)}`;
  }
  return html`${enrolledBy}<br />${at(enrolledAtMs, "not enrolled yet")}`;
}

export function exceptions(all: Named[]): Markup {
  const found = all.flatMap((named) => named.key.exceptions.map((one) => ({ named, one })));
  const rows = [...found.filter(isOpen), ...found.filter((item) => !isOpen(item))].map(
    ({ named, one }) => [
      { head: linkTo(named) },
      html`<span class="${classOf(one)}">${one.what}</span
        >${one.effect === undefined ? undefined : html`<br />${one.effect}`}`,
      at(one.fromMs),
      one.toMs === undefined ? html`<span class="warn">open</span>` : at(one.toMs),
      html`${one.seen}${one.next === undefined ? undefined : html`<br /><code>${one.next}</code>`}`,
    ],
  );
  return table(
    {
      caption: "Those that are open first; times in UTC",
      columns: ["Key", "What", "From", "Until", { title: "What was seen", class: "words" }],
      rows,
      none: "None in this period, and none is open.",
    },
    "Exceptions",
  );
}

function isOpen({ one }: { one: Exception }): boolean {
  return one.toMs === undefined;
}

function classOf({ effect, what }: Exception): string {
  if (what === "JOURNAL BROKEN" || effect === "halt" || what === "OVERDUE") return "bad";
  return effect === "notice" ? "" : "warn";
}

export function rotations(all: Named[]): Markup {
  const rows = all.flatMap((named) =>
    named.key.rotations.map((one) => [
      { head: linkTo(named) },
      html`${one.kind}<br />v${one.from} to v${one.to}`,
      at(one.beganAtMs),
      at(one.activatedAtMs, "–"),
      at(one.drainedAtMs, "–"),
      at(one.disabledAtMs, "–"),
      at(one.completedAtMs, "–"),
      one.outcome,
      one.reason,
    ]),
  );
  return table(
    {
      caption: "Rotations and rollbacks that touch the period; times in UTC",
      columns: [
        "Key",
        "Passage",
        "Began",
        "New one serves",
        "Old one quiet",
        "Disabled",
        "Completed",
        "Outcome",
        { title: "Why", class: "words" },
      ],
      rows,
      none: "None in this period.",
    },
    "Rotations",
  );
}

export function decisions(all: Named[]): Markup {
  const rows = all.flatMap((named) =>
    named.key.decisions.map((one) => [
      { head: linkTo(named) },
      at(one.atMs),
      html`${one.asked}${one.version === undefined ? undefined : ` of v${one.version}`}`,
      one.by,
      one.outcome === "done" ? "done" : html`<span class="warn">refused</span>`,
      html`${one.reason}${one.evidence === undefined ? undefined : html`<br />evidence <code>${one.evidence}</code>`}`,
      html`line ${one.line}<br /><code>${one.requestId}</code>`,
    ]),
  );
  return table(
    {
      caption: "Requests that were honoured or refused in the period; times in UTC",
      columns: [
        "Key",
        "Taken up",
        "Asked",
        "By, as they wrote",
        "Outcome",
        { title: "Reason", class: "words" },
        { title: "Journal, request", class: "id" },
      ],
      rows,
      none: "Nobody asked for anything in this period.",
    },
    "Decisions",
  );
}

export function evidence(all: Named[]): Markup {
  const rows = all.flatMap((named) =>
    named.key.drains.flatMap((drain) =>
      drain.readings.map((reading, index) => {
        const approval =
          drain.approval === undefined
            ? "–"
            : html`${drain.approval.by},
              ${at(drain.approval.atMs)}${drain.approval.override ? html`<br /><span class="bad">evidence overridden</span>` : undefined}`;
        const head = html`${linkTo(named)}<br />v${drain.version}${drain.originate === undefined ? undefined : html`<br />${drain.originate}`}`;
        return [
          ...(index === 0 ? [{ head, rows: drain.readings.length }] : []),
          at(reading.atMs),
          reading.what,
          reading.lastUse,
          html`${lasted(reading.quietMs)} of ${lasted(drain.quietForMs)}`,
          html`<code>${reading.hash || "not on record"}</code>`,
          approval,
        ];
      }),
    ),
  );
  return table(
    {
      caption:
        "Of each version put out of use, or about to be: what KMS said of its last use at each reading; times in UTC",
      columns: [
        "Key, version",
        "Read",
        "For",
        { title: "Last use", class: "words" },
        "Quiet, of what is asked",
        { title: "Hash of the evidence", class: "hash" },
        "Approved by",
      ],
      rows,
      none: "No version was on its way out of use in this period.",
    },
    "Evidence of drain",
  );
}

export function integrity(all: Named[], { tableName }: Report): Markup {
  const rows = all.map((named) => {
    const { chain, journal, alias } = named.key;
    const verify =
      chain.kind === "whole"
        ? html`<code
            >keyturn verify ${alias} --anchor ${chain.lines}:${chain.head} --table
            ${tableName}</code
          >`
        : html`${chain.why}<br /><code>keyturn verify ${alias} --table ${tableName}</code>`;
    return [
      { head: linkTo(named) },
      chain.kind === "whole"
        ? html`<span class="good">whole</span>`
        : html`<span class="bad">BROKEN at line ${chain.revision}</span>`,
      journal.lines,
      at(journal.firstAtMs, "–"),
      verify,
    ];
  });
  return table(
    {
      caption: "The hash chain of each journal, from its first line to its head",
      columns: ["Key", "Chain", "Lines", "First line", { title: "How to verify", class: "hash" }],
      rows,
      none: "There is no journal yet.",
    },
    "Integrity",
  );
}
