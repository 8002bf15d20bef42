/**
 * What the next runs do with a managed key, found by having them do it: the production turn, on a table
 * and a KMS in this process that begin as the record has them, from one moment that is due to the next.
 */
import type { RequestItem, Stored } from "../../lambda/ports.ts";
import { effects, type Finding } from "../../lambda/workflow/model/findings.ts";
import { activeVersion } from "../../lambda/workflow/model/record.ts";
import type { ForecastEvent } from "./planned.ts";
import { Stage } from "./stage.ts";

export type Forecast = {
  alias: string;
  /** Where the journal ends that all of this begins with. */
  revision: number;
  head: string;
  planned: ForecastEvent[];
  /** What a person has to do before all of it goes on. */
  waitsFor: Finding[];
  /** What it rests in at the end, and until when. */
  waitingFor: string;
  dueAtMs: number;
  /** Keys that cost something each month, now and at the end. */
  keysNow: number;
  keysThen: number;
  /** There is more to come before the end than a forecast holds. */
  cut: boolean;
};

export type Ahead = {
  nowMs: number;
  untilMs: number;
  /** Items that wait for the next run. */
  requests: RequestItem[];
};

/** The schedule's own by default: nothing happens sooner after a turn than a run later. */
const intervalMs = 5 * 60_000;

/** Some months of looking every hour at what does not move. */
const passesMax = 3000;

/**
 * What these say is so in the record itself, and the forecast finds it there. What the others say is so
 * in KMS, which the forecast takes to be as it should: whether they will be cured nobody can foresee.
 */
const knownFromRecord: Finding["code"][] = ["USED_WHILE_DISABLED", "DEPENDENT_NOT_READY"];

export async function forecast(stored: Stored, ahead: Ahead): Promise<Forecast> {
  const { record, journalHead: head } = stored;
  const { alias, revision, findings } = record;
  const stage = new Stage(stored, ahead.requests, ahead.nowMs);
  const keysNow = stage.kms.charged();
  const halts = findings.filter(
    ({ code }) => effects[code] === "halt" && !knownFromRecord.includes(code),
  );
  // Before it is enrolled, nobody but KMS knows which key is behind the alias.
  const isDark = halts.length > 0 || activeVersion(record) === undefined;
  const cut = !isDark && (await play(stage, ahead));
  if (isDark && ahead.requests.length > 0) await stage.passAt(ahead.nowMs);
  // There no more is known than how a request will be answered.
  const planned = isDark
    ? stage.planned.filter(({ request }) => request !== undefined)
    : stage.planned;
  const end = isDark ? record : stage.record();
  return {
    ...{ alias, revision, head, planned, keysNow, cut },
    waitsFor: end.findings.filter(({ code }) => ["halt", "block"].includes(effects[code])),
    waitingFor: end.waitingFor,
    dueAtMs: end.dueAtMs,
    keysThen: isDark ? keysNow : stage.kms.charged(),
  };
}

/** Whether it had to leave off before the end. */
async function play(stage: Stage, { nowMs, untilMs, requests }: Ahead): Promise<boolean> {
  const { dueAtMs } = stage.record();
  let atMs = requests.length > 0 ? nowMs : Math.max(nowMs, dueAtMs);
  for (let passes = 0; atMs <= untilMs; passes++) {
    if (passes >= passesMax) return true;
    await stage.passAt(atMs);
    atMs = Math.max(stage.record().dueAtMs, atMs + intervalMs);
  }
  return false;
}
