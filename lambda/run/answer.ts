/**
 * The answer to a use attempt: restores the version in this same invocation, also while another run
 * works. Duplicates, forgeries and endless retries of a client cost at most four reads each, and no write. Where the
 * version should be Enabled, they cost one write a minute at most.
 */
import { pauseMs } from "../pass/backoff.ts";
import { begin, type Run, type RunOptions } from "../pass/context.ts";
import { oneKey } from "../pass/take-up.ts";
import { expectedOf } from "../workflow/drift/inspect-version.ts";
import type { FindingCode } from "../workflow/model/findings.ts";
import { concern } from "../workflow/restore/use-attempt.ts";
import { valueOf } from "../workflow/safety/observations.ts";
import { tagNames } from "../workflow/model/tag-names.ts";
import type { ManagedKey, Restored, UseAttempt } from "../workflow/model/types.ts";
import { isRecent, type Recent } from "./recent.ts";

export type Answer = {
  keyId: string;
  eventId: string;
  outcome:
    /** No managed key has it, or it has another owner now. */
    | "not-ours"
    /** keyturn did not put it out of use, or did so after the attempt, or an operator overrode the evidence. */
    | "no-action"
    /** Already restored, or already reported; waits for an operator. */
    | "known"
    /** Its record has it as Enabled: an external actor put it out of use, and the next run inspects it. */
    | "suspected"
    | "restored"
    /** Mode `plan`, or an operator put it out of use again: an operator must re-enable it. */
    | "reported"
    /** Not yet restored at the end of the time; the next run continues. */
    | "out-of-time";
};

/** `foreign`: keys that were recently not ours. A client that retries on one causes an event for each of its calls. */
export async function answer(
  options: RunOptions,
  attempt: UseAttempt,
  foreign: Recent,
): Promise<Answer> {
  const current = begin(options);
  const { table, clock } = options.ports;
  const { keyId, eventId } = attempt;
  const answered = (outcome: Answer["outcome"]): Answer => ({ keyId, eventId, outcome });
  const isForeign = isRecent(foreign, keyId, clock.nowMs());
  const alias = isForeign ? undefined : await table.boundTo(keyId);
  if (alias === undefined) return answered("not-ours");
  for (let tries = 0; ; tries++) {
    const outcome = await state(current, alias, attempt, tries > 0);
    if (outcome !== "to-do") return answered(outcome);
    if (clock.nowMs() >= current.stopAtMs) return answered("out-of-time");
    if (tries === 0) current.tableId = await table.id();
    else await clock.sleep(pauseMs(tries - 1));
    await tryOnce(current, alias, attempt);
  }
}

/** After a lost claim or a failure, the next try continues. */
async function tryOnce(current: Run, alias: string, attempt: UseAttempt): Promise<void> {
  try {
    await oneKey(current, alias, "force", attempt);
  } catch (error) {
    current.telemetry.failed(alias, error);
  }
}

async function state(
  current: Run,
  alias: string,
  attempt: UseAttempt,
  isTried: boolean,
): Promise<Answer["outcome"] | "to-do"> {
  const { keys, table } = current.ports;
  const record = (await table.read(alias))?.record;
  if (record === undefined) return "not-ours";
  const what = concern(record, attempt);
  if (what === "none") return isTried ? "restored" : outOfUseByOthers(record, attempt);
  const tags = valueOf(await keys.tagsOf(attempt.keyId)) ?? {};
  if (tags[tagNames.owner] !== record.owner) return "not-ours";
  if (what === "news") return "to-do";
  if (current.configuration.mode === "plan") return "reported";
  if (isTried && isAccepted(record, attempt.keyId)) return "restored";
  const key = valueOf(await keys.describe(attempt.keyId));
  if (key?.state === "Enabled") return isTried ? "restored" : "known";
  return isLeft(record, attempt.keyId) ? "reported" : "to-do";
}

/** Each reports that an external actor put a version out of use. */
const outOfUse: FindingCode[] = [
  "DELETION_SCHEDULED_BY_OTHERS",
  "DISABLED_BY_OTHERS",
  "KEY_NOT_ENABLED",
  "VERSION_DELETED",
];

/** The event of the change itself may be lost: without this, the daily inspection would be the next to find it. */
function outOfUseByOthers(record: ManagedKey, { keyId, atMs }: UseAttempt): Answer["outcome"] {
  const version = record.versions.find((one) => one.keyId === keyId);
  if (version === undefined || expectedOf(record, version, atMs) !== "Enabled") {
    return "no-action";
  }
  const isReported = record.findings.some(
    ({ code, subject }) => subject === keyId && outOfUse.includes(code),
  );
  return isReported ? "known" : "suspected";
}

/** KMS accepted EnableKey: a read that still shows the key disabled lags. */
function isAccepted(record: ManagedKey, keyId: string): boolean {
  return restoredOf(record, keyId)?.enabledAtMs !== undefined;
}

/** The restore is complete: if the key is out of use now, an operator wanted that. */
function isLeft(record: ManagedKey, keyId: string): boolean {
  return restoredOf(record, keyId)?.relabelled === true;
}

function restoredOf(record: ManagedKey, keyId: string): Restored | undefined {
  const version = record.versions.find((one) => one.keyId === keyId);
  return record.rotations.find(({ from }) => from === version?.number)?.restored;
}
