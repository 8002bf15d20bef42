/** What refused uses report: by version for callers of an old one, and for callers that a move locked out. */
import { explain } from "../model/commands.ts";
import { finding, type Finding, type FindingCode } from "../model/findings.ts";
import { dayMs } from "../model/limits.ts";
import { activeVersion } from "../model/record.ts";
import { byAlias } from "../model/refusals.ts";
import { requestCommand } from "../model/request-command.ts";
import type { OtherRefusals, Scene, Version } from "../model/types.ts";
import { predecessorOf } from "./excused.ts";
import {
  describeUse,
  isReading,
  movedAtMs,
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
  const retired = record.versions.filter(isRetired);
  const active = activeVersion(record);
  const firstRetiredAtMs = Math.min(...retired.map(({ retiredAtMs = Infinity }) => retiredAtMs));
  return [
    ...retired.flatMap((version) => onRetired(scene, version)),
    ...(active === undefined ? [] : lockedOut(scene, active)),
    ...byName(scene, firstRetiredAtMs),
  ];
}

function isRetired({ retiredAtMs, state }: Version): boolean {
  return retiredAtMs !== undefined && state !== "active" && state !== "reactivating";
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
  return [finding(code, subject, `${what} ${listed(uses)}`, explain(code), sinceMs(uses))];
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

/** Those that were not refused before the move, and the others where such a caller may be among them. */
function lockedOut(scene: Scene, active: Version): Finding[] {
  const { nowMs } = scene.context;
  const before = predecessorOf(scene.record);
  if (before === undefined) return [];
  const isRecent = ({ lastAtMs }: { lastAtMs: number }): boolean =>
    nowMs < lastAtMs + lockedOutForMs;
  const activeSinceMs = movedAtMs(scene.record, before, active);
  const all = notAccepted(scene, sinceActivation(scene, active, activeSinceMs));
  const known = refusedBefore(scene, before);
  const movedUntilMs = activeSinceMs + byMoveForMs;
  const uses = all.filter(
    ({ name, use }) => isRecent(use) && use.firstAtMs < movedUntilMs && !known(name),
  );
  const others = othersOn(scene, active.keyId);
  const isAmongOthers =
    others !== undefined &&
    nowMs < movedUntilMs &&
    hasNew(
      others,
      (atMs) => since(activeSinceMs)({ lastAtMs: atMs }) && isRecent({ lastAtMs: atMs }),
      known,
    );
  if (uses.length === 0 && !isAmongOthers) return [];
  const { number, keyId } = active;
  const more = isAmongOthers ? ["callers beyond the first twenty"] : [];
  const texts = [...(uses.length === 0 ? [] : [listed(uses)]), ...more].join("; ");
  const refusedToo = all.filter(({ name }) => known(name)).length;
  const hint = refusedToo > 0 ? `; ${refusedToo} more were refused before the move, too` : "";
  const observed = `refused uses of version ${number}, ${keyId}, since it is active: ${texts}${hint}`;
  const next = rollbackCommand(scene, active, before);
  const firstMs = Math.min(sinceMs(uses), isAmongOthers ? others.firstAtMs : Infinity);
  return [finding("REFUSED_SINCE_ACTIVATION", keyId, observed, next, firstMs)];
}

/** By name: equal principal, operation and error. */
function refusedBefore(scene: Scene, before: Version): (name: string) => boolean {
  const { retiredAtMs = 0 } = before;
  const names = new Set(
    refusedOn(scene, before.keyId, before.number)
      .filter(({ use }) => (use.lastBeforeMs ?? 0) >= retiredAtMs - beforeMs)
      .map(({ name }) => name),
  );
  const { known = {} } = othersOn(scene, before.keyId) ?? {};
  return (name) => names.has(name) || (known[name] ?? 0) >= retiredAtMs - beforeMs;
}

function hasNew(
  { known, isFull, grownAtMs }: OtherRefusals,
  isSinceMove: (atMs: number) => boolean,
  wasRefused: (name: string) => boolean,
): boolean {
  if (isFull === true && isSinceMove(grownAtMs)) return true;
  return Object.entries(known).some(([name, atMs]) => isSinceMove(atMs) && !wasRefused(name));
}

/** A compromised version must not become active again: only an open rotation shows that it is none. */
function rollbackCommand({ record }: Scene, active: Version, before: Version): string {
  const rotation = record.rotations.find(
    ({ from, to }) => from === before.number && to === active.number,
  );
  const isPossible = rotation?.direction === "forward" && rotation.urgent !== true;
  return isPossible
    ? requestCommand(record.alias, "rollback", { version: active.number })
    : explain("REFUSED_SINCE_ACTIVATION");
}
