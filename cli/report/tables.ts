/** The sections with one table for all keys. */
import { markup, table, type Markup, when } from "./html.ts";
import type { KeyReport, Report } from "./model.ts";
import { at, lasted } from "./wording.ts";
import type { Drain } from "./drains.ts";
import type { Exception } from "./exceptions.ts";

export type Named = { key: KeyReport; id: string };

export function linkTo({ key, id }: Named): Markup {
  return markup`<a href="#${id}">${key.alias}</a>`;
}

export function inventory(all: Named[]): Markup {
  const rows = all.map((named) => {
    const { key } = named;
    const active = key.versions.findLast(({ number }) => number === key.active);
    const shape = active?.shape ?? key.versions.at(-1)?.shape;
    const also = key.aliases.slice(1);
    return [
      {
        head: markup`${linkTo(named)}${also.length === 0 ? undefined : markup`<br>${also.join(", ")}`}`,
      },
      shape === undefined
        ? "not known"
        : markup`${shape.spec}<br>${shape.usage}<br>${shape.origin}`,
      key.owner,
      policyOf(key),
      stateOfStep(key),
      active === undefined
        ? "none"
        : markup`v${active.number}<br><code>${active.arn || active.keyId}</code>`,
    ];
  });
  return table(
    {
      caption: `${all.length} managed keys, from the state table`,
      columns: [
        "Alias",
        "Spec, usage, origin",
        "Owner",
        { title: "Policy", class: "words" },
        "Enrolled by",
        { title: "Active version", class: "id" },
      ],
      rows,
      none: "No managed key yet.",
    },
    "Inventory",
  );
}

function policyOf({ policy }: KeyReport): string {
  const { drain, approval, retire } = policy;
  const end =
    retire === "delete"
      ? `delete after a soak of ${lasted(policy.soakMs)}, with a deletion window of ${policy.deletionWindowDays}d`
      : retire;
  const asked = approval === "none" ? "no approval" : `approval before ${approval}`;
  return `${policy.name}: cryptoperiod ${lasted(policy.cryptoperiodMs)}; drain at least ${lasted(drain.atLeastMs)}, quiet for ${lasted(drain.quietForMs)}, evidence ${drain.evidence}; originate ${policy.originate}; retire: ${end}; ${asked}`;
}

function stateOfStep({ enrolledBy, enrolledAtMs, unenrolment }: KeyReport): Markup {
  if (unenrolment !== undefined) {
    return markup`un-enrolled by ${unenrolment.by}<br>${at(unenrolment.atMs)}`;
  }
  return markup`${enrolledBy}<br>${at(enrolledAtMs, "not enrolled yet")}`;
}

export function exceptions(all: Named[]): Markup {
  const found = all.flatMap((named) => named.key.exceptions.map((one) => ({ named, one })));
  const rows = [...found.filter(isOpen), ...found.filter((item) => !isOpen(item))].map(
    ({ named, one }) => [
      { head: linkTo(named) },
      markup`<span class="${classOf(one)}">${breakable(one.what)}</span>${one.effect === undefined ? undefined : markup`<br>${one.effect}`}`,
      at(one.fromMs),
      one.toMs === undefined ? markup`<span class="warn">open</span>` : at(one.toMs),
      one.observed,
    ],
  );
  return table(
    {
      caption: "Open exceptions first; times in UTC",
      columns: ["Key", "What", when("From"), when("Until"), { title: "Observed", class: "words" }],
      rows,
      none: "None in this period, and none open.",
    },
    "Exceptions",
  );
}

/** A code is one long word; it may break between its parts. */
function breakable(code: string): Markup[] {
  const parts = code.split("_");
  return parts.map((part, at) =>
    at === parts.length - 1 ? markup`${part}` : markup`${part}_<wbr>`,
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
      markup`${one.kind}<br>v${one.from} to v${one.to}`,
      at(one.beganAtMs),
      at(one.activatedAtMs, "–"),
      at(one.drainedAtMs, "–"),
      at(one.disabledAtMs, "–"),
      at(one.completedAtMs, "–"),
      markup`${one.outcome}<br><span class="quiet">${one.reason}</span>`,
    ]),
  );
  return table(
    {
      caption: "Rotations and rollbacks that overlap the period; times in UTC",
      columns: [
        "Key",
        "Kind",
        when("Began"),
        when("New version active"),
        when("Old version drained"),
        when("Disabled"),
        when("Completed"),
        { title: "Outcome and reason", class: "words" },
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
      markup`${one.asked}${one.version === undefined ? undefined : ` of v${one.version}`}`,
      one.by,
      one.outcome === "done" ? "fulfilled" : markup`<span class="warn">rejected</span>`,
      markup`${one.reason}${one.evidence === undefined ? undefined : markup`<br>evidence <code>${one.evidence}</code>`}${accepting(one.accepts)}`,
      markup`line ${one.line}<br><code>${one.requestId}</code>`,
    ]),
  );
  return table(
    {
      caption: "Requests that were fulfilled or rejected in the period; times in UTC",
      columns: [
        "Key",
        when("Processed"),
        "Request",
        "By, as given",
        "Outcome",
        { title: "Reason", class: "words" },
        { title: "Journal line, request id", class: "id" },
      ],
      rows,
      none: "No request in this period.",
    },
    "Decisions",
  );
}

/** The needs that an approval accepts. */
function accepting(ids: string | undefined): Markup | undefined {
  if (ids === undefined || ids === "") return undefined;
  return markup`<br>accepts ${ids.split(" ").map((id) => markup`<br><code>${id}</code>`)}`;
}

export function evidence(all: Named[]): Markup {
  const rows = all.flatMap((named) =>
    named.key.drains.flatMap((drain) =>
      drain.readings.map((reading, index) => {
        const { hash } = reading;
        const isSame = hash !== "" && drain.readings[index - 1]?.hash === hash;
        return [
          ...(index === 0 ? [{ head: drainHead(named, drain), rows: drain.readings.length }] : []),
          at(reading.atMs),
          reading.what,
          reading.lastUse,
          markup`${lasted(reading.quietMs)} of ${lasted(drain.quietForMs)}`,
          isSame ? "unchanged" : markup`<code>${hash || "not on record"}</code>`,
        ];
      }),
    ),
  );
  return table(
    {
      caption:
        "The last use of each revoked or draining version according to KMS, at each reading; times in UTC",
      columns: [
        "Key, version",
        when("Read"),
        "For",
        { title: "Last use", class: "words" },
        "Unused, of required",
        { title: "Hash of the evidence", class: "hash" },
      ],
      rows,
      none: "No version was drained or revoked in this period.",
    },
    "Evidence of drain",
  );
}

function drainHead(named: Named, drain: Drain): Markup {
  const { version, originate, approval, deletionApproval } = drain;
  const deletion =
    deletionApproval === undefined
      ? undefined
      : markup`<br>deletion approved by ${deletionApproval.by},<br>${at(deletionApproval.atMs)}${accepting(deletionApproval.accepts)}`;
  const word =
    approval === undefined
      ? undefined
      : markup`<br>approved by ${approval.by},<br>${at(approval.atMs)}${accepting(approval.accepts)}`;
  const overridden =
    approval?.override === true
      ? markup`<br><span class="bad">evidence overridden</span>`
      : undefined;
  return markup`${linkTo(named)} v${version}<span class="sub"><br>originate: ${originate ?? "not known"}${word}${deletion}</span>${overridden}`;
}

export function integrity(all: Named[], { tableName }: Report): Markup {
  const rows = all.map((named) => {
    const { chain, journal, alias } = named.key;
    const verify =
      chain.kind === "whole"
        ? markup`<code>npx keyturn verify ${alias} --anchor ${chain.lines}:${chain.head} --table ${tableName}</code>`
        : markup`${chain.why}<br><code>npx keyturn verify ${alias} --table ${tableName}</code>`;
    return [
      { head: linkTo(named) },
      chain.kind === "whole"
        ? markup`<span class="good">intact</span>`
        : markup`<span class="bad">BROKEN at line ${chain.revision}</span>`,
      journal.lines,
      at(journal.firstAtMs, "–"),
      verify,
    ];
  });
  return table(
    {
      caption: "The hash chain of each journal, from its first line to its head",
      columns: [
        "Key",
        "Chain",
        "Lines",
        when("First line"),
        { title: "How to verify", class: "hash" },
      ],
      rows,
      none: "No journal yet.",
    },
    "Integrity",
  );
}
