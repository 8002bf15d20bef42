/** What refused uses report: by version for callers of an old one, and for callers that a move locked out. */
import { cancelDeletion, explain } from "../model/commands.ts";
import { finding, type Finding, type FindingCode } from "../model/findings.ts";
import { dayMs } from "../model/limits.ts";
import { isoOf } from "../model/iso.ts";
import { inUseOf, partlyMoved, retiredVersions } from "../model/record.ts";
import { byAlias } from "../model/refusals.ts";
import { requestCommand } from "../model/request-command.ts";
import type { OtherRefusals, RefusedUse, Scene, Version } from "../model/types.ts";
import { versionBefore } from "./excused.ts";
import {
  allOn,
  describeUse,
  isReading,
  othersOn,
  refusedOn,
  since,
  sinceActivation,
  type Refused,
} from "./refusals.ts";

/** A monthly job that is refused stays reported from one month to the next. */
const reportedForMs = 32 * dayMs;
/** An alarm ends a few days after the last refusal. */
const lockedOutForMs = 3 * dayMs;
/** A caller that a move locks out is refused within a month of it; a new scanner may come at any time. */
const byMoveForMs = 35 * dayMs;
/** A caller that was refused in this time before the move was not locked out by it. */
const beforeMs = 30 * dayMs;
/** A record has to hold the text. */
const listedMax = 5;

/** Ids that an operator accepted are left out. */
export function refusalFindings(scene: Scene): Finding[] {
  const { record, context } = scene;
  if (context.refusalsWatch !== "cloudtrail") return [];
  const retired = retiredVersions(record);
  const firstRetiredAtMs = retired[0]?.retiredAtMs ?? Infinity;
  return [
    ...retired.flatMap((version) => onRetired(scene, version)),
    ...movesOf(scene).flatMap((move) => lockedOut(scene, move)),
    ...byName(scene, firstRetiredAtMs),
  ];
}

function onRetired(scene: Scene, { keyId, number, retiredAtMs = 0 }: Version): Finding[] {
  const uses = notAccepted(scene, refusedOn(scene, keyId, number)).filter(
    ({ use }) => use.lastAtMs >= Math.max(retiredAtMs, scene.context.nowMs - reportedForMs),
  );
  const reading = uses.filter(({ use }) => isReading(use));
  const originating = uses.filter(({ use }) => !isReading(use));
  const what = `refused uses of version ${number}, ${keyId}:`;
  return [
    ...reported(scene, "REFUSED_USE", keyId, what, reading),
    ...reported(scene, "ORIGINATION_REFUSED", keyId, what, originating),
  ];
}

function byName(scene: Scene, firstRetiredAtMs: number): Finding[] {
  const { record, context } = scene;
  const uses = notAccepted(scene, refusedOn(scene, byAlias, byAlias)).filter(
    ({ use }) => use.lastAtMs >= Math.max(firstRetiredAtMs, context.nowMs - reportedForMs),
  );
  const what = `calls that name ${record.alias} for data of another version:`;
  return reported(scene, "READ_BY_ALIAS", record.alias, what, uses);
}

function reported(
  scene: Scene,
  code: FindingCode,
  subject: string,
  what: string,
  uses: Refused[],
): Finding[] {
  if (uses.length === 0) return [];
  const observed = `${what} ${listed(uses)}${deletions(scene)}`;
  return [finding(code, subject, observed, nextFor(scene, explain(code)), sinceMs(uses))];
}

function listed(uses: Refused[]): string {
  const shown = uses.slice(0, listedMax).map(({ id, use }) => `${id}: ${describeUse(use)}`);
  const more = uses.length - shown.length;
  return [...shown, ...(more > 0 ? [`${more} more`] : [])].join("; ");
}

function sinceMs(uses: Refused[]): number {
  return Math.min(...uses.map(({ use }) => use.firstAtMs));
}

/** An approval of a rotation that is still open accepted them. */
function notAccepted({ record }: Scene, uses: Refused[]): Refused[] {
  const accepted = record.rotations.flatMap(({ approval }) => approval?.accepts ?? []);
  return uses.filter(({ id }) => !accepted.includes(id));
}

/** Of the aliases from one version to another. */
type Move = { before: Version; after: Version; sinceMs: number; untilMs: number; isBack: boolean };

/**
 * The last move, also one that has moved some aliases only; and the one before, for as long as its alarm may last: the
 * next move does not let its callers in.
 */
function movesOf({ record, context }: Scene): Move[] {
  const partly = partlyMoved(record);
  return record.versions.flatMap((after): Move[] => {
    const { fromMs: sinceMs, untilMs } = inUseOf(record, after);
    const isLast = after.state === "active" || after.number === partly?.to;
    const isLeft = untilMs < Infinity && context.nowMs < untilMs + lockedOutForMs;
    const before =
      sinceMs < Infinity && (isLast || isLeft) ? versionBefore(record, after) : undefined;
    if (before === undefined) return [];
    const isBack = record.rotations.some(
      ({ direction, from, to }) =>
        direction === "back" && from === before.number && to === after.number,
    );
    const move = { before, after, sinceMs, untilMs, isBack };
    return isBack ? [...firstMoveTo(record, move), move] : [move];
  });
}

/** To a version that a rollback returned to: whom that move locked out is locked out again. */
function firstMoveTo(record: Scene["record"], { before: left, after, sinceMs }: Move): Move[] {
  const before = versionBefore(record, { ...after, retiredAtMs: sinceMs });
  const { activatedAtMs } = after;
  if (before === undefined || activatedAtMs === undefined) return [];
  const untilMs = inUseOf(record, left).fromMs;
  return [{ before, after, sinceMs: activatedAtMs, untilMs, isBack: false }];
}

/** Those that were not refused before the move, and the others where such a caller may be among them. */
function lockedOut(scene: Scene, move: Move): Finding[] {
  const { before, after, sinceMs: movedMs, untilMs } = move;
  const { nowMs } = scene.context;
  const isRecent = (atMs: number): boolean => nowMs < atMs + lockedOutForMs;
  const isOfMove = (lastAtMs: number): boolean =>
    since(movedMs)({ lastAtMs }) && isRecent(lastAtMs);
  const all = notAccepted(scene, sinceActivation(scene, after, movedMs));
  const others = othersOn(scene, after.keyId);
  if (all.length === 0 && others === undefined) return [];
  const known = refusedBefore(scene, move);
  const movedUntilMs = movedMs + byMoveForMs;
  const uses = all.filter(
    ({ name, use }) =>
      isRecent(use.lastAtMs) && use.firstAtMs < Math.min(movedUntilMs, untilMs) && !known(name),
  );
  const isAmongOthers =
    others !== undefined && nowMs < movedUntilMs && hasNew(others, isOfMove, untilMs, known);
  if (uses.length === 0 && !isAmongOthers) return [];
  const { number, keyId } = after;
  const more = isAmongOthers ? ["further uses beyond the first twenty"] : [];
  const texts = [...(uses.length === 0 ? [] : [listed(uses)]), ...more].join("; ");
  const refusedToo = all.filter(({ name }) => known(name)).length;
  const hint = refusedToo > 0 ? `; ${refusedToo} more were refused before the move, too` : "";
  const observed = `refused uses of version ${number}, ${keyId}, since its activation: ${texts}${hint}${deletions(scene)}`;
  const next = nextFor(scene, rollbackCommand(scene, after, before));
  const firstMs = Math.min(sinceMs(uses), isAmongOthers ? others.firstAtMs : Infinity);
  return [finding("REFUSED_SINCE_ACTIVATION", keyId, observed, next, firstMs)];
}

type Times = Pick<RefusedUse, "firstAtMs" | "lastAtMs" | "lastBeforeMs">;
type WasRefused = (name: string) => boolean;

/**
 * By name: equal principal, operation and error. A rollback locks nobody out whom its version refused before it, unless
 * the first move to that version did.
 */
function refusedBefore(scene: Scene, { before, after, sinceMs, isBack }: Move): WasRefused {
  const names = refusedUntil(scene, before, sinceMs);
  if (!isBack) return (name) => names.has(name);
  const returning = { ...after, retiredAtMs: sinceMs };
  const own = refusedUntil(scene, returning, sinceMs, after.activatedAtMs);
  return (name) => names.has(name) || own.has(name);
}

/**
 * The names that a version refused in the 30 days before its end, but for those that the move to it locked out: the next
 * move leaves them locked out. If it was active for less, the names of the version before it count, too.
 */
function refusedUntil(
  scene: Scene,
  version: Version,
  untilMs: number,
  activeMs = inUseOf(scene.record, version).fromMs,
): Set<string> {
  const { record } = scene;
  const fromMs = untilMs - beforeMs;
  const before = versionBefore(record, version);
  const isKnown = before !== undefined && allOn(scene, before.keyId)?.isDropped !== true;
  const earlier = isKnown ? refusedUntil(scene, before, activeMs) : undefined;
  const isByMove = (name: string, { firstAtMs }: Times): boolean =>
    earlier?.has(name) === false &&
    firstAtMs < activeMs + byMoveForMs &&
    firstAtMs > untilMs - byMoveForMs;
  const own = timesOn(scene, version.keyId)
    .filter(([, times]) => lastUntil(times, untilMs) >= fromMs)
    .filter(([name, times]) => !isByMove(name, times));
  const still = activeMs >= fromMs ? [...(earlier ?? [])] : [];
  return new Set([...own.map(([name]) => name), ...still]);
}

/** -Infinity where no refusal before this time is known. */
function lastUntil({ lastAtMs, lastBeforeMs = Infinity }: Times, untilMs: number): number {
  const known = [lastAtMs, lastBeforeMs].filter((atMs) => atMs < untilMs);
  return Math.max(-Infinity, ...known);
}

/** With what the configuration accepts: a caller that is accepted was refused, too. */
function timesOn(scene: Scene, keyId: string): [name: string, times: Times][] {
  const { uses = {}, others } = allOn(scene, keyId) ?? {};
  const further = Object.entries(others?.known ?? {});
  return [
    ...Object.entries(uses),
    ...further.map(([name, times]): [string, Times] => [name, timesOf(times)]),
  ];
}

function timesOf([firstAtMs, lastAtMs, lastBeforeMs]: OtherRefusals["known"][string]): Times {
  return { firstAtMs, lastAtMs, ...(lastBeforeMs === undefined ? {} : { lastBeforeMs }) };
}

function hasNew(
  { known, isFull, grownAtMs }: OtherRefusals,
  isOfMove: (atMs: number) => boolean,
  untilMs: number,
  wasRefused: WasRefused,
): boolean {
  if (isFull === true && grownAtMs < untilMs && isOfMove(grownAtMs)) return true;
  return Object.entries(known)
    .filter(([, [firstAtMs, lastAtMs]]) => firstAtMs < untilMs && isOfMove(lastAtMs))
    .some(([name]) => !wasRefused(name));
}

/** A deletion that is scheduled goes on where keyturn calls nothing. */
function deletions({ record, context }: Scene): string {
  const dates = pending(record).map(
    ({ number, keyId, deletionAtMs = context.nowMs }) =>
      `; KMS deletes version ${number}, ${keyId}, at ${isoOf(deletionAtMs)} or later`,
  );
  return dates.join("");
}

/** In mode `plan` an operator must cancel it. */
function nextFor({ record, context }: Scene, otherwise: string): string {
  const [first] = pending(record);
  return context.mode === "plan" && first !== undefined ? cancelDeletion(first.keyId) : otherwise;
}

function pending({ versions }: Scene["record"]): Version[] {
  return versions.filter(({ state }) => state === "pending-deletion");
}

/** A compromised version must not become active again: only an open rotation shows that it is none. */
function rollbackCommand({ record }: Scene, active: Version, before: Version): string {
  const rotation = record.rotations.find(
    ({ from, to }) => from === before.number && to === active.number,
  );
  const isPossible =
    rotation?.direction === "forward" &&
    rotation.urgent !== true &&
    active.retiredAtMs === undefined;
  return isPossible
    ? requestCommand(record.alias, "rollback", { version: active.number })
    : explain("REFUSED_SINCE_ACTIVATION");
}
