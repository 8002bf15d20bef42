/** Applies the outcome of a changing call to the record. */
import { answered, generated } from "./1-generate.ts";
import { granted } from "./2-distribute.ts";
import { aliasWasMoved } from "./3-activate.ts";
import { disabled } from "./5-revoke.ts";
import { deletionCancelled, scheduled } from "./revoke/deletion.ts";
import { tagged } from "./enrolment/enrol.ts";
import { disable, showKey } from "./model/commands.ts";
import { finding } from "./model/findings.ts";
import { restoredBy } from "./restore/restore.ts";
import { restored } from "./restore/out-of-use.ts";
import { labelled, unsureOfLabel } from "./safety/label.ts";
import { recheckMs } from "./model/limits.ts";
import { quarantined } from "./restore/quarantine.ts";
import {
  rotationOf,
  versionOf,
  withExtra,
  without,
  withRotation,
  withVersion,
} from "./model/record.ts";
import { reactivatedBy } from "./restore/reactivate.ts";
import { accessDenied } from "./safety/observations.ts";
import { marked, unsettledUntilMs } from "./safety/settle.ts";
import { untagged } from "./requests/un-enrol.ts";
import type {
  Call,
  Decision,
  Extra,
  ManagedKey,
  Matter,
  Context,
  Outcome,
  Rotation,
  Transition,
  Version,
} from "./model/types.ts";

type CallDecision = Extract<Decision, { kind: "call" }>;
type Done = Extract<Outcome, { kind: "done" }>;
type Refused = Extract<Outcome, { kind: "refused" }>;

/**
 * The record just before a changing call: this epoch's mark, and the call. After a crash the next
 * pass knows from it that the call may have taken effect.
 */
export function announce(
  record: ManagedKey,
  decision: CallDecision,
  context: Context,
  deadlineMs: number,
): ManagedKey {
  const own = { epoch: context.epoch, untilMs: unsettledUntilMs(deadlineMs) };
  const next = { ...record, unsettled: marked(record.unsettled, own, context.nowMs) };
  const { call, matter } = decision;
  switch (matter.kind) {
    case "enrolment":
    case "active":
    case "extra":
    case "un-enrolment":
      return next;
    case "rotation": {
      const rotation = rotationOf(record, matter.rotationId);
      const announced = { ...rotation, unanswered: call.kind };
      if (call.kind !== "CreateKey") {
        const then = doubted(next, rotation, call);
        return withRotation(disabling(then, rotation, call, context.nowMs), announced);
      }
      const intent = {
        ...rotation.intent,
        attempts: rotation.intent.attempts + 1,
        lastAttemptAtMs: context.nowMs,
        unansweredEpoch: context.epoch,
      };
      const lastNumber = Math.max(record.lastNumber, rotation.to);
      return { ...withRotation(next, { ...announced, intent }), lastNumber };
    }
  }
}

/** The unanswered call that this one replaces on record may have added or removed a label. */
function doubted(record: ManagedKey, rotation: Rotation, call: Call): ManagedKey {
  const { unanswered, from, to } = rotation;
  if (unanswered === undefined || unanswered === call.kind) return record;
  const number = unanswered === "UntagResource" ? to : from;
  const version = record.versions.find((one) => one.number === number);
  return version === undefined ? record : withVersion(record, unsureOfLabel(version, rotation));
}

/** An earlier DisableKey without an answer may have taken effect: then its time remains. */
function disabling(
  record: ManagedKey,
  { unanswered, from }: Rotation,
  { kind }: Call,
  nowMs: number,
): ManagedKey {
  if (kind !== "DisableKey" || unanswered === kind) return record;
  return withVersion(record, { ...versionOf(record, from), disablingAtMs: nowMs });
}

/** The record once KMS accepted a call, and its journal line. */
export function applyDone(
  record: ManagedKey,
  decision: CallDecision,
  outcome: Done,
  context: Context,
): Transition {
  const { call, matter } = decision;
  const { nowMs } = context;
  if (matter.kind === "extra") {
    const extra = extraOf(record, matter.keyId);
    if (call.kind === "TagResource") return extraLabelled(record, extra, nowMs);
    return quarantined(record, extra, decision.reason, nowMs);
  }
  if (matter.kind === "enrolment") return tagged(record, nowMs);
  if (matter.kind === "un-enrolment") return untagged(record, subjectOfCall(record, call), nowMs);
  if (matter.kind === "active")
    return restored(record, versionOfCall(record, call), decision.reason, context.nowMs);
  const rotation = without(rotationOf(record, matter.rotationId), "unanswered");
  switch (call.kind) {
    case "CreateKey": {
      const { keyId, arn, createdAtMs } = outcome;
      if (keyId === undefined || arn === undefined) throw new Error("CreateKey named no key");
      const key = { keyId, arn, createdAtMs: createdAtMs ?? nowMs };
      return generated(record, rotation, key, context);
    }
    case "CreateGrant":
      return {
        next: granted(record, rotation, call.copyOf, nowMs),
        entry: {
          event: "granted",
          reason: decision.reason,
          rotationId: rotation.id,
          step: "distribute",
          detail: { keyId: call.keyId, grantee: call.grant.grantee },
        },
      };
    case "UpdateAlias":
      return aliasWasMoved(record, rotation, call.alias, nowMs);
    case "TagResource":
      return labelled(record, rotation, nowMs);
    case "DisableKey":
      return disabled(record, rotation, nowMs);
    case "CancelKeyDeletion":
    case "EnableKey":
      if (call.kind === "CancelKeyDeletion" && isKept(record, rotation)) {
        return deletionCancelled(record, rotation, decision.reason, nowMs);
      }
      return rotation.restored === undefined
        ? reactivatedBy(record, rotation, call.kind, nowMs)
        : restoredBy(record, rotation, call.kind, decision.reason, nowMs);
    case "UntagResource":
      return reactivatedBy(record, rotation, call.kind, nowMs);
    case "ScheduleKeyDeletion":
      return scheduled(record, rotation, outcome.deletionAtMs, nowMs);
  }
}

/** A deletion that must not happen is cancelled, and nothing else: the version stays disabled. */
function isKept(record: ManagedKey, { from, restored }: Rotation): boolean {
  const old = record.versions.find(({ number }) => number === from);
  return restored === undefined && old?.state === "pending-deletion";
}

/** The record once KMS refused a call, which therefore had no effect. */
export function applyRefused(record: ManagedKey, matter: Matter, call: Call): ManagedKey {
  if (matter.kind !== "rotation") return record;
  const rotation = without(rotationOf(record, matter.rotationId), "unanswered");
  const intent = call.kind === "CreateKey" ? answered(rotation.intent) : rotation.intent;
  return withRotation(record, { ...rotation, intent });
}

/** Four of them last at least four minutes. */
const triesOfPrincipal = 5;

/** The decision after KMS refused a call. */
export function afterRefusal(
  record: ManagedKey,
  decision: CallDecision,
  outcome: Refused,
  context: Context,
): Decision {
  const { call } = decision;
  const subject = subjectOfCall(record, call);
  const why = call.kind === "CreateGrant" ? ` (${decision.reason})` : "";
  const observations = `${call.kind} on ${subject}${why}: ${outcome.message}`;
  const halt = (code: "KEY_QUOTA_REACHED" | "KEY_POLICY_REFUSED" | "CALL_REFUSED"): Decision => {
    const next = showKey(subject);
    return { kind: "halt", finding: finding(code, subject, observations, next, context.nowMs) };
  };
  switch (outcome.refusal) {
    case "Throttled":
    case "PastDeadline":
    case "InvalidState":
    case "NotFound":
      return { kind: "retry", reason: observations };
    case "AccessDenied":
      return denied(record, call, accessDenied(record, context, subject, observations), context);
    case "UnknownPrincipal":
      // KMS knows a new principal about a minute later than IAM, and a deleted one by its id.
      if (record.backoff.tries < triesOfPrincipal) return { kind: "retry", reason: observations };
      return halt("CALL_REFUSED");
    case "LimitExceeded":
      return halt("KEY_QUOTA_REACHED");
    case "MalformedPolicy":
      return halt("KEY_POLICY_REFUSED");
    case "Other":
      return halt("CALL_REFUSED");
  }
}

/**
 * Our own role's policies have a guardrail on recent use (kms:TrailingDaysWithoutKeyUsage), and
 * other policies that keyturn cannot read may have one. A forbidden call waits; rotation of the
 * active version continues. An operator who overrode the evidence may have the right that our role
 * lacks.
 */
function denied(record: ManagedKey, call: Call, usually: Decision, context: Context): Decision {
  const destructive = call.kind === "DisableKey" || call.kind === "ScheduleKeyDeletion";
  if (!destructive || usually.kind !== "halt") return usually;
  const untilMs = context.nowMs + 6 * recheckMs;
  const reason = `KMS denies ${call.kind}`;
  const version = record.versions.find(({ keyId }) => keyId === call.keyId);
  const byHand =
    call.kind === "DisableKey" && version?.overriddenBy !== undefined
      ? { next: disable(call.keyId) }
      : {};
  return { kind: "wait", untilMs, reason, finding: { ...usually.finding, ...byHand } };
}

export function subjectOfCall(record: ManagedKey, call: Call): string {
  return call.kind === "CreateKey"
    ? record.alias
    : call.kind === "UpdateAlias"
      ? call.alias
      : call.keyId;
}

function versionOfCall(record: ManagedKey, call: Call): Version {
  const version = record.versions.find(
    ({ keyId }) => call.kind === "EnableKey" && keyId === call.keyId,
  );
  if (version === undefined) throw new Error(`${record.alias}: ${call.kind} on no version`);
  return version;
}

function extraOf(record: ManagedKey, keyId: string): Extra {
  const extra = record.extras.find((candidate) => candidate.keyId === keyId);
  if (extra === undefined) throw new Error(`${record.alias} has no excess key ${keyId}`);
  return extra;
}

function extraLabelled(record: ManagedKey, extra: Extra, nowMs: number): Transition {
  return {
    next: {
      ...withExtra(record, { ...extra, labelledAtMs: nowMs }),
      authorizationChangedAtMs: nowMs,
    },
    entry: {
      event: "labelled",
      reason: "an excess key has the label of a retired key",
      rotationId: extra.rotationId,
      detail: { keyId: extra.keyId },
    },
  };
}
