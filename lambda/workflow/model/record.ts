/** Small pure helpers to read and rewrite the record, which all steps share. */
import type { Extra, Home, ManagedKey, Matter, Context, Rotation, Version } from "./types.ts";

/** The record of a new managed key. */
export function newManagedKey(
  { owner, tableId }: { owner: string; tableId: string },
  home: Home,
  enrolledBy: ManagedKey["enrolledBy"],
  nowMs: number,
): ManagedKey {
  return {
    schema: 3,
    alias: home.alias,
    aliases: home.aliases,
    dependents: home.dependents,
    enrolledBy,
    owner,
    policy: home.policy,
    revision: 0,
    epoch: 0,
    unsettled: [],
    dueAtMs: nowMs,
    unlistedAliases: [],
    backoff: { tries: 0, jitter: 0 },
    authorizationChangedAtMs: nowMs,
    versions: [],
    rotations: [],
    extras: [],
    closed: [],
    findings: [],
    waitingFor: "",
    tableId,
    lastNumber: 0,
    holds: [],
    fulfilled: [],
    rejected: [],
  };
}

export function activeVersion(record: Pick<ManagedKey, "versions">): Version | undefined {
  return record.versions.find((version) => version.state === "active");
}

/** Out of the alias, and not deleted: the ones retired first come first. */
export function retiredVersions({ versions }: Pick<ManagedKey, "versions">): Version[] {
  return versions
    .filter(({ state }) => state !== "active" && state !== "reactivating")
    .filter(({ retiredAtMs }) => retiredAtMs !== undefined)
    .sort((a, b) => (a.retiredAtMs ?? 0) - (b.retiredAtMs ?? 0));
}

/** The version of that number; its absence is a bug: versions of open rotations stay listed. */
export function versionOf(record: ManagedKey, number: number): Version {
  const version = record.versions.find((candidate) => candidate.number === number);
  if (version === undefined) throw new Error(`${record.alias} has no version ${number}`);
  return version;
}

export function rotationOf(record: ManagedKey, rotationId: string): Rotation {
  const rotation = record.rotations.find((candidate) => candidate.id === rotationId);
  if (rotation === undefined) throw new Error(`${record.alias} has no rotation ${rotationId}`);
  return rotation;
}

/** The rotation that has not yet completed `activate`; there is at most one. */
export function rotationBeforeActivation({
  rotations,
}: Pick<ManagedKey, "rotations">): Rotation | undefined {
  return rotations.find(({ step }) => step !== "drain" && step !== "revoke");
}

/** Forward, to a version that at least one alias of the set points at, before the step activate is complete. */
export function partlyMoved({ rotations }: Pick<ManagedKey, "rotations">): Rotation | undefined {
  const moving = rotationBeforeActivation({ rotations });
  if (moving?.step !== "activate" || moving.direction !== "forward") return undefined;
  return firstMoveAtMs(moving) === Infinity ? undefined : moving;
}

/**
 * From when to when callers got this version: from the first alias of a set that moved, which may take days to move
 * whole; after a rollback, from its return. A rollback of a version that no alias had reached returned nothing.
 */
export function inUseOf(
  { rotations, versions }: Pick<ManagedKey, "rotations" | "versions">,
  version: Version,
): { fromMs: number; untilMs: number } {
  const { number, activatedAtMs = Infinity, firstAliasAtMs = Infinity } = version;
  const { retiredAtMs = Infinity, firstAliasLeftAtMs = Infinity } = version;
  const to = rotations.filter((rotation) => rotation.to === number);
  const away = rotations.filter(({ from }) => from === number).map(firstMoveAtMs);
  const back = to.find(({ direction }) => direction === "back");
  const left = versions.find((version) => version.number === back?.from);
  const wasLeft = left?.activatedAtMs !== undefined;
  const movedBackAtMs = back === undefined ? Infinity : firstMoveAtMs(back);
  const returnedAtMs = Math.min(
    movedBackAtMs,
    (wasLeft ? left.retiredAtMs : undefined) ?? Infinity,
  );
  return {
    fromMs: Number.isFinite(returnedAtMs)
      ? returnedAtMs
      : Math.min(activatedAtMs, firstAliasAtMs, ...to.map(firstMoveAtMs)),
    untilMs: Math.min(retiredAtMs, firstAliasLeftAtMs, ...away),
  };
}

/** Infinity where no alias has moved yet. */
export function firstMoveAtMs({ movedAtMs }: Rotation): number {
  return Math.min(Infinity, ...Object.values(movedAtMs));
}

export function withVersion(record: ManagedKey, changed: Version): ManagedKey {
  const others = record.versions.filter(({ number }) => number !== changed.number);
  const versions = [...others, changed].sort((a, b) => a.number - b.number);
  return { ...record, versions };
}

export function withRotation(record: ManagedKey, changed: Rotation): ManagedKey {
  const rotations = record.rotations.map((old) => (old.id === changed.id ? changed : old));
  return { ...record, rotations };
}

export function withExtra(record: ManagedKey, changed: Extra): ManagedKey {
  const others = record.extras.filter(({ keyId }) => keyId !== changed.keyId);
  return { ...record, extras: [...others, changed] };
}

/** Closes a rotation: it moves from the record to an item of its own. */
export function withRotationClosed(record: ManagedKey, rotation: Rotation): ManagedKey {
  return {
    ...record,
    rotations: record.rotations.filter(({ id }) => id !== rotation.id),
    closed: [...record.closed, rotation],
  };
}

/** A rotation that retires a version which has none of its own. */
export function wayOut(
  record: ManagedKey,
  version: Version,
  to: number,
  { nowMs, newRotationId }: Pick<Context, "nowMs" | "newRotationId">,
): Rotation {
  return {
    id: `${newRotationId}-${version.number}`,
    from: version.number,
    to,
    direction: "forward",
    step: "drain",
    openedAtMs: nowMs,
    stepSinceMs: nowMs,
    drainSinceMs: nowMs,
    policy: record.policy,
    intent: {
      aliases: record.aliases,
      shape: version.shape,
      policyHash: "",
      tags: {},
      description: "",
      writtenAtMs: nowMs,
      attempts: 0,
      misses: 0,
    },
    grantsCopied: [],
    movedAtMs: {},
    dependents: [],
    acknowledgedAtMs: {},
    episode: 1,
  };
}

/** Past activation: the old version is out of the alias, and goes out of use. */
export function isRetiring({ step }: Pick<Rotation, "step">): boolean {
  return step === "drain" || step === "revoke";
}

/** The rotation that retires a version. */
export function rotationOut(record: ManagedKey, number: number): Rotation | undefined {
  return record.rotations.find((one) => one.from === number && isRetiring(one));
}

/** Identifies a matter within one pass. */
export function matterName(matter: Matter): string {
  switch (matter.kind) {
    case "enrolment":
    case "active":
    case "un-enrolment":
      return matter.kind;
    case "rotation":
      return matter.rotationId;
    case "extra":
      return matter.keyId;
  }
}

/**
 * The keys that an alias may be on: the active version's, and both keys of a rotation that moves
 * the aliases, or moves them back. Before `activate` no alias may point at the new version.
 */
export function rightfulKeyIds(record: Pick<ManagedKey, "versions" | "rotations">): string[] {
  const busy = rotationBeforeActivation(record);
  const isMoving = busy !== undefined && (busy.step === "activate" || busy.direction === "back");
  const numbers = [activeVersion(record)?.number, ...(isMoving ? [busy.from, busy.to] : [])];
  return record.versions.filter(({ number }) => numbers.includes(number)).map(({ keyId }) => keyId);
}

/** A copy without the named optional fields. */
export function without<T extends object, K extends keyof T>(value: T, ...names: K[]): Omit<T, K> {
  const copy = { ...value };
  for (const name of names) delete copy[name];
  return copy;
}

/** The keys that are neither a version nor an excess key on record. */
export function unknownOf(
  record: Pick<ManagedKey, "versions" | "extras">,
  keyIds: string[],
): string[] {
  const known = [...record.versions, ...record.extras].map(({ keyId }) => keyId);
  return keyIds.filter((keyId) => !known.includes(keyId));
}
