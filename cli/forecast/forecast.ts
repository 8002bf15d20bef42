/**
 * Predicts the next runs of a managed key by running them: production passes, from one due time to the
 * next, on a table and a KMS in this process that start from the record.
 */
import type { Stored } from "../../lambda/ports.ts";
import { effects, type Finding } from "../../lambda/workflow/model/findings.ts";
import { activeVersion } from "../../lambda/workflow/model/record.ts";
import type { Ahead, ForecastEvent } from "./planned.ts";
import { Stage } from "./stage.ts";

export type Forecast = {
  alias: string;
  /** The last line of the journal at the start of the prediction. */
  revision: number;
  head: string;
  planned: ForecastEvent[];
  /** The findings that hold it until an operator acts. */
  waitsFor: Finding[];
  /** What it waits for at the end, and until when. */
  waitingFor: string;
  dueAtMs: number;
  /** The keys that KMS charges for, now and at the end. */
  keysNow: number;
  keysThen: number;
  /** The forecast stopped before the end: it reached its limit of passes. */
  truncated: boolean;
};

/** The default schedule. The next pass takes place one run later at the earliest. */
const intervalMs = 5 * 60_000;

/** Some months of hourly passes. */
const passesMax = 3000;

/**
 * The cause of these findings is in the record, and the forecast finds it there. The cause of the others
 * is in KMS, which the forecast assumes to be correct. It cannot predict when an operator corrects them.
 */
const knownFromRecord: Finding["code"][] = ["USED_WHILE_DISABLED", "DEPENDENT_NOT_READY"];

export async function forecast(stored: Stored, ahead: Ahead): Promise<Forecast> {
  const { record, journalHead: head } = stored;
  const { alias, revision, findings } = record;
  const stage = await Stage.of(stored, ahead);
  const keysNow = stage.kms.charged();
  const halts = findings.filter(
    ({ code }) => effects[code] === "halt" && !knownFromRecord.includes(code),
  );
  // Before enrolment, only KMS knows which key is behind the alias.
  const isUnknown = halts.length > 0 || activeVersion(record) === undefined;
  const truncated = !isUnknown && (await play(stage, ahead));
  if (isUnknown && ahead.requests.length > 0) await stage.passAt(ahead.nowMs);
  // Then the answer to a request is all that can be predicted.
  const planned = isUnknown
    ? stage.planned.filter(({ request }) => request !== undefined)
    : stage.planned;
  const end = isUnknown ? record : stage.record();
  return {
    ...{ alias, revision, head, planned, keysNow, truncated },
    waitsFor: end.findings.filter(({ code }) => ["halt", "block"].includes(effects[code])),
    waitingFor: end.waitingFor,
    dueAtMs: end.dueAtMs,
    keysThen: isUnknown ? keysNow : stage.kms.charged(),
  };
}

/** Whether it stopped before the end. */
async function play(stage: Stage, ahead: Ahead): Promise<boolean> {
  const { nowMs, untilMs, requests, refused } = ahead;
  const { dueAtMs } = stage.record();
  const isNews = requests.length > 0 || refused.refusals?.dueAtMs !== undefined;
  let atMs = isNews ? nowMs : Math.max(nowMs, dueAtMs);
  for (let passes = 0; atMs <= untilMs; passes++) {
    if (passes >= passesMax) return true;
    await stage.passAt(atMs);
    atMs = Math.max(stage.record().dueAtMs, atMs + intervalMs);
  }
  return false;
}
