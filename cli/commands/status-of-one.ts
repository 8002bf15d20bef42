/** `keyturn status <alias>`: the details of one managed key. */
import { inPresentNames } from "../../lambda/record/earlier-events.ts";
import type { RequestItem } from "../../lambda/ports.ts";
import type { ManagedKey, Rotation, Version } from "../../lambda/workflow/model/types.ts";
import { exitCodes, type ExitCode } from "../terminal/failure.ts";
import { isStopped, needsPerson, overviewOf } from "../status/overview.ts";
import { printCommand, printText } from "../terminal/print.ts";
import type { Session } from "../session.ts";
import { ageOf, coloured } from "../status/table.ts";
import { askedOf, deletedVersions, stepsOf, type Deleted } from "../status/steps.ts";
import { refusalsView } from "../status/refusals.ts";
import { printRefusals } from "../status/show-refusals.ts";
import { printRotation } from "../status/show-steps.ts";
import { type Column, tableLines } from "../terminal/table-view.ts";
import type { Talk } from "../terminal/talk.ts";
import { nextAtMs } from "../status/waits.ts";
import { fromNow, formatTime } from "../terminal/words.ts";
import { statusSchema } from "./status.ts";

const askedAtMost = 5;

export async function statusOfOne(session: Session, given: string): Promise<ExitCode> {
  const { state, talk, nowMs, json } = session;
  const { alias } = await session.managedKey(given);
  const [history, requests, ...refused] = await Promise.all([
    state.history(alias),
    state.requests(alias),
    state.refusals(alias),
    state.refusalsWatch(),
    state.configuration(),
  ]);
  // If it was removed between the two reads, the second one throws the Failure.
  const record = history?.record ?? (await session.managedKey(given));
  const journal = (history?.journal ?? []).map(inPresentNames);
  const overview = overviewOf(record, nowMs);
  const code = needsPerson(overview) ? exitCodes.attention : exitCodes.ok;
  const deleted = deletedVersions(record, journal);
  const asked = askedOf(journal, askedAtMost);
  const [stored, watch, configuration] = refused;
  const refusals = refusalsView(record, { refusals: stored, watch, configuration });
  const rotations = record.rotations.map((rotation) => {
    return { rotation, steps: stepsOf(record, rotation, journal, nowMs) };
  });
  if (json) {
    const steps = rotations.map(({ rotation: { id }, steps: of }) => ({ id, steps: of }));
    const more = { rotations: steps, deleted, requests, asked, refusals };
    talk.json({ schema: statusSchema, nowMs, managedKeys: [overview], ...more, record });
    return code;
  }
  const title = `${talk.styled("bold", record.alias)}  `;
  talk.line(title.trimEnd());
  printText(talk, "  ", `policy ${record.policy.name}, age ${ageOf(overview)}`);
  printStep(talk, record, nowMs);
  printVersions(talk, record, deleted);
  for (const { rotation, steps } of rotations) {
    printRotation(talk, rotation, steps, nowMs);
    printApproval(talk, rotation);
  }
  printRefusals(talk, refusals, nowMs);
  printRequests(talk, asked, requests);
  for (const finding of overview.findings) {
    talk.line();
    printText(talk, `${coloured(finding.code, finding.code, talk)}  `, since(finding.sinceMs));
    printText(talk, "  ", finding.observed);
    printCommand(talk, "  next:", finding.next);
  }
  return code;
}

function since(atMs: number): string {
  return `since ${formatTime(atMs)}`;
}

function printStep(talk: Talk, record: ManagedKey, nowMs: number): void {
  const { aliases, waitingFor, claim, holds, wanted, unsettled } = record;
  const others = aliases.slice(1);
  if (others.length > 0) printText(talk, "  also ", others.join(", "));
  const next = isStopped(record) ? "next observation" : "next";
  printText(talk, "  ", `${next} ${fromNow(nextAtMs(record, nowMs), nowMs)}: ${waitingFor}`);
  if (claim !== undefined && claim.untilMs > nowMs) {
    printText(talk, "  ", `claimed by a run until ${formatTime(claim.untilMs)} at the latest`);
  }
  const landedMs = Math.max(0, ...unsettled.map(({ untilMs }) => untilMs));
  if (landedMs > nowMs) {
    printText(
      talk,
      "  ",
      `a call of an earlier run may still take effect until ${formatTime(landedMs)}`,
    );
  }
  for (const { kind, by, atMs, reason, version } of holds) {
    const of = version === undefined ? "" : ` of v${version}`;
    const why = reason === "" ? "" : `: ${reason}`;
    printText(
      talk,
      talk.styled("yellow", "  held    "),
      `by ${by}, ${since(atMs)}, ${kind}${of}${why}`,
    );
  }
  if (wanted === undefined) return;
  const urgently = wanted.urgent ? ", urgently" : "";
  printText(talk, "  ", `rotation requested by ${wanted.by}, ${since(wanted.atMs)}${urgently}`);
}

function printVersions(talk: Talk, { versions }: ManagedKey, deleted: Deleted[]): void {
  const at = (atMs: number | undefined): string => (atMs === undefined ? "-" : formatTime(atMs));
  const columns: Column<Version>[] = [
    { title: "VERSION", cell: ({ number }) => `v${number}`, leaves: 0 },
    { title: "STATE", cell: ({ state }) => state, leaves: 0 },
    { title: "KEY", cell: ({ keyId }) => keyId, leaves: 0, atLeast: 9, isName: true },
    { title: "ACTIVE SINCE", cell: ({ activatedAtMs }) => at(activatedAtMs), leaves: 1 },
    { title: "RETIRED", cell: ({ retiredAtMs }) => at(retiredAtMs), leaves: 2 },
    { title: "DISABLED", cell: ({ disabledAtMs }) => at(disabledAtMs), leaves: 3 },
    { title: "DELETION", cell: ({ deletionAtMs }) => at(deletionAtMs), leaves: 4 },
  ];
  talk.line();
  for (const line of tableLines(columns, versions, talk.columns)) talk.line(line);
  const words = deleted.map(
    ({ number, keyId, atMs }) => `v${number} (${keyId}, ${formatTime(atMs)})`,
  );
  if (words.length > 0) printText(talk, "deleted: ", words.join(", "));
  const archived = versions.filter(({ publicKey }) => publicKey !== undefined);
  if (archived.length > 0) {
    printText(
      talk,
      "public keys archived: ",
      archived.map(({ number }) => `v${number}`).join(", "),
    );
  }
}

function printApproval(talk: Talk, { from, approval }: Rotation): void {
  if (approval === undefined) return;
  const { of, by, atMs, accepts, override } = approval;
  const call = of === "delete" ? "the deletion" : "DisableKey";
  const despite = override ? ", and overrode the evidence" : "";
  const needs = accepts.length === 0 ? "" : `, and accepts ${accepts.join(", ")}`;
  const what = `${call} of v${from} by ${by} at ${formatTime(atMs)}${despite}${needs}`;
  printText(talk, "  approved  ", what);
}

function printRequests(
  talk: Talk,
  asked: ReturnType<typeof askedOf>,
  requests: readonly RequestItem[],
): void {
  if (asked.length > 0) talk.line("\nlast requests");
  for (const { atMs, event, reason, detail } of asked) {
    const by = detail["by"] === undefined ? "" : `, requested by ${detail["by"]}`;
    printText(talk, `  ${formatTime(atMs)}  `, `${event}${by}: ${reason}`);
  }
  if (requests.length > 0) talk.line("\nwaiting requests");
  for (const { id, body } of requests) {
    const { kind, by, reason, ...rest } = body;
    const fields = Object.entries(rest).map(([name, value]) => `${name} ${text(value)}`);
    const why = reason === undefined || reason === "" ? "" : `: ${text(reason)}`;
    const with_ = fields.length === 0 ? "" : ` (${fields.join(", ")})`;
    printText(talk, "  ", `${text(kind)}${with_} by ${text(by)}${why}, as ${id}`);
  }
}

/** A value of any type, as text. */
function text(value: unknown): string {
  if (value === undefined) return "not given";
  return typeof value === "string" ? value : JSON.stringify(value);
}
