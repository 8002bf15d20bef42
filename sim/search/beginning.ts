/** The states in which the search begins. */
import { consistencyMs } from "../../lambda/workflow/model/limits.ts";
import { newManagedKey, without } from "../../lambda/workflow/model/record.ts";
import { tagNames } from "../../lambda/workflow/model/tag-names.ts";
import type { ManagedKey, Policy } from "../../lambda/workflow/model/types.ts";
import { home, hourMs, longMs, neverAgainMs, owner, policy, startMs, tableId } from "./fixture.ts";
import { shape } from "./model-kms.ts";
import { movesOf } from "./moves.ts";
import type { Budget, ModelKey, SearchState } from "./state.ts";

/** The budget of a scope that names none. */
export const nothing: Budget = {
  faults: 0,
  lags: 0,
  rotates: 0,
  rollbacks: 0,
  resumes: 0,
  approvals: 0,
  overrides: 0,
  refusals: 0,
  uses: 0,
  outside: 0,
};

/**
 * The alias is about to move to a version that was made two hours ago. Evidence lags one hour:
 * nothing prevents a run from disabling this version soon after it was active.
 */
export function aged(budget: Budget): SearchState {
  let state = atRest({ ...nothing, rotates: 1 }, {});
  for (const step of [/requests rotate/, /CreateKey .* is answered/]) {
    const { first, rest } = movesOf(state, { workers: 1, without: undefined });
    const next = [...(first === undefined ? [] : [first]), ...rest].find(({ name }) =>
      step.test(name),
    );
    if (next === undefined) throw new Error(`no move matches ${String(step)}`);
    state = next.state;
  }
  const hoursAgo = (key: ModelKey): ModelKey =>
    key.served ? key : { ...key, createdAtMs: key.createdAtMs - 2 * hourMs };
  const { record, kms } = state;
  const then = startMs - 2 * hourMs;
  const versions = record.versions.map((one) =>
    one.number === 1 ? one : { ...one, createdAtMs: then },
  );
  const rotations = record.rotations.map((one) => ({
    ...one,
    intent: { ...one.intent, writtenAtMs: then },
  }));
  return {
    ...state,
    record: { ...record, versions, rotations },
    kms: { ...kms, keys: kms.keys.map(hoursAgo) },
    budget,
  };
}

/** An earlier release scheduled the deletion of version 1 without an approval; the audit made it due. */
export function deletionPending(budget: Budget): SearchState {
  const under = { ...nothing, rotates: 1, approvals: 1 };
  let state = atRest(under, {});
  for (let name = ""; !/ScheduleKeyDeletion .* is answered/.test(name);) {
    const { first, rest } = movesOf(state, { workers: 1, without: undefined });
    const move = first ?? rest.find((one) => /requests rotate/.test(one.name));
    if (move === undefined) throw new Error("no deletion is scheduled");
    ({ name, state } = move);
  }
  const { record } = state;
  const rotations = record.rotations.map((rotation) => without(rotation, "approval"));
  const dueAtMs = state.nowMs + consistencyMs;
  return { ...state, record: { ...record, rotations, dueAtMs }, budget };
}

/** One enrolled version, in use for a long time, under the policy with these changes. */
export function atRest(budget: Budget, changes: Partial<Policy>): SearchState {
  const createdAtMs = startMs - longMs;
  const id = "key-1";
  const tags = {
    [tagNames.owner]: owner,
    [tagNames.alias]: home.alias,
    [tagNames.version]: "1",
    [tagNames.policy]: home.policy.name,
  };
  const key: ModelKey = {
    id,
    state: "Enabled",
    by: "us",
    deletionAtMs: undefined,
    createdAtMs,
    tags,
    usedAtMs: 0,
    served: true,
  };
  const version = { number: 1, keyId: id, arn: id, shape, createdAtMs, activatedAtMs: createdAtMs };
  const record: ManagedKey = {
    ...newManagedKey(
      { owner, tableId },
      { ...home, policy: { ...policy, ...changes } },
      "configuration",
      createdAtMs,
    ),
    taggedAtMs: createdAtMs,
    enrolledAtMs: createdAtMs,
    inspectedAtMs: neverAgainMs,
    lastNumber: 1,
    dueAtMs: startMs + longMs,
    waitingFor: "wait",
    versions: [{ ...version, state: "active" }],
  };
  return {
    nowMs: startMs,
    record,
    kms: { keys: [key], target: id, made: 1 },
    lag: undefined,
    flights: [],
    waiting: [],
    attempts: [],
    asked: [],
    refused: [],
    isNews: false,
    opened: 0,
    budget,
  };
}
