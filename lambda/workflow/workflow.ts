/**
 * The whole of it: what one managed key needs next, from its record, from what was seen of KMS, and
 * from the moment. Five steps in order; each decides alone, and the most urgent decision wins.
 */
import { decideGenerate } from "./1-generate.ts";
import { decideDistribute } from "./2-distribute.ts";
import { decideActivate } from "./3-activate.ts";
import { decideDrain } from "./4-drain.ts";
import { decideRevoke } from "./5-revoke.ts";
import { decideEnrolment } from "./enrol.ts";
import { finding, sameFinding, type Finding } from "./findings.ts";
import { notices } from "./notices.ts";
import { decideExtra } from "./quarantine.ts";
import { sameAliases, samePolicy, saferOf } from "./policy.ts";
import { rotationBeforeActivation, rotationOf, versionOf } from "./record.ts";
import { decideServing } from "./serving.ts";
import { blockedUntilMs, isExempt } from "./settle.ts";
import type {
  Decision,
  Home,
  ManagedKey,
  Moment,
  Rotation,
  Scene,
  Seen,
  Step,
  StepScene,
} from "./types.ts";

export const steps: Record<Step, (scene: StepScene) => Decision> = {
  generate: decideGenerate, //     a new key, made once
  distribute: decideDistribute, // usable before anyone is pointed at it
  activate: decideActivate, //     the alias moves
  drain: decideDrain, //           the old version is proved quiet
  revoke: decideRevoke, //         and only then put out of use
};

/** What is next, and, where the turn ends with it, everything a person must know. */
export type Verdict = { decision: Decision; findings: Finding[] };

export function decide(record: ManagedKey, seen: Seen, moment: Moment): Verdict {
  const { home } = moment;
  if (home === undefined) return notConfigured(record, moment);
  if (!sameHome(record, home))
    return { decision: homeChanged(record, home, moment.nowMs), findings: [] };
  const decisions = matters({ record, seen, moment });
  const said = [...notices(record, moment.nowMs), ...decisions.flatMap(findingsOf)];
  return {
    decision: settledFirst(record, mostUrgent(record, decisions), moment),
    findings: keepSince(record.findings, said),
  };
}

function matters(scene: Scene): Decision[] {
  const { record } = scene;
  const { parked } = scene.moment;
  if (record.enrolledAtMs === undefined) return [parked.enrolment ?? decideEnrolment(scene)];
  return [
    ...record.rotations.map((rotation) => parked[rotation.id] ?? decideStep(scene, rotation)),
    parked.serving ?? decideServing(scene),
    ...record.extras
      .filter(({ quarantinedAtMs }) => quarantinedAtMs === undefined)
      .map((extra) => parked[extra.keyId] ?? decideExtra(scene, extra)),
  ];
}

function decideStep(scene: Scene, rotation: Rotation): Decision {
  const { record } = scene;
  const policy = saferOf(rotation.policy, record.policy);
  const old = versionOf(record, rotation.from);
  return steps[rotation.step]({ ...scene, rotation: { ...rotation, policy }, old });
}

/**
 * Giving back a key that is needed comes first, and is soon tried again. Then everything is looked at before anything is
 * done; a halt stops it all; the earliest wait counts.
 */
function mostUrgent(record: ManagedKey, decisions: Decision[]): Decision {
  const rescue = decisions.find(
    (one) =>
      (one.kind === "change" && one.entry.event === "needed") ||
      (one.kind === "call" && isExempt(one.call)),
  );
  if (rescue !== undefined) return rescue;
  const looks = decisions.flatMap((decision) => (decision.kind === "look" ? decision.looks : []));
  if (looks.length > 0) return { kind: "look", looks };
  const givingBack = record.rotations.some(({ restored }) => restored !== undefined);
  const retryFirst: Decision["kind"][] = givingBack ? ["retry"] : [];
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

/** The settle rule, in the one place that every call passes. */
function settledFirst(record: ManagedKey, decision: Decision, moment: Moment): Decision {
  if (decision.kind !== "call") return decision;
  if (isExempt(decision.call)) return onceATurn(record, decision, moment);
  const { epoch, uncertain, nowMs } = moment;
  const untilMs = blockedUntilMs(record.unsettled, epoch, uncertain, nowMs);
  if (untilMs === undefined) return decision;
  return { kind: "blocked", untilMs, reason: `an earlier call may still land: ${decision.reason}` };
}

/** An exempt call without an answer is made again by the next turn: not over and over in this one. */
function onceATurn(
  record: ManagedKey,
  decision: Extract<Decision, { kind: "call" }>,
  moment: Moment,
): Decision {
  const { matter } = decision;
  const unanswered = matter.kind === "rotation" && rotationOf(record, matter.rotationId).unanswered;
  const again =
    moment.uncertain && (matter.kind === "serving" || unanswered === decision.call.kind);
  return again ? { kind: "retry", reason: `${decision.call.kind} gave no answer` } : decision;
}

function findingsOf(decision: Decision): Finding[] {
  if (decision.kind === "halt") return [decision.finding];
  if (decision.kind === "wait" && decision.finding !== undefined) return [decision.finding];
  return [];
}

/** A finding that is still true keeps the time at which it was first made. */
function keepSince(before: Finding[], now: Finding[]): Finding[] {
  return now.map((item) => {
    const known = before.find((candidate) => sameFinding(candidate, item));
    return known === undefined ? item : { ...item, sinceMs: known.sinceMs };
  });
}

function notConfigured(record: ManagedKey, moment: Moment): Verdict {
  const seen = `${record.alias} is in the table and not in the configuration`;
  const next = `add ${record.alias} to managedKeys in the configuration`;
  const what = finding("NOT_CONFIGURED", record.alias, seen, next, moment.nowMs);
  return {
    decision: { kind: "halt", finding: what },
    findings: keepSince(record.findings, [what]),
  };
}

/** The alias set is frozen while a rotation has yet to move it. */
function sameHome(record: ManagedKey, home: Home): boolean {
  if (!samePolicy(record.policy, home.policy)) return false;
  return (
    sameAliases(record.aliases, home.aliases) || rotationBeforeActivation(record) !== undefined
  );
}

function homeChanged(record: ManagedKey, home: Home, nowMs: number): Decision {
  const frozen = rotationBeforeActivation(record) !== undefined;
  const aliases = frozen ? record.aliases : home.aliases;
  const look = sameAliases(record.aliases, aliases) ? {} : { suspectedAtMs: nowMs };
  const unlistedAliases = record.unlistedAliases.filter((alias) => !aliases.includes(alias));
  return {
    kind: "change",
    next: { ...record, policy: home.policy, aliases, unlistedAliases, ...look },
    entry: {
      event: "configured",
      reason: "the configuration says so; open rotations take of it only what is milder",
      detail: { policy: home.policy.name, aliases: home.aliases.join() },
    },
  };
}
