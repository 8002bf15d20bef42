/**
 * What refused uses mean for the versions of a managed key. A caller that a move locks out leaves no last use: only
 * the refusal shows that it needs the version (ADR 22). A refusal reports or blocks; it never enables a key, and
 * never shortens a wait: anybody without rights can cause one.
 */
import { isoOf } from "../model/iso.ts";
import { authorizationLagMs, dayMs } from "../model/limits.ts";
import { processing } from "../model/operations.ts";
import { activeVersion, inUseOf, retiredVersions, versionOf } from "../model/record.ts";
import { byAlias } from "../model/refusals.ts";
import type {
  AcceptedRefusal,
  KmsRead,
  Need,
  OtherRefusals,
  RefusedOn,
  RefusedUse,
  Rotation,
  Scene,
  Version,
} from "../model/types.ts";
import { excused, readsOfExcuse } from "./excused.ts";
import { valueOf } from "./observations.ts";

/** The operations on a retired version that read what exists, or let a service read it. */
const reading: ReadonlySet<string> = new Set([
  ...processing,
  ...["CreateGrant", "GetPublicKey", "ReEncryptFrom"],
]);

/** While further uses join the others, no approval can know what it accepts. */
const settledForMs = dayMs;

type Observed = Pick<Scene, "record" | "observed" | "context">;
export type Refused = { id: string; name: string; use: RefusedUse };

/** The reads that the refusals of this managed key need; none where the deployment does not collect them. */
export function readsOfRefusals(scene: Scene): KmsRead[] {
  const { record, observed, context } = scene;
  if (context.refusalsWatch !== "cloudtrail") return [];
  const { alias } = record;
  if (observed.refusals[alias] === undefined) {
    return [{ kind: "refusals", alias }, ...readsOfWatch(record)];
  }
  const [read] = counting(record)
    .map((version) => readsOfExcuse(scene, version, candidatesOn(scene, version)))
    .filter((reads) => reads.length > 0);
  return read ?? [];
}

/** Needed while any version is retired: without a canary, the absence of refusals proves nothing. */
export function readsOfWatch(record: Scene["record"]): KmsRead[] {
  const { alias } = record;
  const [retired] = retiredVersions(record);
  if (retired === undefined) return [];
  const { keyId } = activeVersion(record) ?? retired;
  return [{ kind: "refusals-watch", alias, keyId }];
}

/** Why a version must not be deleted; what the configuration accepts is left out. */
export function needsOfRefusals(scene: Observed, old: Version, rotation: Rotation): Need[] {
  const { record, context } = scene;
  const { number } = old;
  const { untilMs: leftAtMs } = inUseOf(record, old);
  const isAfter = ({ lastAtMs }: { lastAtMs: number }): boolean => lastAtMs >= leftAtMs;
  const mine = refusedOn(scene, old.keyId, number).filter(({ use }) => isReading(use));
  // A caller that names this version is refused on every later one, and may call none but the last.
  const later = record.versions
    .map((version) => ({ version, fromMs: inUseOf(record, version).fromMs }))
    .filter(({ version, fromMs }) => version.number === rotation.to || isLater(fromMs, leftAtMs))
    .map(({ version, fromMs }) => ({
      version,
      // A version that a rollback brought back refused such callers before it, too.
      sinceMs: leftAtMs === Infinity ? fromMs : Math.max(firstInUseMs(record, version), leftAtMs),
    }));
  const named = refusedOn(scene, byAlias, byAlias);
  const uses = [
    ...mine.filter(({ use }) => isAfter(use)),
    ...later.flatMap(({ version, sinceMs }) => sinceActivation(scene, version, sinceMs)),
    ...named.filter(({ use }) => isAfter(use)),
  ];
  const othersOf = (subject: string, prefix: number | string, counts: typeof isAfter) =>
    needOfOthers(othersOn(scene, subject), prefix, counts, context.nowMs) ?? [];
  const others = [
    othersOf(old.keyId, number, isAfter),
    ...later.map(({ version, sinceMs }) => othersOf(version.keyId, version.number, since(sinceMs))),
    othersOf(byAlias, byAlias, isAfter),
  ];
  return [...uses.map(({ id, use }) => ({ id, state: describeUse(use) })), ...others.flat()];
}

/** A rollback brings a version back: from its first activation on. */
function firstInUseMs(record: Scene["record"], version: Version): number {
  return Math.min(inUseOf(record, version).fromMs, version.activatedAtMs ?? Infinity);
}

function isLater(sinceMs: number, leftAtMs: number): boolean {
  return sinceMs >= leftAtMs && sinceMs < Infinity;
}

/** The refusals of a version since it is active, but those that the move cannot have caused. */
export function sinceActivation(
  scene: Observed,
  version: Version,
  activeSinceMs: number,
): Refused[] {
  const { untilMs } = inUseOf(scene.record, version);
  return refusedOn(scene, version.keyId, version.number)
    .filter(({ use }) => use.error === "AccessDenied" && since(activeSinceMs)(use))
    .filter(({ use }) => use.firstAtMs < untilMs)
    .filter(({ use }) => !excused(scene, version, use));
}

/** Whether a use counts as refused by the active version, and not by authorization that lags. */
export function since(activeSinceMs: number): (use: { lastAtMs: number }) => boolean {
  return ({ lastAtMs }) => lastAtMs >= activeSinceMs + authorizationLagMs;
}

/** The versions whose refusals may be of a move: the active one, and later ones than a version that retires. */
function counting(record: Scene["record"]): Version[] {
  const leftAtMs = Math.min(
    ...record.rotations.map(({ from }) => inUseOf(record, versionOf(record, from)).untilMs),
  );
  return record.versions.filter(
    (version) => version.state === "active" || isLater(inUseOf(record, version).fromMs, leftAtMs),
  );
}

function candidatesOn(scene: Observed, version: Version): RefusedUse[] {
  return refusedOn(scene, version.keyId, version.number)
    .map(({ use }) => use)
    .filter(since(firstInUseMs(scene.record, version)));
}

/** Of a subject; `prefix` is its part of the id. What the configuration accepts is left out. */
export function refusedOn(scene: Observed, subject: string, prefix: number | string): Refused[] {
  const { uses = {} } = allOn(scene, subject) ?? {};
  return Object.entries(uses)
    .map(([name, use]) => ({ id: idOf(prefix, use), name, use }))
    .filter(({ use }) => !isAccepted(scene.context.acceptedRefusals ?? [], use))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

export function othersOn(scene: Observed, subject: string): OtherRefusals | undefined {
  return allOn(scene, subject)?.others;
}

/** With what the configuration accepts. */
export function allOn({ record, observed }: Observed, subject: string): RefusedOn | undefined {
  return valueOf(observed.refusals[record.alias])?.on[subject];
}

/** Whether such a use reads existing data. */
export function isReading({ operation }: Pick<RefusedUse, "operation">): boolean {
  return reading.has(operation);
}

/** Whether the configuration accepts it. An operator copies the principal from a finding, which shows it encoded. */
export function isAccepted(
  accepted: AcceptedRefusal[],
  use: Pick<RefusedUse, "principal" | "operation" | "error">,
): boolean {
  const names = [use.principal, encoded(use.principal)];
  return accepted.some(
    ({ principal, operation, error }) =>
      names.includes(principal) &&
      (operation === "*" || operation === use.operation) &&
      (error === "*" || error === use.error),
  );
}

/** Without times and counts: a repetition voids no approval. Without blanks, commas and semicolons: lists need them. */
export function idOf(prefix: number | string, { principal, operation, error }: RefusedUse): string {
  return `refused:${prefix}|${encoded(principal)}|${operation}|${error}`;
}

/** Without blanks, commas and semicolons, which separate the items of a list in a finding. */
export function encoded(principal: string): string {
  return principal.replace(/[^\w:/@=.+-]/gu, (text) => encodeURIComponent(text));
}

/** All uses beyond those with an id of their own. */
export function idOfOthers(prefix: number | string): string {
  return `refused:${prefix}|others`;
}

export function describeUse({ firstAtMs, lastAtMs, count }: RefusedUse): string {
  if (count === 1) return `once, at ${isoOf(lastAtMs)}`;
  return `${count} times, first ${isoOf(firstAtMs)}, last ${isoOf(lastAtMs)}`;
}

/** From when on an approval can accept them: by the time of storing, for an event may come long after its call. */
export function settledAt({ joinedAtMs }: Pick<OtherRefusals, "joinedAtMs">): number {
  return joinedAtMs + settledForMs;
}

function needOfOthers(
  others: OtherRefusals | undefined,
  prefix: number | string,
  counts: (use: { lastAtMs: number }) => boolean,
  nowMs: number,
): Need | undefined {
  if (others === undefined || !counts(others)) return undefined;
  const settledAtMs = settledAt(others);
  const isGrowing = nowMs < settledAtMs;
  const why = isGrowing ? "; no approval accepts them while more join" : "";
  const state = `further uses, ${others.count} times since ${isoOf(others.firstAtMs)}${why}`;
  return { id: idOfOthers(prefix), state, changedAtMs: isGrowing ? Infinity : settledAtMs };
}
