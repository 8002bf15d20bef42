/** One pass of a key in a run, one claim for a pass; no write erases an announced call. */
import type { Call, ManagedKey } from "../../lambda/workflow/model/types.ts";
import { tagNames } from "../../lambda/workflow/model/tag-names.ts";
import type { Checker, Facts } from "./checker.ts";

export function passes({ violated }: Pick<Facts, "violated">): Checker {
  const passOfEpoch = new Map<string, string>();
  return {
    onClaim(alias, { runId, passId }, answer, holder) {
      if (answer.kind === "claimed") {
        const { epoch } = answer.stored.record;
        const other = passOfEpoch.get(`${alias} ${epoch}`) ?? passId;
        if (other !== passId) {
          violated("one claim, one pass", `${alias}: two passes hold the claim of epoch ${epoch}`);
        }
        passOfEpoch.set(`${alias} ${epoch}`, passId);
      } else if (holder?.runId === runId && holder.passId !== passId) {
        violated("one run, one pass", `${alias}: run ${runId} requests a claim that it holds`);
      }
    },
  };
}

/** The basis of the settle rule: while a changing call may land, the record has its mark. */
export function announcements({ nowMs, flights, ours, violated }: Facts): Checker {
  const wrong = (what: string): void => violated("a call under way is on record", what);
  const records = new Map<string, ManagedKey>();
  const isMarked = ({ unsettled }: ManagedKey): boolean =>
    unsettled.some(({ untilMs }) => untilMs > nowMs());
  return {
    beforeChange(operation, input, by) {
      // Histories with an excess key make it in our name, by a call that is on no record.
      if (by !== ours || operation === "CreateKey") return;
      for (const record of records.values()) {
        if (!isAbout(input, record) || isMarked(record)) continue;
        wrong(`${record.alias}: ${operation} takes effect without a mark on record`);
      }
    },
    onWrite(before, { record }) {
      records.set(record.alias, record);
      for (const { call } of flights) {
        if (!concerns(call, record) || isMarked(record)) continue;
        wrong(`${record.alias}: ${call.kind} may still land, without a mark on record`);
      }
      for (const { id, intent } of record.rotations) {
        const earlier = before?.record.rotations.find((one) => one.id === id)?.intent.attempts ?? 0;
        if (intent.attempts >= earlier) continue;
        wrong(`${record.alias}: the record has lost some of ${earlier} CreateKey calls`);
      }
    },
  };
}

/** `input`: the request as KMS receives it. */
function isAbout(input: Record<string, unknown>, record: ManagedKey): boolean {
  const { AliasName, KeyId } = input as { AliasName?: string; KeyId?: string };
  if (AliasName !== undefined) return record.aliases.includes(AliasName);
  return KeyId !== undefined && isOn(record, KeyId);
}

function isOn({ versions, extras }: ManagedKey, keyId: string): boolean {
  return [...versions, ...extras].some((one) => one.keyId === keyId);
}

function concerns(call: Call, record: ManagedKey): boolean {
  switch (call.kind) {
    case "CreateKey":
      return call.tags[tagNames.alias] === record.alias;
    case "UpdateAlias":
      return record.aliases.includes(call.alias);
    case "CreateGrant":
    case "TagResource":
    case "UntagResource":
    case "CancelKeyDeletion":
    case "EnableKey":
    case "DisableKey":
    case "ScheduleKeyDeletion":
      return isOn(record, call.keyId);
  }
}
