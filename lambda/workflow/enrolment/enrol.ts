/** Enrolment: the key behind the alias becomes version 1, and keyturn tags it, once. */
import { grantsToCopy, whyGrantsNotCarried } from "./carried-grants.ts";
import { readsOfAutoRotation, withAutoRotation } from "./auto-rotation.ts";
import { whyNotCarried } from "./carry-over.ts";
import { whyNotAliasOnly } from "./alias-only.ts";
import { copyOf } from "./policy-copy.ts";
import { finding } from "../model/findings.ts";
import { consistencyMs, policyBytesMax } from "../model/limits.ts";
import { behind, lineageFirst } from "../safety/lineage.ts";
import { accountsOfPolicy, withGrantees } from "../safety/other-accounts.ts";
import { serviceOf } from "../model/principals.ts";
import { whyUnsupported } from "./supported.ts";
import { observeFirst, stillToObserve, valueOf } from "../safety/observations.ts";
import { tagNames } from "../model/tag-names.ts";
import type {
  Decision,
  Key,
  KeyPolicy,
  KmsRead,
  ManagedKey,
  Scene,
  Tags,
  Transition,
  Version,
} from "../model/types.ts";
import { shapeOf } from "../model/shape.ts";
import { aliasTarget, keyFirst, moveTo } from "../safety/alias-target.ts";
import { bringToEnabled, showGrants, showKey, showPolicy, showTags } from "../model/commands.ts";

export function decideEnrolment(scene: Scene): Decision {
  const { record, observed, context } = scene;
  const target = aliasTarget(scene);
  if (target.kind !== "target") return target.decision;
  const { key } = target;

  const unfit = whyUnfit(scene, key);
  if (unfit !== undefined) return unfit;

  const reads: KmsRead[] = [
    { kind: "tags", keyId: key.keyId },
    { kind: "policy", keyId: key.keyId },
    { kind: "aliases", keyId: key.keyId },
    { kind: "grants", keyId: key.keyId },
  ];
  const known = record.versions[0];
  const toReport = known === undefined ? readsOfAutoRotation(key) : [];
  const first = stillToObserve(observed, [...reads, ...toReport]) ?? observeFirst(scene, reads);
  if (first !== undefined) return first;
  const tags = valueOf(observed.tags[key.keyId]) ?? {};
  const policy = valueOf(observed.policy[key.keyId]);
  if (policy === undefined) return { kind: "retry", reason: "the key's policy could not be read" };

  const foreign = whyForeign(scene, key, tags);
  if (foreign !== undefined) return foreign;
  const grants = grantsToCopy(valueOf(observed.grants[key.keyId]) ?? []);
  const problem =
    whyNotCarried(key, policy, tags, context.nowMs) ??
    whyGrantsNotCarried(key.keyId, grants, context.nowMs);
  if (problem !== undefined) return { kind: "halt", finding: problem };
  const unsuited = whyAliasOnlyUnfit(scene, key.keyId);
  if (unsuited !== undefined) return unsuited;

  if (known === undefined) {
    const newer = lineageFirst(scene);
    if (newer !== undefined) return newer;
    return firstVersionFound(scene, key, policy);
  }
  if (known.keyId !== key.keyId) {
    const before = keyFirst(scene, known.keyId);
    if (before !== undefined) return before;
    const observations = `${record.alias} points at ${key.keyId}; it pointed at ${known.keyId} when enrolment began`;
    const next = moveTo(scene, known, record.aliases);
    const moved = finding("ALIAS_MOVED", record.alias, observations, next, context.nowMs);
    return { kind: "halt", finding: moved };
  }
  const wanted = enrolmentTags(record);
  if (Object.entries(wanted).every(([name, value]) => tags[name] === value)) {
    return { kind: "change", ...enrolled(record, context.nowMs) };
  }
  if (record.taggedAtMs !== undefined && context.nowMs < record.taggedAtMs + consistencyMs) {
    return { kind: "retry", reason: "reads do not show the new tags yet" };
  }
  return {
    kind: "call",
    call: { kind: "TagResource", keyId: key.keyId, tags: wanted },
    matter: { kind: "enrolment" },
    reason: "keyturn can rebuild the record from these tags",
  };
}

/** The record once KMS accepted keyturn's tags; a later observation must confirm them. */
export function tagged(record: ManagedKey, nowMs: number): Transition {
  return {
    next: { ...record, taggedAtMs: nowMs, authorizationChangedAtMs: nowMs },
    entry: {
      event: "tagged",
      reason: "KMS accepted keyturn's tags",
      detail: { keyId: record.versions[0]?.keyId ?? "" },
    },
  };
}

function enrolled(record: ManagedKey, nowMs: number): Transition {
  return {
    next: { ...record, enrolledAtMs: nowMs, authorizationChangedAtMs: nowMs },
    entry: {
      event: "enrolled",
      reason: "version 1 has keyturn's tags",
      detail: { keyId: record.versions[0]?.keyId ?? "" },
    },
  };
}

function enrolmentTags(record: ManagedKey): Tags {
  return {
    [tagNames.owner]: record.owner,
    [tagNames.alias]: record.alias,
    [tagNames.version]: "1",
  };
}

function whyUnfit(scene: Scene, key: Key): Decision | undefined {
  const { record, context } = scene;
  const why = whyUnsupported(key);
  if (why !== undefined) {
    const next = showKey(key.keyId);
    const observed = `${key.keyId}: ${why}`;
    return {
      kind: "halt",
      finding: finding("KEY_KIND_UNSUPPORTED", record.alias, observed, next, context.nowMs),
    };
  }
  return whyNotEnabled(scene, key);
}

/** The halt for an active key, or one to be enrolled, that is not Enabled. */
export function whyNotEnabled({ record, context }: Scene, key: Key): Decision | undefined {
  if (key.state === "Enabled") return undefined;
  const next = bringToEnabled(key);
  const observed = `${record.alias} points at ${key.keyId}, which is ${key.state}`;
  return {
    kind: "halt",
    finding: finding("KEY_NOT_ENABLED", record.alias, observed, next, context.nowMs),
  };
}

/** AWS services call by ARN, and the statement would deny them: a key that they use is unfit. */
export function whyAliasOnlyUnfit(scene: Scene, keyId: string): Decision | undefined {
  const { record, observed, context } = scene;
  if (record.policy.originate !== "alias-only") return undefined;
  const first = observeFirst(scene, [
    { kind: "grants", keyId },
    { kind: "policy", keyId },
  ]);
  if (first !== undefined) return first;
  const document = valueOf(observed.policy[keyId])?.document ?? "{}";
  const bytes = Buffer.byteLength(copyOf(document, record.aliases));
  const tooLong = bytes > policyBytesMax ? `its key policy would have ${bytes} bytes` : undefined;
  const why = whyNotAliasOnly(document, valueOf(observed.grants[keyId]) ?? []) ?? tooLong;
  if (why === undefined) return undefined;
  const next = why.startsWith("a grant") ? showGrants(keyId) : showPolicy(keyId);
  const observations = `${keyId}: ${why}`;
  const what = finding("ALIAS_ONLY_UNFIT", record.alias, observations, next, context.nowMs);
  return { kind: "halt", finding: what };
}

function whyForeign({ record, context }: Scene, key: Key, tags: Tags): Decision | undefined {
  const owner = tags[tagNames.owner];
  const alias = tags[tagNames.alias];
  const version = tags[tagNames.version];
  const show = showTags(key.keyId);
  if (owner !== undefined && owner !== record.owner) {
    const observed = `${key.keyId} belongs to owner ${owner}; this deployment is ${record.owner}`;
    const other = finding("OTHER_OWNER", record.alias, observed, show, context.nowMs);
    return { kind: "halt", finding: other };
  }
  if (alias !== undefined && alias !== record.alias) {
    const observed = `${key.keyId} is tagged as a version of ${alias}`;
    const taken = finding("KEY_ALREADY_MANAGED", record.alias, observed, show, context.nowMs);
    return { kind: "halt", finding: taken };
  }
  if (version !== undefined && version !== "1") {
    const observed = `${key.keyId} is tagged as version ${version}; the record has no version`;
    return { kind: "halt", finding: behind(record, observed, context.nowMs) };
  }
  return undefined;
}

/** The journal line says who may use the key without the alias: the rotation concerns them. */
function firstVersionFound({ record, observed }: Scene, key: Key, policy: KeyPolicy): Decision {
  const aliases = valueOf(observed.aliases[key.keyId]) ?? [];
  const grants = valueOf(observed.grants[key.keyId]) ?? [];
  const accounts = withGrantees(accountsOfPolicy(policy.document, key.arn), grants, key.arn);
  const services = grants.flatMap((grant) => serviceOf(grant) ?? []);
  const version: Version = {
    number: 1,
    keyId: key.keyId,
    arn: key.arn,
    shape: shapeOf(key),
    state: "active",
    createdAtMs: key.createdAtMs,
    activatedAtMs: key.createdAtMs,
    policyHash: policy.hash,
  };
  const unlistedAliases = aliases.filter((alias) => !record.aliases.includes(alias));
  return {
    kind: "change",
    next: {
      ...record,
      versions: [withAutoRotation(version, observed)],
      unlistedAliases,
      lastNumber: Math.max(record.lastNumber, 1),
    },
    entry: {
      event: "found",
      reason: "the alias points at this key",
      detail: {
        ...{ version: 1, keyId: key.keyId, spec: key.spec, usage: key.usage },
        ...{ otherAccounts: accounts.join(), grants: grants.length },
        grantsToServices: [...new Set(services)].sort().join(),
      },
    },
  };
}
