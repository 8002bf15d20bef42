/** `keyturn status`: one line for each managed key, or all there is to say of one. */
import { effects, type Finding } from "../../lambda/workflow/findings.ts";
import type { ManagedKey, Rotation, Version } from "../../lambda/workflow/types.ts";
import { exitCodes, type ExitCode } from "../failure.ts";
import { byNeed, overviewOf, type Overview } from "../overview.ts";
import type { Session } from "../session.ts";
import { type Column, tableLines } from "../table-view.ts";
import type { Talk } from "../talk.ts";
import { ago, bar, fromNow, moment, roughly } from "../words.ts";

export type StatusFilter = { findings?: boolean; overdue?: boolean; moving?: boolean };

export const statusSchema = "keyturn/status/1";

export async function statusOfAll(
  { state, talk, nowMs, json }: Session,
  filter: StatusFilter,
): Promise<ExitCode> {
  const all = await state.managedKeys((record) => overviewOf(record, nowMs));
  const shown = all.filter((one) => matches(one, filter, nowMs)).sort(byNeed);
  const needing = all.filter(({ effect }) => effect === "halt" || effect === "block");
  const code = needing.length > 0 ? exitCodes.attention : exitCodes.ok;
  if (json) {
    talk.json({ schema: statusSchema, nowMs, managedKeys: shown });
    return code;
  }
  if (all.length === 0) {
    talk.note("No managed keys yet: the next run enrols those that the configuration names.");
    return code;
  }
  for (const line of tableLines(columnsFor(talk, nowMs), shown, talk.columns)) talk.line(line);
  const moving = all.filter(({ rotationId }) => rotationId !== undefined);
  talk.note(
    `${all.length} managed keys, ${moving.length} in rotation, ${needing.length} need a person`,
  );
  return code;
}

function matches(one: Overview, filter: StatusFilter, nowMs: number): boolean {
  if (filter.findings === true && one.findings.length === 0) return false;
  if (filter.moving === true && one.rotationId === undefined) return false;
  return filter.overdue !== true || (one.overdueAtMs ?? Infinity) <= nowMs;
}

function columnsFor(talk: Talk, nowMs: number): Column<Overview>[] {
  return [
    { title: "ALIAS", cell: ({ alias }) => alias, leaves: 0, atLeast: 12 },
    { title: "KIND", cell: ({ spec }) => kindOf(spec), leaves: 4 },
    {
      title: "VERSION",
      cell: ({ version }) => (version === undefined ? "-" : `v${version}`),
      leaves: 3,
    },
    { title: "AGE", cell: ageOf, leaves: 2 },
    { title: "STEP", cell: ({ step }) => step, leaves: 0 },
    { title: "NEXT", cell: ({ dueAtMs }) => fromNow(dueAtMs, nowMs), leaves: 1 },
    { title: "WHY", cell: (one) => whyOf(one, talk), leaves: 0, atLeast: 10 },
  ];
}

function kindOf(spec: string | undefined): string {
  return spec === "SYMMETRIC_DEFAULT" ? "symmetric" : (spec ?? "-");
}

function ageOf({ ageMs, cryptoperiodMs }: Overview): string {
  if (ageMs === undefined) return "-";
  return `${bar(ageMs, cryptoperiodMs, 6)} ${roughly(ageMs)}/${roughly(cryptoperiodMs)}`;
}

function whyOf({ findings, why }: Overview, talk: Talk): string {
  if (findings.length === 0) return why;
  return findings.map(({ code }) => coloured(code, talk)).join(" ");
}

function coloured(code: Finding["code"], talk: Talk): string {
  switch (effects[code]) {
    case "halt":
    case "refuse":
      return talk.styled("red", code);
    case "block":
      return talk.styled("yellow", code);
    case "notice":
      return talk.styled("cyan", code);
  }
}

export async function statusOfOne(session: Session, alias: string): Promise<ExitCode> {
  const { talk, nowMs, json } = session;
  const record = await session.managedKey(alias);
  const overview = overviewOf(record, nowMs);
  const needsPerson = overview.effect === "halt" || overview.effect === "block";
  const code = needsPerson ? exitCodes.attention : exitCodes.ok;
  if (json) {
    talk.json({ schema: statusSchema, nowMs, managedKeys: [overview], record });
    return code;
  }
  talk.line(
    `${talk.styled("bold", record.alias)}  policy ${record.policy.name}, ${ageOf(overview)}`,
  );
  const others = record.aliases.slice(1);
  if (others.length > 0) talk.line(`  also ${others.join(", ")}`);
  talk.line(`  next ${fromNow(record.dueAtMs, nowMs)}: ${record.resting}`);
  sayVersions(talk, record);
  for (const rotation of record.rotations) sayRotation(talk, rotation, nowMs);
  for (const finding of overview.findings) {
    talk.line(`\n${coloured(finding.code, talk)}  since ${moment(finding.sinceMs)}`);
    talk.line(`  ${finding.seen}`);
    talk.line(`  next: ${finding.next}`);
  }
  return code;
}

function sayVersions(talk: Talk, { versions }: ManagedKey): void {
  const at = (atMs: number | undefined): string => (atMs === undefined ? "-" : moment(atMs));
  const columns: Column<Version>[] = [
    { title: "VERSION", cell: ({ number }) => `v${number}`, leaves: 0 },
    { title: "STANDING", cell: ({ standing }) => standing, leaves: 0 },
    { title: "KEY", cell: ({ keyId }) => keyId, leaves: 0, atLeast: 9 },
    { title: "ACTIVE SINCE", cell: ({ activatedAtMs }) => at(activatedAtMs), leaves: 1 },
    { title: "RETIRED", cell: ({ retiredAtMs }) => at(retiredAtMs), leaves: 2 },
    { title: "DISABLED", cell: ({ disabledAtMs }) => at(disabledAtMs), leaves: 3 },
    { title: "DELETED ON", cell: ({ deletionAtMs }) => at(deletionAtMs), leaves: 4 },
  ];
  talk.line();
  for (const line of tableLines(columns, versions, talk.columns)) talk.line(line);
}

function sayRotation(talk: Talk, rotation: Rotation, nowMs: number): void {
  const { id, from, to, direction, step, openedAtMs, stepSinceMs } = rotation;
  const what = direction === "back" ? "rollback" : "rotation";
  talk.line(`\n${what} ${id}: v${from} to v${to}, opened ${moment(openedAtMs)}`);
  talk.line(
    `  ${talk.styled("bold", step)} since ${moment(stepSinceMs)} (${ago(stepSinceMs, nowMs)})`,
  );
}
