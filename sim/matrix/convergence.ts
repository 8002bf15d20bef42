/** How a life went on and ended, so that it can be compared with the one without a fault. */
import { tagNames } from "../../lambda/workflow/model/tag-names.ts";
import type { ManagedKey } from "../../lambda/workflow/model/types.ts";
import type { Contents } from "../ports/table-state.ts";
import type { SimulatedWorld } from "../world/world.ts";
import { alias } from "./histories.ts";

/** Turns that it may take, once nothing can land any longer, to be where a life can be. */
export const passesMax = 3;

export type Convergence = {
  /** The states in which its turns left it. */
  passage: Set<string>;
  /** In which it was more than three turns after nothing could land any longer. */
  settled: Set<string>;
  /** How many such turns in a row something was in doubt. */
  passesInDoubt: number;
};

/** `isAfter`: whether what goes wrong has gone wrong. */
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

/** How many closed rotations are kept. */
export function closedIn(world: SimulatedWorld): number {
  return contentsOf(world).closed.size;
}

function contentsOf({ table }: SimulatedWorld): Contents {
  return table.snapshot() as Contents;
}

/** What lies in the table besides: nothing may be left over, and nothing may be missing. */
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
    `${bound} bound, ${bindings.size - bound} bound in vain`,
    `${asked} requests`,
    (runClaim?.untilMs ?? 0) < world.engine.nowMs() ? "" : "a run claim",
    [...chores.keys()].sort().join(),
    `${configurations.size} configurations`,
  ];
  return [...ours, ...rest].join("; ");
}

/** Every revision has its line, and has left the aggregate. */
function isWhole(lines: ReadonlyMap<number, unknown> | undefined, revision: number): boolean {
  for (let number = 1; number <= revision; number++) {
    if (lines?.has(number) !== true) return false;
  }
  return lines?.size === revision;
}
