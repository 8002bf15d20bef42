/**
 * What the collector stores of refused calls; pure. The first twenty uses of a version keep an id of their own,
 * all further ones share one: a flood cannot evict a use, nor make the item too large for DynamoDB.
 */
import { authorizationLagMs, dayMs } from "../workflow/model/limits.ts";
import { byAlias, usesMax } from "../workflow/model/refusals.ts";
import type {
  OtherRefusals,
  RefusedOn,
  RefusedUse,
  Refusals,
  Version,
} from "../workflow/model/types.ts";
import { isReading } from "../workflow/safety/refusals.ts";
import { withTally, type Tally } from "./tally.ts";

/**
 * With the times between which callers get it (`inUseOf`). `isAtRest`: retired before the predecessor of the active
 * version, and in no open rotation.
 */
export type KnownVersion = Pick<Version, "keyId" | "activatedAtMs" | "retiredAtMs"> & {
  isAtRest?: boolean;
};

/** A repetition is stored at most this often. */
const repeatedEveryMs = dayMs / 24;
/** Further uses among the others, without room for their names, are stored at most this often. */
const grownEveryMs = 10 * 60_000;
/** How many of the others are distinguished. */
const knownMax = 300;
/** DynamoDB bills and limits an item by its size: a larger one gets no further use, and no further name. */
const bytesMax = 80_000;
/** From this size on, versions at rest lose their part: nothing about them waits for a decision. */
const bytesAtRestMax = 40_000;
/** Of the name and the times of one of the others. */
const bytesPerName = 60;

export const none: Refusals = { revision: 0, on: {} };

/**
 * The item with these calls, and whether it must be written now. What need not be written comes again with
 * the next tally, and so do calls on a key that is no version yet.
 */
export function collected(
  before: Refusals,
  tallies: Tally[],
  versions: KnownVersion[],
  nowMs: number,
  isAccepted: (tally: Tally) => boolean = () => false,
): { next: Refusals; mustWrite: boolean; unknown: Tally[] } {
  const on = ofVersions(before.on, versions);
  let bytes = bytesOf(on);
  for (const { keyId } of atRest(versions)) {
    if (bytes < bytesAtRestMax) break;
    bytes -= bytesOf(on[keyId] ?? "");
    if (on[keyId] !== undefined) on[keyId] = { uses: {}, isDropped: true };
  }
  const changes = new Set<Change>();
  const unknown: Tally[] = [];
  for (const tally of tallies) {
    const version = versions.find(({ keyId }) => keyId === tally.subject);
    if (version === undefined && tally.subject !== byAlias) {
      unknown.push(tally);
      continue;
    }
    if (version !== undefined && isLag(version, tally)) continue;
    if (version?.isAtRest === true && bytes >= bytesAtRestMax) continue;
    const there = (on[tally.subject] ??= { uses: {} });
    const since = { boundariesMs: boundaries(version, versions), nowMs };
    const known = there.uses[tally.name];
    if (known !== undefined) {
      changes.add(again(known, tally, since));
      there.uses[tally.name] = useOf(known, tally, version, nowMs);
      continue;
    }
    const hasId = Object.keys(there.uses).length < usesMax;
    const first = hasId ? useOf(undefined, tally, version, nowMs) : undefined;
    const size = first === undefined ? 0 : bytesOf(first);
    if (first !== undefined && bytes + size < bytesMax) {
      changes.add("news");
      there.uses[tally.name] = first;
      bytes += size;
    } else if (mayJoin(version, tally) && !isAccepted(tally)) {
      // The time of the last write: an earlier tally of this call has changed the copy.
      const storedAtMs = before.on[tally.subject]?.others?.storedAtMs ?? nowMs;
      const names = there.others?.known ?? {};
      const hasRoom = Object.keys(names).length < knownMax && bytes < bytesMax;
      if (hasRoom && names[tally.name] === undefined) bytes += bytesPerName;
      const change = among(there.others, tally, { ...since, hasRoom, storedAtMs });
      changes.add(change);
      there.others = withOther(there.others, tally, version, { change, hasRoom, nowMs });
    }
  }
  const due = changes.has("news") ? { dueAtMs: nowMs } : {};
  const mustWrite = changes.has("news") || changes.has("repeated");
  return { next: { ...before, ...due, on }, mustWrite, unknown };
}

/** Copies; the versions that KMS deleted are left out. */
function ofVersions(on: Refusals["on"], versions: KnownVersion[]): Record<string, RefusedOn> {
  const kept = Object.entries(on).filter(
    ([subject]) => subject === byAlias || versions.some(({ keyId }) => keyId === subject),
  );
  return Object.fromEntries(
    kept.map(([subject, { others, ...rest }]): [string, RefusedOn] => {
      const copy =
        others === undefined ? {} : { others: { ...others, known: { ...others.known } } };
      return [subject, { ...rest, uses: { ...rest.uses }, ...copy }];
    }),
  );
}

/** The longest retired first. */
function atRest(versions: KnownVersion[]): KnownVersion[] {
  return versions
    .filter(({ isAtRest }) => isAtRest === true)
    .sort((a, b) => (a.retiredAtMs ?? 0) - (b.retiredAtMs ?? 0));
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** For minutes after the move authorization lags behind it, and refuses callers that it will admit. */
function isLag({ activatedAtMs, retiredAtMs }: KnownVersion, { lastAtMs }: Tally): boolean {
  if (activatedAtMs === undefined || retiredAtMs !== undefined) return false;
  return lastAtMs >= activatedAtMs && lastAtMs < activatedAtMs + authorizationLagMs;
}

/**
 * From when on a refusal of this version means something else than before; a rollback makes it active anew. A call
 * that names the alias needs a version from its retirement on.
 */
function boundaries(version: KnownVersion | undefined, versions: KnownVersion[]): number[] {
  const retirements = versions.flatMap((one) => one.retiredAtMs ?? []);
  if (version === undefined) return retirements;
  const { activatedAtMs, retiredAtMs } = version;
  if (retiredAtMs !== undefined) {
    return [
      retiredAtMs,
      ...(activatedAtMs === undefined ? [] : [activatedAtMs + authorizationLagMs]),
    ];
  }
  const times = activatedAtMs === undefined ? retirements : [activatedAtMs, ...retirements];
  return times.map((atMs) => atMs + authorizationLagMs);
}

type Change = "news" | "repeated" | "later";
type Since = { boundariesMs: number[]; nowMs: number };

function again(
  {
    lastAtMs,
    storedAtMs,
    byKeyPolicy,
  }: Pick<RefusedUse, "lastAtMs" | "storedAtMs" | "byKeyPolicy">,
  tally: Tally,
  { boundariesMs, nowMs }: Since,
): Change {
  // The key policy alone may be no need; any other reason is one.
  if (byKeyPolicy === true && tally.byKeyPolicy !== true) return "news";
  if (boundariesMs.some((atMs) => lastAtMs < atMs && tally.lastAtMs >= atMs)) return "news";
  return nowMs >= storedAtMs + repeatedEveryMs ? "repeated" : "later";
}

/** The first call of a use is news while there is room for its name, and every few minutes after that. */
function among(
  others: OtherRefusals | undefined,
  tally: Tally,
  since: Since & { hasRoom: boolean; storedAtMs: number },
): Change {
  if (others === undefined) return "news";
  const { storedAtMs, nowMs, hasRoom } = since;
  const [, lastAtMs] = others.known[tally.name] ?? [];
  if (lastAtMs !== undefined) return again({ lastAtMs, storedAtMs }, tally, since);
  return hasRoom || nowMs >= storedAtMs + grownEveryMs ? "news" : "later";
}

function useOf(
  known: RefusedUse | undefined,
  tally: Tally,
  version: KnownVersion | undefined,
  nowMs: number,
): RefusedUse {
  const { subject: _, name: __, ...call } = tally;
  const use: Omit<RefusedUse, "storedAtMs"> = known === undefined ? call : withTally(known, tally);
  const lastBeforeMs = lastBefore(known ?? {}, tally, version);
  const { lastBeforeMs: ___, ...rest } = use;
  return { ...rest, ...(lastBeforeMs === undefined ? {} : { lastBeforeMs }), storedAtMs: nowMs };
}

/** The last of these times before the version was retired; while it is active, before it became active. */
function lastBefore(
  known: Partial<Pick<RefusedUse, "lastAtMs" | "lastBeforeMs">>,
  tally: Tally,
  version: KnownVersion | undefined,
): number | undefined {
  const { activatedAtMs = Infinity, retiredAtMs = activatedAtMs } = version ?? {};
  const times = [known.lastBeforeMs, known.lastAtMs, tally.firstAtMs, tally.lastAtMs];
  const before = times.flatMap((atMs) => (atMs !== undefined && atMs < retiredAtMs ? [atMs] : []));
  return before.length === 0 ? undefined : Math.max(...before);
}

/** Who still originates with a retired version only causes a notice: without an id of its own, nobody reads of it. */
function mayJoin(version: KnownVersion | undefined, tally: Tally): boolean {
  return version?.retiredAtMs === undefined || isReading(tally);
}

/** Changes `others.known`, which is a copy. */
function withOther(
  others: OtherRefusals | undefined,
  tally: Tally,
  version: KnownVersion | undefined,
  { change, hasRoom, nowMs }: { change: Change; hasRoom: boolean; nowMs: number },
): OtherRefusals {
  const { name, firstAtMs, lastAtMs, count } = tally;
  const known = others?.known ?? {};
  const before = known[name];
  const isNamed = before !== undefined || hasRoom;
  if (isNamed) known[name] = timesWith(before, tally, version);
  const isNew = before === undefined;
  // A need that an approval did not accept: of a new caller, or of one whose refusal means more than before.
  const isNeed = isNew || change === "news";
  return {
    firstAtMs: Math.min(others?.firstAtMs ?? firstAtMs, firstAtMs),
    lastAtMs: Math.max(others?.lastAtMs ?? lastAtMs, lastAtMs),
    count: (others?.count ?? 0) + count,
    grownAtMs: isNew ? Math.max(others?.grownAtMs ?? 0, lastAtMs) : (others?.grownAtMs ?? lastAtMs),
    joinedAtMs: isNeed ? nowMs : (others?.joinedAtMs ?? nowMs),
    known,
    ...(others?.isFull === true || !isNamed ? { isFull: true } : {}),
    storedAtMs: nowMs,
  };
}

function timesWith(
  before: OtherRefusals["known"][string] | undefined,
  tally: Tally,
  version: KnownVersion | undefined,
): OtherRefusals["known"][string] {
  const [firstAtMs, lastAtMs, earlierMs] = before ?? [tally.firstAtMs, tally.lastAtMs];
  const known = earlierMs === undefined ? { lastAtMs } : { lastAtMs, lastBeforeMs: earlierMs };
  const lastBeforeMs = lastBefore(known, tally, version);
  const times: [number, number] = [
    Math.min(firstAtMs, tally.firstAtMs),
    Math.max(lastAtMs, tally.lastAtMs),
  ];
  return lastBeforeMs === undefined ? times : [...times, lastBeforeMs];
}
