/** A run makes one pass of a managed key, one claim belongs to one pass, and a pass never erases what another has announced. */
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
        violated("one run, one pass", `${alias}: run ${runId} asks for a claim that it holds`);
      }
    },
  };
}

/** What the settle rule rests on: as long as a changing call may land, the record says so. */
export function announcements({ nowMs, flights, ours, violated }: Facts): Checker {
  const wrong = (what: string): void => violated("a call under way is on record", what);
  const records = new Map<string, ManagedKey>();
  const isMarked = ({ unsettled }: ManagedKey): boolean =>
    unsettled.some(({ untilMs }) => untilMs > nowMs());
  return {
    beforeChange(operation, input, by) {
      // Histories with a key in excess have it made in our name, by a call that nobody knows of.
      if (by !== ours || operation === "CreateKey") return;
      for (const record of records.values()) {
        if (!isAbout(input, record) || isMarked(record)) continue;
        wrong(`${record.alias}: ${operation} takes effect, and the record has no mark of it`);
      }
    },
    onWrite(before, { record }) {
      records.set(record.alias, record);
      for (const { call } of flights) {
        if (!concerns(call, record) || isMarked(record)) continue;
        wrong(`${record.alias}: ${call.kind} may still land, and the record has no mark of it`);
      }
      for (const { id, intent } of record.rotations) {
        const earlier = before?.record.rotations.find((one) => one.id === id)?.intent.attempts ?? 0;
        if (intent.attempts >= earlier) continue;
        wrong(`${record.alias}: of ${earlier} calls of CreateKey the record has lost some`);
      }
    },
  };
}

/** A request as KMS gets it. */
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
