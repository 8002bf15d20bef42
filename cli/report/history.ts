/**
 * The phases of every present and past version of a managed key, from its journal. A phase that the
 * journal does not record is "unknown"; the record decides the present phase.
 */
import type { KeyHistory } from "../../lambda/aws/dynamodb-reading.ts";
import type { JournalEntry } from "../../lambda/ports.ts";
import type { EventName } from "../../lambda/workflow/model/events.ts";
import type { Rotation, VersionState } from "../../lambda/workflow/model/types.ts";
import type { PhaseKind } from "./phases.ts";
import { enter, enterAfterGap, kindOf, newTenure, type Tenure } from "./tenure.ts";

type Passage = { from: number; to: number };

/** The knowledge up to the present line of the journal. */
type Walk = {
  history: KeyHistory;
  rotations: Map<string, Rotation>;
  tenures: Tenure[];
  passages: Map<string, Passage>;
  /** The time of the last line that is based on a read of KMS or a call to it. */
  knownAtMs: number | undefined;
};

type Handler = (walk: Walk, entry: JournalEntry) => void;

export function tenuresOf(history: KeyHistory): Tenure[] {
  const walk: Walk = {
    history,
    rotations: rotationsOf(history),
    tenures: [],
    passages: new Map(),
    knownAtMs: undefined,
  };
  for (const entry of history.journal) {
    const event = entry.event as EventName;
    noteCompromise(walk, entry);
    handlers[event]?.(walk, entry);
    if (!withoutKeyState.has(event)) walk.knownAtMs = entry.atMs;
  }
  followRecord(walk);
  return walk.tenures.sort((a, b) => startOf(a) - startOf(b) || a.number - b.number);
}

/** All rotations, closed and open, by id. */
export function rotationsOf({ record, rotations }: KeyHistory): Map<string, Rotation> {
  const all = [...rotations, ...record.closed, ...record.rotations];
  return new Map(all.map((rotation) => [rotation.id, rotation]));
}

function startOf({ phases }: Tenure): number {
  return phases.find(({ fromMs }) => fromMs !== undefined)?.fromMs ?? 0;
}

const withoutKeyState: ReadonlySet<EventName> = new Set<EventName>([
  ...([
    "findings-opened",
    "findings-closed",
    "request-rejected",
    "reconcile-proposed",
    "reconciled",
  ] as const),
  ...([
    "paused",
    "resumed",
    "call-planned",
    "rotation-requested",
    "approved",
    "acknowledged",
    "policy-accepted",
    "configured",
  ] as const),
]);

const neverActive = "its rotation was cancelled; no alias pointed at it";

const handlers: Partial<Record<EventName, Handler>> = {
  found: found,
  opened: (walk, { rotationId = "", detail }) => {
    const passage = { from: Number(detail.from), to: Number(detail.to) };
    walk.passages.set(rotationId, passage);
    const from = numbered(walk, passage.from);
    if (from !== undefined) from.limitMs = Number(detail.overdueAtMs);
  },
  generated: made,
  adopted: made,
  activated: becameActive,
  reactivated: becameActive,
  "rolled-back": rolledBack,
  cancelled: (walk, { detail, atMs }) => {
    const to = numbered(walk, Number(detail.to));
    const kind = to && kindOf(to);
    if (to !== undefined && (kind === "pre-active" || kind === "reactivating")) {
      enter(to, "draining", atMs, neverActive);
    }
  },
  disabled: (walk, entry) => move(walk, entry, "disabled"),
  "deletion-scheduled": (walk, entry) => {
    move(walk, entry, "pending-deletion");
    const tenure = meant(walk, entry);
    if (tenure !== undefined) tenure.deletionAtMs = Number(entry.detail.deletionAtMs);
  },
  "deletion-cancelled": (walk, entry) => {
    const tenure = meant(walk, entry);
    if (tenure === undefined) return;
    tenure.deletionAtMs = undefined;
    if (kindOf(tenure) !== "reactivating") enter(tenure, "disabled", entry.atMs);
  },
  "re-enabled": (walk, entry) => {
    const tenure = meant(walk, entry);
    if (tenure === undefined || kindOf(tenure) === "reactivating") return;
    // Without a rotation that retires it, keyturn retains it.
    const kind = entry.rotationId === undefined ? "retained" : "draining";
    enter(tenure, kind, entry.atMs, `enabled again: ${entry.reason}`);
  },
  "drain-restarted": (walk, entry) => move(walk, entry, "draining"),
  completed: completed,
  "un-enrolled": ({ tenures }, { atMs }) => {
    for (const tenure of tenures) {
      if (kindOf(tenure) !== "destroyed") enter(tenure, "released", atMs);
    }
  },
  reconciled: reconciled,
};

function found(walk: Walk, entry: JournalEntry): void {
  const { detail, atMs } = entry;
  const keyId = String(detail.keyId);
  const before = walk.tenures.findLast((tenure) => tenure.keyId === keyId);
  const tenure = newTenure(Number(detail.version), keyId);
  tenure.periodFromMs = createdAtMs(walk, keyId) ?? activationBy(walk, entry, tenure.number);
  if (before === undefined) {
    const note =
      "the cryptoperiod of version 1 counts from the key's creation; keyturn manages the key since this line";
    enter(tenure, "active", tenure.periodFromMs, note);
  } else {
    const last = before.phases.at(-1);
    if (last !== undefined) last.toMs ??= atMs;
    enter(tenure, "active", atMs, `re-enrolled; it was version ${before.number} before`);
  }
  walk.tenures.push(tenure);
}

/** For a key that KMS has deleted since: the rotation that retired it has its cryptoperiod's end. */
function activationBy({ history, rotations }: Walk, since: JournalEntry, number: number) {
  const opened = history.journal.find(
    ({ event, detail, revision }) =>
      event === "opened" && Number(detail.from) === number && revision > since.revision,
  );
  const policy = rotations.get(opened?.rotationId ?? "")?.policy;
  if (opened === undefined || policy === undefined) return undefined;
  return Number(opened.detail.overdueAtMs) - policy.cryptoperiodMs;
}

function made(walk: Walk, { detail, atMs }: JournalEntry): void {
  const keyId = String(detail.keyId);
  const tenure = newTenure(Number(detail.version), keyId);
  enter(tenure, "pre-active", createdAtMs(walk, keyId) ?? atMs);
  walk.tenures.push(tenure);
}

/** "activated" and "reactivated": one version becomes active, and the previous one drains. */
function becameActive(walk: Walk, entry: JournalEntry): void {
  const tenure = meant(walk, entry);
  if (tenure === undefined) return;
  const { rotationId = "", atMs, event } = entry;
  const from = walk.passages.get(rotationId)?.from ?? walk.rotations.get(rotationId)?.from;
  for (const other of walk.tenures) {
    const kind = kindOf(other);
    const isReplaced = other.number === from && (kind === "active" || kind === "pre-active");
    if (other !== tenure && (isReplaced || kind === "active")) enter(other, "draining", atMs);
  }
  enter(
    tenure,
    "active",
    atMs,
    event === "reactivated" ? "active again after a rollback" : undefined,
  );
  tenure.periodFromMs ??= atMs;
  // By the policy of the rotation that activated it, until the one that retires it states the end.
  const cryptoperiodMs = walk.rotations.get(rotationId)?.policy.cryptoperiodMs;
  if (cryptoperiodMs !== undefined) tenure.limitMs ??= tenure.periodFromMs + cryptoperiodMs;
}

function rolledBack(walk: Walk, { rotationId = "", detail, atMs }: JournalEntry): void {
  const passage = { from: Number(detail.from), to: Number(detail.to) };
  walk.passages.set(rotationId, passage);
  for (const other of walk.tenures) {
    // The same line cancels a rotation that was under way.
    if (kindOf(other) === "pre-active" && other.number !== passage.from) {
      enter(other, "draining", atMs, neverActive);
    }
  }
  const to = numbered(walk, passage.to);
  if (to === undefined) return;
  to.deletionAtMs = undefined;
  if (kindOf(to) !== "active") enter(to, "reactivating", atMs);
}

function completed(walk: Walk, entry: JournalEntry): void {
  const tenure = meant(walk, entry);
  if (tenure === undefined) return;
  if (entry.step === "drain") enter(tenure, "retained", entry.atMs);
  else if (kindOf(tenure) === "pending-deletion") {
    enter(tenure, "destroyed", entry.atMs, "keyturn observed the deletion at this time");
  }
}

/** As a line of the journal states each version; version 0.1.0 wrote "serves". */
const reconciledAs: Record<string, PhaseKind> = {
  "is active": "active",
  serves: "active",
  "drains anew": "draining",
  "stays disabled": "disabled",
  "is pending deletion": "pending-deletion",
  "is no longer counted": "unknown",
};

const reconciledLine = new RegExp(
  `version (\\d+), ([^,;]+), (${Object.keys(reconciledAs).join("|")})`,
  "g",
);

/** The line has the observed state of each version. The table has lost the states before. */
function reconciled(walk: Walk, { detail, atMs }: JournalEntry): void {
  for (const [, number, keyId = "", does = ""] of String(detail.wrote).matchAll(reconciledLine)) {
    const kind = reconciledAs[does] ?? "unknown";
    const known = walk.tenures.findLast((tenure) => tenure.keyId === keyId);
    const tenure = known ?? newTenure(Number(number), keyId);
    if (known === undefined) walk.tenures.push(tenure);
    const fromMs = known === undefined ? createdAtMs(walk, keyId) : walk.knownAtMs;
    enterAfterGap(tenure, kind, { fromMs, toMs: atMs }, "the record was rebuilt from KMS");
  }
}

function noteCompromise(walk: Walk, { detail, atMs, event }: JournalEntry): void {
  if (detail.asked !== "compromised" || event === "request-rejected") return;
  const tenure = numbered(walk, Number(detail.version));
  if (tenure !== undefined) tenure.compromisedAtMs ??= atMs;
}

const phaseOf: Record<VersionState, PhaseKind> = {
  "pending-activation": "pre-active",
  active: "active",
  draining: "draining",
  retained: "retained",
  disabled: "disabled",
  "pending-deletion": "pending-deletion",
  reactivating: "reactivating",
};

/** If the journal and the record differ, the record has the present phase; its start is unknown. */
function followRecord(walk: Walk): void {
  const { record } = walk.history;
  for (const version of record.versions) {
    const { number, keyId, state } = version;
    const known = walk.tenures.findLast((one) => one.keyId === keyId && one.number === number);
    const tenure = known ?? newTenure(number, keyId);
    if (known === undefined) walk.tenures.push(tenure);
    const kind = kindOf(tenure);
    const isRestoring =
      state === "draining" && (kind === "disabled" || kind === "pending-deletion");
    if (!isRestoring) {
      const gap = { fromMs: known ? walk.knownAtMs : version.createdAtMs, toMs: undefined };
      enterAfterGap(tenure, phaseOf[state], gap, "from the record; not in the journal");
    }
    tenure.periodFromMs ??= version.activatedAtMs;
    if (state === "active") {
      const fromMs = version.activatedAtMs ?? version.createdAtMs;
      tenure.limitMs = fromMs + record.policy.cryptoperiodMs;
    }
    tenure.deletionAtMs = version.deletionAtMs ?? tenure.deletionAtMs;
  }
}

function createdAtMs({ history }: Walk, keyId: string): number | undefined {
  return history.record.versions.find((version) => version.keyId === keyId)?.createdAtMs;
}

function meant({ tenures }: Walk, { detail }: JournalEntry): Tenure | undefined {
  return tenures.findLast(
    ({ keyId, number }) =>
      keyId === detail.keyId && (detail.version === undefined || number === detail.version),
  );
}

function numbered({ tenures }: Walk, wanted: number): Tenure | undefined {
  return tenures.findLast(({ number }) => number === wanted);
}

function move(walk: Walk, entry: JournalEntry, kind: PhaseKind): void {
  const tenure = meant(walk, entry);
  if (tenure !== undefined) enter(tenure, kind, entry.atMs);
}
