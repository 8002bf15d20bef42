/** `keyturn status <alias>`: all there is to say of one managed key. */
import type { RequestItem } from "../../lambda/ports.ts";
import type { ManagedKey, Version } from "../../lambda/workflow/model/types.ts";
import { exitCodes, type ExitCode } from "../terminal/failure.ts";
import { needsPerson, overviewOf } from "../status/overview.ts";
import { sayCommand, sayText } from "../terminal/say.ts";
import type { Session } from "../session.ts";
import { ageOf, coloured } from "../status/table.ts";
import { askedOf, goneVersions, stepsOf, type Gone } from "../status/steps.ts";
import { sayRotation } from "../status/show-steps.ts";
import { type Column, tableLines } from "../terminal/table-view.ts";
import type { Talk } from "../terminal/talk.ts";
import { nextAtMs } from "../status/waits.ts";
import { fromNow, moment } from "../terminal/words.ts";
import { statusSchema } from "./status.ts";

const askedAtMost = 5;

export async function statusOfOne(session: Session, given: string): Promise<ExitCode> {
  const { state, talk, nowMs, json } = session;
  const { alias } = await session.managedKey(given);
  const [life, requests] = await Promise.all([state.life(alias), state.requests(alias)]);
  // Gone between the two looks: the first one has said what there is to say.
  const record = life?.record ?? (await session.managedKey(given));
  const journal = life?.journal ?? [];
  const overview = overviewOf(record, nowMs);
  const code = needsPerson(overview) ? exitCodes.attention : exitCodes.ok;
  const gone = goneVersions(record, journal);
  const asked = askedOf(journal, askedAtMost);
  const rotations = record.rotations.map((rotation) => {
    return { rotation, steps: stepsOf(record, rotation, journal, nowMs) };
  });
  if (json) {
    const steps = rotations.map(({ rotation: { id }, steps: of }) => ({ id, steps: of }));
    const more = { rotations: steps, gone, requests, asked };
    talk.json({ schema: statusSchema, nowMs, managedKeys: [overview], ...more, record });
    return code;
  }
  const title = `${talk.styled("bold", record.alias)}  `;
  talk.line(title.trimEnd());
  sayText(talk, "  ", `policy ${record.policy.name}, ${ageOf(overview)}`);
  sayStanding(talk, record, nowMs);
  sayVersions(talk, record, gone);
  for (const { rotation, steps } of rotations) sayRotation(talk, rotation, steps, nowMs);
  sayAsked(talk, asked, requests);
  for (const finding of overview.findings) {
    talk.line();
    sayText(talk, `${coloured(finding.code, finding.code, talk)}  `, since(finding.sinceMs));
    sayText(talk, "  ", finding.seen);
    sayCommand(talk, "  next:", finding.next);
  }
  return code;
}

function since(atMs: number): string {
  return `since ${moment(atMs)}`;
}

function sayStanding(talk: Talk, record: ManagedKey, nowMs: number): void {
  const { aliases, resting, claim, stops, wanted, unsettled } = record;
  const others = aliases.slice(1);
  if (others.length > 0) sayText(talk, "  also ", others.join(", "));
  sayText(talk, "  ", `next ${fromNow(nextAtMs(record, nowMs), nowMs)}: ${resting}`);
  if (claim !== undefined && claim.untilMs > nowMs) {
    sayText(talk, "  ", `a run works on it, until ${moment(claim.untilMs)} at the latest`);
  }
  const landedMs = Math.max(0, ...unsettled.map(({ untilMs }) => untilMs));
  if (landedMs > nowMs) {
    sayText(talk, "  ", `a call of an earlier run may still land, until ${moment(landedMs)}`);
  }
  for (const { kind, by, atMs, seen, version } of stops) {
    const of = version === undefined ? "" : ` of v${version}`;
    const why = seen === "" ? "" : `: ${seen}`;
    sayText(
      talk,
      talk.styled("yellow", "  stopped "),
      `by ${by}, ${since(atMs)}, ${kind}${of}${why}`,
    );
  }
  if (wanted === undefined) return;
  const urgently = wanted.urgent ? ", urgently" : "";
  sayText(talk, "  ", `a rotation is wanted by ${wanted.by}, ${since(wanted.atMs)}${urgently}`);
}

function sayVersions(talk: Talk, { versions }: ManagedKey, gone: Gone[]): void {
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
  const words = gone.map(({ number, keyId, atMs }) => `v${number} (${keyId}, ${moment(atMs)})`);
  if (words.length > 0) sayText(talk, "gone: ", words.join(", "));
}

function sayAsked(
  talk: Talk,
  asked: ReturnType<typeof askedOf>,
  requests: readonly RequestItem[],
): void {
  if (asked.length > 0) talk.line("\nasked of it lately");
  for (const { atMs, event, reason, detail } of asked) {
    const by = detail["by"] === undefined ? "" : `, asked for by ${detail["by"]}`;
    sayText(talk, `  ${moment(atMs)}  `, `${event}${by}: ${reason}`);
  }
  if (requests.length > 0) talk.line("\nasked of it, and not taken up yet");
  for (const { id, body } of requests) {
    const { kind, by, reason, ...rest } = body;
    const fields = Object.entries(rest).map(([name, value]) => `${name} ${said(value)}`);
    const why = reason === undefined || reason === "" ? "" : `: ${said(reason)}`;
    const with_ = fields.length === 0 ? "" : ` (${fields.join(", ")})`;
    sayText(talk, "  ", `${said(kind)}${with_} by ${said(by)}${why}, as ${id}`);
  }
}

/** Whatever was written there. */
function said(value: unknown): string {
  if (value === undefined) return "nobody knows what";
  return typeof value === "string" ? value : JSON.stringify(value);
}
