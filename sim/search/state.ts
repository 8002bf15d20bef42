/**
 * One state of the search: the table, KMS, the calls in flight, and the runs that wait for a
 * response. All of it is plain data, and states share equal parts.
 */
import type { Decision, ManagedKey } from "../../lambda/workflow/model/types.ts";

export type CallDecision = Extract<Decision, { kind: "call" }>;

export type ModelKey = {
  id: string;
  state: "Enabled" | "Disabled" | "PendingDeletion";
  /** Who set the state. */
  by: "us" | "operator";
  deletionAtMs: number | undefined;
  createdAtMs: number;
  tags: Readonly<Record<string, string>>;
  /** The last successful use; 0 if never. KMS shows it an hour later. */
  usedAtMs: number;
  /** Whether keyturn ever moved the alias to it. */
  served: boolean;
};

/** `made`: how many keys were ever made. */
export type ModelKms = { keys: readonly ModelKey[]; target: string; made: number };

/**
 * A decided call that KMS may still execute. `crossed`: since the decision an operator has changed
 * its basis, which no read could have shown.
 */
export type Pending = { epoch: number; decision: CallDecision; crossed: boolean };

/** A request whose sender no longer waits; it lands by `latestMs`, or never. */
export type Flight = Pending & { latestMs: number };

/** A run that has sent a call and waits for the response. */
export type Waiting = Pending & {
  deadlineMs: number;
  /** An earlier call of the run has no response. */
  uncertain: boolean;
  parked: Readonly<Record<string, Decision>>;
  /** The use attempt that this run answers. */
  attempt: Attempted | undefined;
};

/** An attempt to use this key. */
export type Attempted = { keyId: string; atMs: number };

/** How often each fault and each event outside of the runs may still occur. */
export type Budget = {
  /** Lost responses, runs that die, late, lost and throttled calls. */
  faults: number;
  rotates: number;
  rollbacks: number;
  resumes: number;
  /** Approvals of the next call, or of the other one, on the evidence that KMS shows. */
  approvals: number;
  /** A version is declared compromised, or its evidence is overridden. */
  overrides: number;
  /** Reads that show, for up to five minutes, the state before a call landed. */
  lags: number;
  /** Further callers that KMS refuses on a retired version, as the second function stores it. */
  refusals: number;
  /** An application uses a version that is or was active, or tries to. */
  uses: number;
  /** An operator moves the alias, or enables or disables a key. */
  outside: number;
};

/** Until `untilMs` reads show this part of a key, or the alias, as it was before a call landed. */
export type Lag = {
  of: "alias" | "state" | "tags" | "key";
  keyId: string;
  before: ModelKms;
  untilMs: number;
};

export type Refused = { keyId: string; caller: string; atMs: number };

export type SearchState = {
  nowMs: number;
  record: ManagedKey;
  kms: ModelKms;
  lag: Lag | undefined;
  flights: readonly Flight[];
  waiting: readonly Waiting[];
  /** Use attempts on their way to the handler. */
  attempts: readonly Attempted[];
  /** Keys with an accepted use attempt, until an operator resumes. */
  asked: readonly string[];
  /** The stored refused uses: one caller each. */
  refused: readonly Refused[];
  /** Whether no pass has read the last of them. */
  isNews: boolean;
  /** How many rotations were ever opened; their ids contain this number. */
  opened: number;
  budget: Budget;
};

/** Whether a run holds the claim. */
export function isHeld({ record: { claim }, nowMs }: SearchState): boolean {
  return claim !== undefined && claim.untilMs >= nowMs;
}

/** The state that reads show. */
export function shownOf({ lag, kms }: Pick<SearchState, "lag" | "kms">): ModelKms {
  if (lag === undefined) return kms;
  const { of, keyId, before } = lag;
  if (of === "alias") return { ...kms, target: before.target };
  if (of === "key") return { ...kms, keys: kms.keys.filter(({ id }) => id !== keyId) };
  const was = before.keys.find(({ id }) => id === keyId);
  if (was === undefined) return kms;
  const { state, deletionAtMs, tags } = was;
  const old = of === "state" ? { state, deletionAtMs } : { tags };
  return { ...kms, keys: kms.keys.map((key) => (key.id === keyId ? { ...key, ...old } : key)) };
}
