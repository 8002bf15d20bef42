/** How a history continued and ended, for the comparison with the one without a fault. */
import { tagNames } from "../../lambda/workflow/model/tag-names.ts";
import type { ManagedKey } from "../../lambda/workflow/model/types.ts";
import type { Contents } from "../ports/table-state.ts";
import type { SimulatedWorld } from "../world/world.ts";
import { alias } from "./histories.ts";

/** Once no call can land any longer, a history has so many passes to reach a reference state. */
export const passesMax = 3;

export type Convergence = {
  /** The states after each pass before the fault. */
  passage: Set<string>;
  /** The states more than three passes after no call could land any longer. */
  settled: Set<string>;
  /** The longest sequence of such passes with something in doubt. */
  passesInDoubt: number;
};

/** `isAfter`: whether the fault has struck. */
export function convergence(world: SimulatedWorld, isAfter: () => boolean): Convergence {
  const found: Convergence = { passage: new Set(), settled: new Set(), passesInDoubt: 0 };
  let settledAtMs = 0;
  let passes = 0;
  let doubtful = 0;
  world.onPassEnd = (record) => {
    const nowMs = world.engine.nowMs();
    for (const { untilMs } of record.unsettled) settledAtMs = Math.max(settledAtMs, untilMs);
    if (!isAfter()) return void found.passage.add(stateOf(world));
    if (nowMs < settledAtMs) {
      passes = 0;
      return;
    }
    passes += 1;
    doubtful = isInDoubt(record) ? doubtful + 1 : 0;
    found.passesInDoubt = Math.max(found.passesInDoubt, doubtful);
    if (passes > passesMax) found.settled.add(stateOf(world));
  };
  return found;
}

function isInDoubt({ rotations, backoff, unsettled }: ManagedKey): boolean {
  const unanswered = rotations.some(
    ({ unanswered: call, intent }) => call !== undefined || intent.unansweredEpoch !== undefined,
  );
  return unanswered || backoff.tries > 0 || unsettled.length > 0;
}

/** KMS and the record, without ids and times. */
export function stateOf(world: SimulatedWorld): string {
  const record = world.record(alias);
  const target = world.kms.world.aliases.get(alias)?.keyId;
  const keys = [...world.kms.world.keys.values()].map(({ keyId, state, tags, grants }) => {
    const version = tags.get(tagNames.version) ?? "-";
    const label = tags.has(tagNames.retired) ? "retired" : "";
    const isTarget = keyId === target ? "under the alias" : "";
    return `version ${version} ${state} ${label} ${isTarget} grants ${grants.size}`;
  });
  const versions = record?.versions.map(({ number, state }) => `${number} ${state}`);
  const rotations = record?.rotations.map(({ from, to, step }) => `${from} to ${to} at ${step}`);
  const findings = record?.findings.map(({ code }) => code);
  const holds = record?.holds.map(({ kind }) => kind);
  const extras = record?.extras.map((one) =>
    one.quarantinedAtMs === undefined ? "extra" : "extra in quarantine",
  );
  const parts = [keys.sort(), versions, rotations, findings, holds, extras];
  return parts.map((part) => part?.join()).join("; ");
}

/** How many closed rotations the table keeps. */
export function closedIn(world: SimulatedWorld): number {
  return contentsOf(world).closed.size;
}

function contentsOf({ table }: SimulatedWorld): Contents {
  return table.snapshot() as Contents;
}

/** The other items of the table: none may be left over, and none may be missing. */
export function leftoversOf(world: SimulatedWorld): string {
  const { records, requests, bindings, archived, runClaim, chores, configurations } =
    contentsOf(world);
  const known = [...records.values()].flatMap(({ record }) =>
    [...record.versions, ...record.extras].map(({ keyId }) => keyId),
  );
  const ours = [...records].map(([name, { record, outbox }]) => {
    const claim = record.claim === undefined ? "" : "claimed";
    const history = isWhole(archived.get(name), record.revision) ? "" : "its journal has gaps";
    return `${name} ${claim} outbox ${outbox.length} unsettled ${record.unsettled.length} ${history}`;
  });
  const bound = [...bindings.keys()].filter((keyId) => known.includes(keyId)).length;
  const asked = [...requests.values()].reduce((sum, { size }) => sum + size, 0);
  const rest = [
    `${bound} bound, ${bindings.size - bound} bound without a version`,
    `${asked} requests`,
    (runClaim?.untilMs ?? 0) < world.engine.nowMs() ? "" : "a run claim",
    [...chores.keys()].sort().join(),
    `${configurations.size} configurations`,
  ];
  return [...ours, ...rest].join("; ");
}

/** Whether every revision has its line in the archive. */
function isWhole(lines: ReadonlyMap<number, unknown> | undefined, revision: number): boolean {
  for (let number = 1; number <= revision; number++) {
    if (lines?.has(number) !== true) return false;
  }
  return lines?.size === revision;
}
