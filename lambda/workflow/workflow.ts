/**
 * The workflow: decides the next action for one managed key from its record, the observed state of
 * KMS and the context. Five steps in order; each decides alone, and the most urgent decision wins.
 */
import { decideGenerate } from "./1-generate.ts";
import { decideDistribute } from "./2-distribute.ts";
import { decideActivate } from "./3-activate.ts";
import { decideDrain } from "./4-drain.ts";
import { decideRevoke } from "./5-revoke.ts";
import { decideRequest } from "./requests/asked.ts";
import { decideAttempt } from "./restore/use-attempt.ts";
import { decideEnrolment } from "./enrolment/enrol.ts";
import { effects, foundByInspection, sameFinding, type Finding } from "./model/findings.ts";
import { recheckMs } from "./model/limits.ts";
import { changedStates, guard } from "./drift/guard.ts";
import { afterInspection, decideInspection, stillOpen } from "./drift/inspection.ts";
import { alone, aside } from "./drift/inspect-version.ts";
import { notices } from "./notices.ts";
import { decideExtra } from "./restore/quarantine.ts";
import { decideReconciled } from "./requests/reconcile.ts";
import { hurried, sameAliases, sameHome, saferOf } from "./model/policy.ts";
import {
  activeVersion,
  isRetiring,
  rotationBeforeActivation,
  rotationOf,
  versionOf,
} from "./model/record.ts";
import { decideActiveVersion } from "./active-version.ts";
import { refusalFindings } from "./safety/refusal-findings.ts";
import { readsOfRefusals } from "./safety/refusals.ts";
import { blockedUntilMs, isExempt } from "./safety/settle.ts";
import { holdInForce, type HoldInForce } from "./safety/holds.ts";
import { decideUnenrolment } from "./requests/un-enrol.ts";
import type {
  Decision,
  Home,
  ManagedKey,
  Context,
  Request,
  Rotation,
  Scene,
  ObservedState,
  Step,
  StepScene,
} from "./model/types.ts";

export const steps: Record<Step, (scene: StepScene) => Decision> = {
  generate: decideGenerate, //     create a new key, once
  distribute: decideDistribute, // make it usable before an alias points at it
  activate: decideActivate, //     move the aliases
  drain: decideDrain, //           prove the old version quiet
  revoke: decideRevoke, //         and only then disable or delete it
};

/** The next decision and, where the pass finishes with it, all findings. */
export type MatterDecision = { decision: Decision; findings: Finding[] };

export function decide(
  record: ManagedKey,
  observed: ObservedState,
  context: Context,
): MatterDecision {
  const scene: Scene = { record, observed, context };
  const { home, attempt, requests } = context;
  const attempted = attempt === undefined ? undefined : decideAttempt(scene, attempt);
  if (attempted !== undefined) {
    // An earlier resume must not end the hold that this attempt creates: it comes first.
    const resume = requests.find(({ kind }) => kind === "resume");
    const first = resume === undefined ? attempted : decideRequest(scene, resume);
    return { decision: first, findings: [] };
  }
  // Other requests wait for a run of their own: the restore does not wait.
  const request = attempt === undefined ? nextOf(requests) : undefined;
  if (request !== undefined) return { decision: decideRequest(scene, request), findings: [] };
  if (record.unenrolment !== undefined) {
    return verdict(scene, [context.parked["un-enrolment"] ?? decideUnenrolment(scene)]);
  }
  const still = holdInForce(scene);
  if (still !== undefined) return decideHeld(scene, still);
  if (record.reconciledAtMs !== undefined) return verdict(scene, [decideReconciled(scene)]);
  if (home !== undefined && !sameHome(record, home)) {
    return { decision: homeChanged(record, home, context.nowMs), findings: [] };
  }
  return verdict(scene, matters(scene));
}

/** An approval needs reads of KMS: other requests come before it. */
function nextOf(requests: Request[]): Request | undefined {
  return requests.find(({ kind }) => kind !== "approve") ?? requests[0];
}

function verdict(scene: Scene, decisions: Decision[], others: Finding[] = []): MatterDecision {
  const { record, observed, context } = scene;
  const afterwards = afterInspection(record, observed, context.nowMs);
  const known = context.home === undefined ? [] : notices(afterwards, context.nowMs);
  const refused = refusalFindings(scene);
  const found = [...known, ...refused, ...others, ...decisions.flatMap(findingsOf)];
  const reads = readsOfRefusals(scene);
  const first: Decision[] = reads.length === 0 ? [] : [{ kind: "observe", reads }];
  const isLast = (one: Decision): boolean => one.kind === "observe" && one.last === true;
  const own = [...decisions.filter((one) => !isLast(one)), ...first];
  const decided = withinTheRules(scene, mostUrgent(record, own));
  const last = decisions.find(isLast);
  return {
    decision: last !== undefined && hasTime(decided, context) ? last : decided,
    findings: keepSince(record.findings, [...found, ...stillOpen(scene)]),
  };
}

/** Whether the pass ends with this decision, and not for the sake of a call under way. */
function hasTime({ kind }: Decision, { mode }: Context): boolean {
  const isCall = kind === "call" && mode === "act";
  return !isCall && kind !== "change" && kind !== "observe" && kind !== "blocked";
}

function matters(scene: Scene): Decision[] {
  const { record } = scene;
  const { parked, nowMs } = scene.context;
  if (record.enrolledAtMs === undefined) return [parked.enrolment ?? decideEnrolment(scene)];
  return [
    ...record.rotations.map((rotation) => {
      const decision = parked[rotation.id] ?? decideStep(scene, rotation);
      return isRetiring(rotation)
        ? aside(versionOf(record, rotation.from), decision, nowMs)
        : decision;
    }),
    parked.active ?? decideActiveVersion(scene),
    ...record.extras
      .filter(({ quarantinedAtMs }) => quarantinedAtMs === undefined)
      .map((extra) => parked[extra.keyId] ?? decideExtra(scene, extra)),
    ...decideInspection(scene),
  ];
}

function decideStep(scene: Scene, rotation: Rotation): Decision {
  const { record } = scene;
  const safer = saferOf(rotation.policy, record.policy);
  const policy = rotation.urgent === true ? hurried(safer) : safer;
  const old = versionOf(record, rotation.from);
  const decision = steps[rotation.step]({ ...scene, rotation: { ...rotation, policy }, old });
  if (!isRetiring(rotation)) return decision;
  const isDestructive =
    decision.kind === "call" && ["DisableKey", "ScheduleKeyDeletion"].includes(decision.call.kind);
  return (isDestructive ? beforeDestruction(scene) : undefined) ?? decision;
}

/**
 * A version goes out of use only while the others are as recorded, the active one above all: an operator may still need
 * this one. A finding of the whole managed key counts even before the next inspection.
 */
function beforeDestruction(scene: Scene): Decision | undefined {
  const { record, context } = scene;
  const subjects = [activeVersion(record)?.keyId ?? "", ...record.aliases];
  const open = record.findings.find(
    ({ code, subject }) =>
      foundByInspection.includes(code) && effects[code] === "halt" && subjects.includes(subject),
  );
  if (open === undefined) return changedStates(scene);
  // The inspection reports it as long as it is true.
  return { kind: "wait", untilMs: context.nowMs + recheckMs, reason: `halted: ${open.code}` };
}

/**
 * Only restores continue. keyturn does not make other decisions, but evaluates them again after a
 * while: one of them may become a restore.
 */
function decideHeld(scene: Scene, still: HoldInForce): MatterDecision {
  const { record, context } = scene;
  const { parked, nowMs } = context;
  const watched = still.watched.map((rotation) => {
    const decision = parked[rotation.id] ?? decideStep(scene, rotation);
    return rotation.restored === undefined ? onlyRestoring(decision, nowMs) : decision;
  });
  const isOlder = record.tableId !== context.tableId;
  const inspected = isOlder
    ? []
    : decideInspection(scene).map((one) => whileHeld(one, still, nowMs));
  const own: Decision = still.halt
    ? { kind: "halt", finding: still.finding }
    : {
        kind: "wait",
        untilMs: Number.MAX_SAFE_INTEGER,
        reason: `held: ${still.finding.code}`,
        finding: still.finding,
      };
  const moving = watched.filter(({ kind }) => kind === "change" || kind === "call");
  const urgent = moving.length > 0 ? moving : [...watched, ...inspected, own];
  return verdict(scene, urgent, [still.finding, ...still.others]);
}

/** An inspection goes on; it restores a version that an alias points at where the hold allows that. */
function whileHeld(decision: Decision, { restores }: HoldInForce, nowMs: number): Decision {
  if (decision.kind === "halt") return alone(decision.finding, nowMs);
  const isMilder = decision.kind === "call" || decision.kind === "change";
  return isMilder && !restores ? onlyRestoring({ kind: "retry", reason: "" }, nowMs) : decision;
}

function onlyRestoring(decision: Decision, nowMs: number): Decision {
  if (decision.kind === "observe" || isRestoring(decision)) return decision;
  // The record of a deletion that KMS has scheduled, or cancelled: only then keyturn watches over it.
  const isNoted =
    decision.kind === "change" &&
    ["deletion-scheduled", "deletion-cancelled"].includes(decision.entry.event);
  if (isNoted || decision.kind === "wait") return decision;
  return { kind: "wait", untilMs: nowMs + recheckMs, reason: "on hold: keyturn changes nothing" };
}

/** A restore call, or the change that puts a restore on record. */
function isRestoring(decision: Decision): boolean {
  if (decision.kind === "call") return isExempt(decision.call);
  return decision.kind === "change" && decision.entry.event === "restore-started";
}

/**
 * A restore comes first, and is retried soon. Then all reads come before any change; a halt stops
 * everything; of the waits, the earliest one counts.
 */
function mostUrgent(record: ManagedKey, decisions: Decision[]): Decision {
  const restore = decisions.find(isRestoring);
  if (restore !== undefined) return restore;
  const reads = decisions.flatMap((decision) =>
    decision.kind === "observe" ? decision.reads : [],
  );
  if (reads.length > 0) return { kind: "observe", reads };
  const restoring = record.rotations.some(({ restored }) => restored !== undefined);
  const retryFirst: Decision["kind"][] = restoring ? ["retry"] : [];
  const order: Decision["kind"][] = [...retryFirst, "halt", "change", "call", "retry"];
  for (const kind of order) {
    const found = decisions.find((decision) => decision.kind === kind);
    if (found !== undefined) return found;
  }
  const waits = decisions.filter((decision) => decision.kind === "wait");
  const [soonest] = waits.sort((a, b) => a.untilMs - b.untilMs);
  if (soonest === undefined) throw new Error("nothing was decided");
  return soonest;
}

/** Every call passes here: checks the settle rule, and that the record is not behind KMS. */
function withinTheRules(scene: Scene, decision: Decision): Decision {
  const { record, context } = scene;
  if (decision.kind !== "call") return decision;
  if (isExempt(decision.call)) return onceATurn(record, decision, context);
  const { epoch, uncertain, nowMs } = context;
  const untilMs = blockedUntilMs(record.unsettled, epoch, uncertain, nowMs);
  if (untilMs === undefined) return guard(scene, decision.call, decision.matter) ?? decision;
  return {
    kind: "blocked",
    untilMs,
    reason: `an earlier call may still take effect; ${decision.call.kind} waits`,
  };
}

/** After an exempt call without an answer, the next pass repeats it, not this one. */
function onceATurn(
  record: ManagedKey,
  decision: Extract<Decision, { kind: "call" }>,
  context: Context,
): Decision {
  const { matter } = decision;
  const unanswered = matter.kind === "rotation" && rotationOf(record, matter.rotationId).unanswered;
  const again =
    context.uncertain && (matter.kind === "active" || unanswered === decision.call.kind);
  return again ? { kind: "retry", reason: `${decision.call.kind} gave no answer` } : decision;
}

function findingsOf(decision: Decision): Finding[] {
  if (decision.kind === "halt") return [decision.finding];
  if (decision.kind === "wait" && decision.finding !== undefined) return [decision.finding];
  return [];
}

/** A finding that is still true keeps its first time. */
function keepSince(before: Finding[], now: Finding[]): Finding[] {
  const once = now.filter(
    (item, index) => now.findIndex((one) => sameFinding(one, item)) === index,
  );
  return once.map((item) => {
    const known = before.find((candidate) => sameFinding(candidate, item));
    return known === undefined ? item : { ...item, sinceMs: known.sinceMs };
  });
}

function homeChanged(record: ManagedKey, home: Home, nowMs: number): Decision {
  const { policy, dependents } = home;
  const frozen = rotationBeforeActivation(record) !== undefined;
  const aliases = frozen ? record.aliases : home.aliases;
  const read = sameAliases(record.aliases, aliases) ? {} : { suspectedAtMs: nowMs };
  const unlistedAliases = record.unlistedAliases.filter((alias) => !aliases.includes(alias));
  return {
    kind: "change",
    next: { ...record, policy, dependents, aliases, unlistedAliases, ...read },
    entry: {
      event: "configured",
      reason: "the configuration changed; open rotations adopt only its safer values",
      detail: { policy: policy.name, aliases: home.aliases.join() },
    },
  };
}
