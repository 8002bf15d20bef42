/** What external actors do without keyturn: use a key, move the alias, enable and disable keys. */
import { alias } from "./fixture.ts";
import { land, withKey } from "./model-kms.ts";
import { spend, type Move } from "./move.ts";
import { onTheirWay } from "./properties.ts";
import type { ModelKey, Pending, SearchState } from "./state.ts";

export function others(state: SearchState): Move[] {
  const { kms, budget } = state;
  const moves: Move[] = [];
  if (budget.uses > 0) {
    const after = spend(state, "uses");
    for (const key of kms.keys) {
      if (!key.served) continue;
      moves.push(key.state === "Enabled" ? used(after, key) : attempted(after, key, key.state));
      const isLate = onTheirWay(state).some((pending) => disables(pending, key.id));
      if (key.state === "Enabled" && isLate) moves.push(attempted(after, key, "already refused"));
    }
  }
  if (budget.refusals > 0) moves.push(...refusals(state));
  if (budget.outside === 0) return moves;
  const after = spend(state, "outside");
  for (const key of kms.keys) {
    if (key.state === "PendingDeletion") continue;
    if (key.id !== kms.target) moves.push(aliasMoved(after, key));
    moves.push(switched(after, key, key.state === "Enabled" ? "Disabled" : "Enabled"));
  }
  return moves;
}

/** At any moment, also while a call is under way: no read of the run has shown it. */
function refusals(state: SearchState): Move[] {
  const after = spend(state, "refusals");
  return state.record.versions
    .filter(({ state: is }) => is === "draining" || is === "disabled" || is === "pending-deletion")
    .map(({ keyId }) => {
      const caller = `caller-${state.refused.length + 1}`;
      const refused = [...state.refused, { keyId, caller, atMs: state.nowMs }];
      const name = `${caller} is refused on ${keyId}`;
      return { name, state: { ...after, refused, isNews: true } };
    });
}

function used(state: SearchState, key: ModelKey): Move {
  const kms = withKey(state.kms, { ...key, usedAtMs: state.nowMs });
  return { name: `an application uses ${key.id}`, state: { ...state, kms } };
}

/** KMS may refuse a use before any read shows why. */
function attempted(state: SearchState, key: ModelKey, why: string): Move {
  const attempts = [...state.attempts, { keyId: key.id, atMs: state.nowMs }];
  const name = `an application tries to use ${key.id}, which is ${why}`;
  return { name, state: { ...state, attempts } };
}

function disables({ decision: { call } }: Pending, keyId: string): boolean {
  const isIt = call.kind === "DisableKey" || call.kind === "ScheduleKeyDeletion";
  return isIt && call.keyId === keyId;
}

function aliasMoved(state: SearchState, key: ModelKey): Move {
  const { served } = key;
  const landing = land(state.kms, { kind: "UpdateAlias", alias, keyId: key.id }, state.nowMs);
  if (landing.kind === "refused") throw new Error("KMS refused it");
  // `served` counts only moves by keyturn.
  const kms = withKey(landing.kms, { ...key, served });
  const rests = (pending: Pending): boolean =>
    pending.decision.call.kind === "UpdateAlias" || disables(pending, key.id);
  const name = `an operator moves the alias to ${key.id}, which is ${key.state}`;
  return { name, state: crossing({ ...state, kms }, rests) };
}

function switched(state: SearchState, key: ModelKey, to: "Enabled" | "Disabled"): Move {
  const kms = withKey(state.kms, { ...key, state: to, by: "operator" });
  // An operator who disables a key with a use attempt intends it.
  const asked = to === "Enabled" ? state.asked : state.asked.filter((keyId) => keyId !== key.id);
  const rests = ({ decision: { call } }: Pending): boolean =>
    call.kind !== "CreateKey" && call.keyId === key.id;
  const name = `an operator ${to === "Enabled" ? "enables" : "disables"} ${key.id}`;
  return { name, state: crossing({ ...state, kms, asked }, rests) };
}

/** Marks the calls already decided: no read could have shown them this change. */
function crossing(state: SearchState, rests: (pending: Pending) => boolean): SearchState {
  const cross = <P extends Pending>(pending: P): P =>
    rests(pending) ? { ...pending, crossed: true } : pending;
  return { ...state, flights: state.flights.map(cross), waiting: state.waiting.map(cross) };
}
