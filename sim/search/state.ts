/**
 * One state of the search: what the table holds, what KMS is like, which calls are on their way, and
 * who waits for an answer. Everything is plain data, and shared between states wherever it is equal.
 */
import type { Decision, ManagedKey } from "../../lambda/workflow/model/types.ts";

export type CallDecision = Extract<Decision, { kind: "call" }>;

export type ModelKey = {
  id: string;
  state: "Enabled" | "Disabled" | "PendingDeletion";
  /** Who had it so. */
  by: "us" | "a person";
  deletionAtMs: number | undefined;
  createdAtMs: number;
  tags: Readonly<Record<string, string>>;
  /** When it was last used while it could be; 0 if never. It shows an hour later. */
  usedAtMs: number;
  /** Whether an alias was on it, by our doing. */
  served: boolean;
};

/** `made`: how many keys there ever were. */
export type ModelKms = { keys: readonly ModelKey[]; target: string; made: number };

/**
 * A call that was decided, and that KMS may yet take. `crossed`: a person has changed, since that was
 * decided, what it rests on: no look could have told.
 */
export type Pending = { epoch: number; decision: CallDecision; crossed: boolean };

/** A request whose sender will not hear of it any more; it lands by then, or never. */
export type Flight = Pending & { latestMs: number };

/** A run that has sent a call and waits for the answer. */
export type Waiting = Pending & {
  deadlineMs: number;
  /** It made a call before this one whose answer it does not know. */
  uncertain: boolean;
  parked: Readonly<Record<string, Decision>>;
  /** The key that was asked for, where this run answers a use attempt, and when. */
  attempt: Attempted | undefined;
};

/** Somebody tried to use this key. */
export type Attempted = { keyId: string; atMs: number };

/** What may yet go wrong, or be done by others than the runs; each is spent at most so often. */
export type Budget = {
  /** Answers lost, runs that die, calls that come late or never, calls that KMS throttles. */
  faults: number;
  rotates: number;
  rollbacks: number;
  resumes: number;
  /** Reads that show, for up to five minutes, the world before a call landed. */
  lags: number;
  /** Somebody uses a version that serves or served, or tries to. */
  uses: number;
  /** A person moves the alias, or enables or disables a key. */
  outside: number;
};

/** Looks show this of a key, or the alias, as it was before a call landed, and until when at most. */
export type Lag = {
  of: "alias" | "state" | "tags" | "key";
  keyId: string;
  before: ModelKms;
  untilMs: number;
};

export type SearchState = {
  nowMs: number;
  record: ManagedKey;
  kms: ModelKms;
  lag: Lag | undefined;
  flights: readonly Flight[];
  waiting: readonly Waiting[];
  /** Use attempts on their way to the handler. */
  attempts: readonly Attempted[];
  /** Keys of which a use attempt was taken up, until a person has things go on. */
  asked: readonly string[];
  /** How many rotations were ever opened: what their ids are made of. */
  opened: number;
  budget: Budget;
};

/** Whether somebody holds the claim. */
export function isHeld({ record: { claim }, nowMs }: SearchState): boolean {
  return claim !== undefined && claim.untilMs >= nowMs;
}

/** What looks show. */
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
