/** How a step reads what was seen: what is missing is looked at, what is denied is a finding. */
import { showKey, showPolicy } from "../model/commands.ts";
import { finding } from "../model/findings.ts";
import { authorizationLagMs } from "../model/limits.ts";
import type { Decision, Look, ManagedKey, Moment, Scene, Seen, Sight } from "../model/types.ts";

export function nothingSeen(): Seen {
  return {
    key: {},
    aliases: {},
    policy: {},
    tags: {},
    grants: {},
    "last-use": {},
    successors: {},
    lineage: {},
    watch: {},
  };
}

/** What a look was at: the key id, alias or rotation id under which `Seen` keeps the answer. */
export function subjectOfLook(look: Look): string {
  switch (look.kind) {
    case "key":
      return look.key;
    case "successors":
      return look.rotationId;
    case "lineage":
      return look.alias;
    case "aliases":
    case "policy":
    case "tags":
    case "grants":
    case "last-use":
    case "watch":
      return look.keyId;
  }
}

export function sightOf(seen: Seen, look: Look): Sight<unknown> | undefined {
  return seen[look.kind][subjectOfLook(look)];
}

/**
 * Whether all of these were seen: undefined where they were (each is then "seen" or "absent"), else
 * the decision to look, or what a look that KMS denied amounts to.
 */
export function lookFirst({ record, seen, moment }: Scene, looks: Look[]): Decision | undefined {
  const missing = stillToSee(seen, looks);
  if (missing !== undefined) return missing;
  for (const look of looks) {
    const sight = sightOf(seen, look);
    if (sight?.kind === "denied") {
      return accessDenied(record, moment, subjectOfLook(look), sight.message);
    }
  }
  return undefined;
}

/** The decision to look at what of these was not yet seen; undefined where all of it was. */
export function stillToSee(seen: Seen, looks: Look[]): Decision | undefined {
  const missing = looks.filter((look) => sightOf(seen, look) === undefined);
  return missing.length > 0 ? { kind: "look", looks: missing } : undefined;
}

/** The value of a sight that `lookFirst` let through; undefined where the thing is absent. */
export function valueOf<T>(sight: Sight<T> | undefined): T | undefined {
  return sight?.kind === "seen" ? sight.value : undefined;
}

/** Authorization lags behind tags, aliases and policies: for a while, a denial may only be early. */
export function accessDenied(
  record: ManagedKey,
  moment: Moment,
  subject: string,
  message: string,
): Decision {
  const lagEndsMs = record.authorizationChangedAtMs + authorizationLagMs;
  if (moment.nowMs < lagEndsMs) {
    return { kind: "wait", untilMs: lagEndsMs, reason: "denied, and authorization may still lag" };
  }
  const next = subject.startsWith("alias/") ? showKey(subject) : showPolicy(subject);
  return {
    kind: "halt",
    finding: finding("ACCESS_DENIED", subject, message, next, moment.nowMs),
  };
}
