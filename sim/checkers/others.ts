/** A change by others is reported: soon after its event, or within a day. */
import {
  foundByInspection,
  type Finding,
  type FindingCode,
} from "../../lambda/workflow/model/findings.ts";
import type { ManagedKey, Version } from "../../lambda/workflow/model/types.ts";
import { consistencyMs } from "../../lambda/workflow/model/limits.ts";
import { keyPolicyOf } from "../../lambda/record/canonical.ts";
import type { KeyState } from "../../embedded-aws/kms/types.ts";
import { tagNames } from "../../lambda/workflow/model/tag-names.ts";
import { followed } from "../world/meddlers.ts";
import type { Engine } from "../world/engine.ts";
import type { Arrival } from "../world/lockout.ts";
import { keyIdIn, nameOf, type Checker, type Facts } from "./checker.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Somebody types the command within half an hour after the faults; a pass an hour later sees its effect. */
const followedForMs = 4 * hourMs;

/** Calls with an event; a grant changes nothing that the record has. */
const relevant = /Alias$|^(Enable|Disable)Key$|KeyDeletion$|^(Tag|Untag)Resource$|^PutKeyPolicy$/;

/** Another finding of the managed key reports something of its own. */
const fitting: readonly FindingCode[] = [
  ...foundByInspection,
  ...(["ALIAS_SET_SPLIT", "NEW_VERSION_NOT_ENABLED", "USED_WHILE_DISABLED", "STUCK"] as const),
];

/** Nothing brings a deleted key back, and nobody but an operator chooses between two owners. */
function changes(command: string): boolean {
  return !/^(npx keyturn explain|aws kms (list|get|describe)-)/.test(command);
}

/** Whether a finding of the managed key may be that of a change of this version. */
function reports(record: ManagedKey, keyId: string): boolean {
  const active = record.versions.find(({ state }) => state === "active");
  const subjects = [record.alias, keyId, ...record.aliases];
  // It halts the managed key, whose other versions wait for an operator too.
  const isLost = ({ code, subject }: Finding): boolean =>
    code === "VERSION_DELETED" && subject === active?.keyId;
  return record.findings.some(
    (one) => isLost(one) || (subjects.includes(one.subject) && fitting.includes(one.code)),
  );
}

type Watched = {
  engine: Engine;
  /** How CloudTrail's event of the last change arrives; undefined where none does. */
  arrival: () => Arrival | undefined;
  recordOf: (alias: string) => ManagedKey | undefined;
  /** Beyond five minutes after an event, or a day: the interval of the runs, and what faults cost. */
  slackMs: number;
  /** From when on no fault delays an inspection; 0 where none ever does. */
  calmFromMs: number;
};

/** A change by others, and how its event arrives. */
type Change = { keyId: string; atMs: number; arrival: Arrival | undefined };

const expected: Partial<Record<Version["state"], KeyState>> = {
  active: "Enabled",
  draining: "Enabled",
  retained: "Enabled",
  disabled: "Disabled",
  "pending-deletion": "PendingDeletion",
};

export function others(facts: Facts, watched: Watched): Checker {
  const { arrival, recordOf } = watched;
  const { kms, ours, violated, policies } = facts;
  const touched = new Map<string, number>();

  const check = (alias: string, { keyId, atMs }: Change, state: Version["state"]): void => {
    const record = recordOf(alias);
    const version = record?.versions.find((one) => one.keyId === keyId);
    if (record === undefined || version?.state !== state) return;
    const isManaged = record.enrolledAtMs !== undefined && record.unenrolment === undefined;
    if ((touched.get(keyId) ?? 0) > atMs || !isManaged) return;
    // An incomplete pass, and one that waits for its own calls to settle, comes again.
    const what = wrongWith(facts, record, version);
    if (what === undefined) return;
    if (reports(record, keyId)) return;
    const minutes = Math.round((facts.nowMs() - atMs) / minuteMs);
    const which = nameOf(kms.keys.get(keyId), keyId);
    violated(
      "a change by others is reported",
      `${which} ${what} for ${minutes} minutes, without a finding`,
    );
  };

  return {
    atEnd() {
      for (const alias of policies.keys()) {
        const { findings = [] } = recordOf(alias) ?? {};
        // No version is left, and no command of another finding works.
        if (findings.some(({ code, next }) => code === "VERSION_DELETED" && !changes(next)))
          continue;
        const open = findings.find(
          ({ code, next, sinceMs }) =>
            followed.has(code) && changes(next) && sinceMs < facts.nowMs() - followedForMs,
        );
        if (open === undefined) continue;
        const what = `${alias}: ${open.code} stays, although somebody typed ${open.next}`;
        violated("a change by others is reported", what);
      }
    },
    onChange({ operation, input, principalArn, atMs }) {
      if (!relevant.test(operation)) return;
      const named = typeof input.AliasName === "string" ? input.AliasName : "";
      const aliasOf = [...policies.keys()].find((alias) => alias === named);
      const keyIds = [keyIdIn(input), kms.aliases.get(named)?.keyId ?? ""];
      for (const keyId of keyIds) touched.set(keyId, atMs);
      for (const alias of policies.keys()) {
        const record = recordOf(alias);
        const versions = record?.versions.filter(
          ({ keyId, state }) => keyIds.includes(keyId) || (aliasOf === alias && state === "active"),
        );
        for (const { keyId, state } of versions ?? []) {
          touched.set(keyId, atMs);
          // The event of a change during enrolment finds no managed key: the daily inspection finds the change.
          if (principalArn === ours || record?.enrolledAtMs === undefined) continue;
          const change = { keyId, atMs, arrival: arrival() };
          if (operation === "PutKeyPolicy") {
            const { policyHash: before } = record.versions.find((one) => one.keyId === keyId) ?? {};
            const put = { keyId, before, text: kms.keys.get(keyId)?.policy };
            checkLater(watched, alias, change, () => checkPolicy(facts, recordOf, put));
          }
          checkLater(watched, alias, change, () => check(alias, change, state));
        }
      }
    },
  };
}

/** Checks once keyturn must know the change of a version of this managed key. */
function checkLater(watched: Watched, alias: string, change: Change, check: () => void): void {
  const { engine, recordOf } = watched;
  const again = (): void => {
    // Its event may be in the dead-letter queue by now.
    const dueAtMs = knownAtMs(watched, change, recordOf(alias));
    if (dueAtMs > engine.nowMs()) engine.at(dueAtMs, again);
    else check();
  };
  engine.at(knownAtMs(watched, change, undefined), again);
}

/**
 * Ten minutes after its event, or a day. Faults can delay an inspection as long as they occur; one that took place
 * must have found the change.
 */
function knownAtMs(
  { slackMs, calmFromMs }: Watched,
  { atMs, arrival }: Change,
  record: ManagedKey | undefined,
): number {
  const isDelivered = arrival?.kind === "delivered";
  const knownMs = isDelivered ? arrival.atMs + 10 * minuteMs : atMs + 24 * hourMs;
  const isLate = record !== undefined && (record.inspectedAtMs ?? 0) < atMs + consistencyMs;
  return Math.max(knownMs, isLate ? calmFromMs : 0) + slackMs;
}

type PolicyPut = { keyId: string; before: string | undefined; text: unknown };

/** Unless somebody accepted the key policy by then, or another change followed. */
function checkPolicy(
  { kms, policies, violated }: Facts,
  recordOf: Watched["recordOf"],
  { keyId, before, text }: PolicyPut,
): void {
  const key = kms.keys.get(keyId);
  if (key === undefined || key.policy !== text || before === undefined) return;
  for (const alias of policies.keys()) {
    const { versions = [], findings = [] } = recordOf(alias) ?? {};
    const version = versions.find((one) => one.keyId === keyId);
    if (version?.policyHash !== before || keyPolicyOf(key.policy.text).hash === before) continue;
    const isReported = findings.some(
      ({ code, subject }) => code === "KEY_POLICY_CHANGED" && subject === keyId,
    );
    if (isReported) continue;
    const what = `${nameOf(key, keyId)} has another key policy, without a finding`;
    violated("a change by others is reported", what);
  }
}

/** What is wrong with the version now; undefined where nothing is, or keyturn itself is at work on it. */
function wrongWith(
  { kms, nowMs }: Facts,
  record: ManagedKey,
  version: Version,
): string | undefined {
  const key = kms.keys.get(version.keyId);
  const rotations = record.rotations.filter(({ from }) => from === version.number);
  const isBusy = rotations.some(({ unanswered, restored }) => unanswered ?? restored);
  const state = expected[version.state];
  if (isBusy || state === undefined) return undefined;
  if ((version.deletionAtMs ?? Infinity) <= nowMs()) return undefined;
  if (key?.state !== state) return `is ${key?.state ?? "deleted"}, not ${state}`;
  if (state === "PendingDeletion") return undefined;
  const missing = [tagNames.owner, tagNames.alias].filter((name) => !key.tags.has(name));
  if (missing.length > 0) return `has no ${missing.join()}`;
  const strays = record.aliases.filter((alias) => kms.aliases.get(alias)?.keyId !== key.keyId);
  if (version.state !== "active" || isMoving(record) || strays.length === 0) return undefined;
  return `has no ${strays.join()}`;
}

/** While a rotation moves the aliases, or a rollback moves them back, they may be on either version. */
function isMoving({ rotations }: ManagedKey): boolean {
  return rotations.some(({ step, direction }) => step === "activate" || direction === "back");
}
