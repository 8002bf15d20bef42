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
import { withTally, type Tally } from "./tally.ts";

type KnownVersion = Pick<Version, "keyId" | "activatedAtMs" | "retiredAtMs">;

/** A repetition is stored at most this often. */
const repeatedEveryMs = dayMs / 24;
/** A further use among the others is stored at most this often. */
const grownEveryMs = 10 * 60_000;
/** How many of the others are distinguished. */
const knownMax = 300;
/** DynamoDB bills and limits an item by its size; new uses of a larger one join the others. */
const charactersMax = 90_000;
const charactersPerUse = 700;

export const none: Refusals = { revision: 0, on: {} };

/**
 * The item with these calls, and whether it must be written now. What need not be written comes again with
 * the next tally.
 */
export function collected(
  before: Refusals,
  tallies: Tally[],
  versions: KnownVersion[],
  nowMs: number,
): { next: Refusals; mustWrite: boolean } {
  const on = ofVersions(before.on, versions);
  let characters = JSON.stringify(on).length;
  let isNews = false;
  let isRepeated = false;
  for (const tally of tallies) {
    const version = versions.find(({ keyId }) => keyId === tally.subject);
    if (version === undefined && tally.subject !== byAlias) continue;
    if (version !== undefined && isLag(version, tally)) continue;
    const there = (on[tally.subject] ??= { uses: {} });
    const known = there.uses[tally.name];
    const hasRoom = Object.keys(there.uses).length < usesMax && characters < charactersMax;
    const change =
      known !== undefined
        ? again(known, tally, boundaries(version), nowMs)
        : hasRoom
          ? "news"
          : among(there.others, tally, boundaries(version), nowMs);
    isNews ||= change === "news";
    isRepeated ||= change === "repeated";
    if (known !== undefined)
      there.uses[tally.name] = useOf(withTally(known, tally), tally, version, nowMs);
    else if (hasRoom) {
      const { subject: _, name: __, ...first } = tally;
      there.uses[tally.name] = useOf(first, tally, version, nowMs);
      characters += charactersPerUse;
    } else there.others = withOther(there.others, tally, nowMs);
  }
  const due = isNews ? { dueAtMs: nowMs } : {};
  return { next: { ...before, ...due, on }, mustWrite: isNews || isRepeated };
}

/** Copies; the versions that KMS deleted are left out. */
function ofVersions(on: Refusals["on"], versions: KnownVersion[]): Record<string, RefusedOn> {
  const kept = Object.entries(on).filter(
    ([subject]) => subject === byAlias || versions.some(({ keyId }) => keyId === subject),
  );
  return Object.fromEntries(
    kept.map(([subject, { uses, ...rest }]) => {
      return [subject, { ...rest, uses: { ...uses } }];
    }),
  );
}

/** For minutes after the move authorization lags behind it, and refuses callers that it will admit. */
function isLag({ activatedAtMs, retiredAtMs }: KnownVersion, { lastAtMs }: Tally): boolean {
  if (activatedAtMs === undefined || retiredAtMs !== undefined) return false;
  return lastAtMs >= activatedAtMs && lastAtMs < activatedAtMs + authorizationLagMs;
}

/** From when on a refusal of this version means something else than before. */
function boundaries(version: KnownVersion | undefined): number[] {
  const { activatedAtMs, retiredAtMs } = version ?? {};
  return [
    ...(activatedAtMs === undefined ? [] : [activatedAtMs + authorizationLagMs]),
    ...(retiredAtMs === undefined ? [] : [retiredAtMs]),
  ];
}

type Change = "news" | "repeated" | "later";

function again(
  { lastAtMs, storedAtMs }: Pick<RefusedUse, "lastAtMs" | "storedAtMs">,
  tally: Tally,
  boundariesMs: number[],
  nowMs: number,
): Change {
  if (boundariesMs.some((atMs) => lastAtMs < atMs && tally.lastAtMs >= atMs)) return "news";
  return nowMs >= storedAtMs + repeatedEveryMs ? "repeated" : "later";
}

function among(
  others: OtherRefusals | undefined,
  tally: Tally,
  boundariesMs: number[],
  nowMs: number,
): Change {
  if (others === undefined) return "news";
  const lastAtMs = others.known[tally.name];
  if (lastAtMs === undefined) return nowMs >= others.storedAtMs + grownEveryMs ? "news" : "later";
  const known = { lastAtMs, storedAtMs: others.storedAtMs };
  const change = again(known, tally, boundariesMs, nowMs);
  const isSoon = nowMs < others.storedAtMs + grownEveryMs;
  return change === "news" && isSoon ? "later" : change;
}

function useOf(
  use: Omit<RefusedUse, "storedAtMs">,
  { firstAtMs, lastAtMs }: Tally,
  version: KnownVersion | undefined,
  nowMs: number,
): RefusedUse {
  const { retiredAtMs = Infinity } = version ?? {};
  const before = [lastAtMs, firstAtMs].find((atMs) => atMs < retiredAtMs);
  const lastBeforeMs = Math.max(use.lastBeforeMs ?? -Infinity, before ?? -Infinity);
  return {
    ...use,
    ...(lastBeforeMs === -Infinity ? {} : { lastBeforeMs }),
    storedAtMs: nowMs,
  };
}

function withOther(
  others: OtherRefusals | undefined,
  { name, firstAtMs, lastAtMs, count }: Tally,
  nowMs: number,
): OtherRefusals {
  const known = { ...others?.known };
  const isNew = known[name] === undefined;
  const hasRoom = Object.keys(known).length < knownMax;
  if (!isNew || hasRoom) known[name] = Math.max(known[name] ?? 0, lastAtMs);
  return {
    firstAtMs: Math.min(others?.firstAtMs ?? firstAtMs, firstAtMs),
    lastAtMs: Math.max(others?.lastAtMs ?? lastAtMs, lastAtMs),
    count: (others?.count ?? 0) + count,
    grownAtMs: isNew ? Math.max(others?.grownAtMs ?? 0, lastAtMs) : (others?.grownAtMs ?? lastAtMs),
    known,
    ...(others?.isFull === true || (isNew && !hasRoom) ? { isFull: true } : {}),
    storedAtMs: nowMs,
  };
}
