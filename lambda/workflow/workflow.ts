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
import { saferOf } from "./policy.ts";
import { rotationBeforeActivation } from "./record.ts";
import { decideServing } from "./serving.ts";
import { blockedUntilMs, isExempt } from "./settle.ts";
import type { Decision, Home, ManagedKey, Moment, Rotation, Seen, Step } from "./types.ts";

type DecideStep = (record: ManagedKey, rotation: Rotation, seen: Seen, moment: Moment) => Decision;

export const steps: Record<Step, DecideStep> = {
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
  if (!sameHome(record, home)) return { decision: homeChanged(record, home), findings: [] };
  const decisions = matters(record, seen, moment);
  const said = [...notices(record, moment.nowMs), ...decisions.flatMap(findingsOf)];
  return {
    decision: settledFirst(record, mostUrgent(decisions), moment),
    findings: keepSince(record.findings, said),
  };
}

function matters(record: ManagedKey, seen: Seen, moment: Moment): Decision[] {
  if (record.enrolledAtMs === undefined) return [decideEnrolment(record, seen, moment)];
  return [
    ...record.rotations.map((rotation) => {
      const policy = saferOf(rotation.policy, record.policy);
      return steps[rotation.step](record, { ...rotation, policy }, seen, moment);
    }),
    decideServing(record, seen, moment),
    ...record.extras
      .filter(({ quarantinedAtMs }) => quarantinedAtMs === undefined)
      .map((extra) => decideExtra(record, extra, seen, moment)),
  ];
}

/**
 * Giving back a key that is needed comes first. Then everything is looked at before anything is
 * done; a halt stops it all; the earliest wait counts.
 */
function mostUrgent(decisions: Decision[]): Decision {
  const rescue = decisions.find((one) => one.kind === "call" && isExempt(one.call));
  if (rescue !== undefined) return rescue;
  const looks = decisions.flatMap((decision) => (decision.kind === "look" ? decision.looks : []));
  if (looks.length > 0) return { kind: "look", looks };
  const order: Decision["kind"][] = ["halt", "change", "call", "retry"];
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
  if (decision.kind !== "call" || isExempt(decision.call)) return decision;
  const { epoch, uncertain, nowMs } = moment;
  const untilMs = blockedUntilMs(record.unsettled, epoch, uncertain, nowMs);
  if (untilMs === undefined) return decision;
  return { kind: "blocked", untilMs, reason: `an earlier call may still land: ${decision.reason}` };
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
  const samePolicy = JSON.stringify(record.policy) === JSON.stringify(home.policy);
  const sameAliases = JSON.stringify(record.aliases) === JSON.stringify(home.aliases);
  return samePolicy && (sameAliases || rotationBeforeActivation(record) !== undefined);
}

function homeChanged(record: ManagedKey, home: Home): Decision {
  const frozen = rotationBeforeActivation(record) !== undefined;
  return {
    kind: "change",
    next: { ...record, policy: home.policy, aliases: frozen ? record.aliases : home.aliases },
    entry: {
      event: "configured",
      reason: "the configuration says so; open rotations keep the policy they began with",
      detail: { policy: home.policy.name, aliases: home.aliases.join() },
    },
  };
}
