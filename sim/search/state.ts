/**
 * One state of the search: what the table holds, what KMS is like, which calls are on their way, and
 * who waits for an answer. Everything is plain data, and shared between states wherever it is equal.
 */
import type { Call, Decision, ManagedKey } from "../../lambda/workflow/types.ts";

export type CallDecision = Extract<Decision, { kind: "call" }>;

export type ModelKey = {
  id: string;
  state: "Enabled" | "Disabled" | "PendingDeletion";
  deletionAtMs: number | undefined;
  createdAtMs: number;
  tags: Readonly<Record<string, string>>;
  /** When it was last used; it shows an hour later. */
  usedAtMs: number;
  /** By which rotation it came to serve, if it ever did. */
  served: boolean;
};

export type ModelKms = { keys: readonly ModelKey[]; target: string };

/** A request whose sender will not hear of it any more; it lands by then, or never. */
export type Flight = { call: Call; epoch: number; latestMs: number };

/** A run that has sent a call and waits for the answer. */
export type Waiting = {
  epoch: number;
  decision: CallDecision;
  deadlineMs: number;
  parked: Readonly<Record<string, Decision>>;
  /** The key that was asked for, where this run answers a use attempt. */
  attemptOn: string | undefined;
};

/** Somebody tried to use this key; `overtaken` where it was given back since, for whatever reason. */
export type Attempted = { keyId: string; atMs: number; overtaken: boolean };

/** What may yet be done by others than the workers; every one of it is spent at most so often. */
export type Budget = {
  /** Answers lost, runs that die, requests that come late or never. */
  faults: number;
  rotates: number;
  rollbacks: number;
  resumes: number;
  /** Somebody uses a version that no longer serves. */
  uses: number;
  /** Somebody else moves the alias, or enables or disables a version. */
  outside: number;
};

export type State = {
  nowMs: number;
  record: ManagedKey;
  kms: ModelKms;
  flights: readonly Flight[];
  waiting: readonly Waiting[];
  /** Use attempts on their way to the handler. */
  attempts: readonly Attempted[];
  /** Keys of which an attempt was answered, until somebody says that things may go on. */
  answered: readonly string[];
  /** How many rotations were ever opened: what their ids are made of. */
  opened: number;
  budget: Budget;
  /** Keys and the alias, as far as others than we have touched them. */
  touched: readonly string[];
};

/**
 * Nothing that decides compares two moments by more than this, which is a deletion's slack. So where
 * some lie further back than twice as much, and none between that and once as much, how far back they
 * lie does not matter, but for how far from each other.
 */
const comparedMs = 26 * 3_600_000;
/** What times are, and nothing else is. */
const leastTime = 1_000_000_000_000;

/** What no transition reads, or is the same in every state. */
const unread = new Set([
  "schema",
  "alias",
  "aliases",
  "dependents",
  "enrolledBy",
  "owner",
  "policy",
  "policyHash",
  "shape",
  "intent.tags",
  "description",
  "arn",
  "tableId",
  "unlistedAliases",
  "revision",
  "backoff",
  "findings",
  "resting",
  "closed",
  "honoured",
  "refused",
  "reason",
  "seen",
  "by",
  "runId",
  "hash",
]);

/** The same for states that nothing tells apart: times count from now, epochs from the newest. */
export function keyOf(state: State): string {
  const { nowMs, record } = state;
  const out: string[] = [];
  const times: { place: number; agoMs: number }[] = [];
  const put = (value: unknown, name: string): void => {
    if (typeof value === "number") {
      if (name === "epoch" || name === "unansweredEpoch")
        out.push("e", String(record.epoch - value));
      else if (value < leastTime) out.push(String(value));
      else times.push({ place: out.push("") - 1, agoMs: nowMs - value });
    } else if (typeof value === "string") {
      out.push(value);
    } else if (Array.isArray(value)) {
      out.push("[");
      for (const one of value) put(one, "");
      out.push("]");
    } else if (typeof value === "object" && value !== null) {
      out.push("{");
      for (const field in value) {
        if (unread.has(field)) continue;
        const inner = (value as Record<string, unknown>)[field];
        if (inner === undefined) continue;
        out.push(field);
        put(inner, field);
      }
      out.push("}");
    } else {
      out.push(String(value));
    }
    out.push(",");
  };
  put(record, "");
  put(state.kms, "");
  put(state.flights, "");
  put(state.waiting, "");
  put(state.attempts, "");
  put(state.answered, "");
  put(state.opened, "");
  put(state.budget, "");
  put(state.touched, "");
  place(out, times);
  return out.join("");
}

function place(out: string[], times: { place: number; agoMs: number }[]): void {
  let latestOld = Infinity;
  let isBetween = false;
  for (const { agoMs } of times) {
    if (agoMs > 2 * comparedMs) latestOld = Math.min(latestOld, agoMs);
    else if (agoMs > comparedMs) isBetween = true;
  }
  for (const { place: at, agoMs } of times) {
    const isOld = !isBetween && agoMs >= latestOld;
    out[at] = isOld ? `o${agoMs - latestOld}` : `t${agoMs}`;
  }
}
