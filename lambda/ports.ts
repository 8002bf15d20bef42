/**
 * The external services of a run, in the domain's terms. Each port has two implementations under
 * one contract suite: AWS (`lambda/aws`) and the simulation (`sim`).
 */
import type {
  AcceptedRefusal,
  Call,
  DrainWatch,
  Grant,
  Key,
  KeyPolicy,
  LastUse,
  ManagedKey,
  Mode,
  Outcome,
  Rotation,
  Observation,
  Refusals,
  RefusalsWatch,
  TaggedKey,
  Tags,
} from "./workflow/model/types.ts";
import type { Finding } from "./workflow/model/findings.ts";

/**
 * The latest time to send a changing call, and how long to wait for its answer. Past `deadlineMs`
 * the send step rejects it, also in a promise that Lambda froze and resumed later.
 */
export type Guard = { deadlineMs: number; limitMs: number };

/** Reads throw a `RotationError` if KMS gives no answer; a denial or an absence is an answer. */
export interface KeyService {
  /** DescribeKey, by key id or alias name. */
  describe(key: string): Promise<Observation<Key>>;
  /** Names of the aliases that point at the key. */
  aliasesOf(keyId: string): Promise<Observation<string[]>>;
  policyOf(keyId: string): Promise<Observation<KeyPolicy>>;
  tagsOf(keyId: string): Promise<Observation<Tags>>;
  grantsOf(keyId: string): Promise<Observation<Grant[]>>;
  lastUseOf(keyId: string): Promise<Observation<LastUse>>;
  /** DER SubjectPublicKeyInfo, in Base64. */
  publicKeyOf(keyId: string): Promise<Observation<string>>;
  /** Whether KMS itself rotates the material of the key; absent where KMS cannot. */
  rotatesItself(keyId: string): Promise<Observation<boolean>>;
  /** A DescribeKey whose event in CloudTrail has this mark (`inbound/canary.ts`). */
  canary(keyId: string, mark: string): Promise<void>;
  /** Every alias of the account and Region that points at a key. */
  allAliases(): Promise<{ alias: string; keyId: string }[]>;
  /** One attempt, no retry; never throws for an error of KMS or the network. */
  change(call: Call, guard: Guard): Promise<Outcome>;
}

/** Finds keys by tag. It may lag and may list deleted keys: confirm on the key. */
export interface Discovery {
  keysTagged(tags: Tags): Promise<TaggedKey[]>;
  /** Keys with a tag of this name and any value. */
  keysWithTag(name: string): Promise<TaggedKey[]>;
}

/** A stored line of the journal: numbered, with its time, chained to the previous one. */
export type JournalEntry = {
  alias: string;
  /** The revision of the record after this transition: 1, 2, 3 … */
  revision: number;
  atMs: number;
  epoch: number;
  event: string;
  reason: string;
  rotationId?: string;
  step?: string;
  detail: Record<string, string | number>;
  previousHash: string;
  hash: string;
};

/**
 * The stored aggregate: the record, the head of its journal, and the journal lines still to
 * publish. `writes` counts every claim, nudge and write, including those that keep the revision.
 */
export type Stored = {
  record: ManagedKey;
  journalHead: string;
  outbox: JournalEntry[];
  writes: number;
};

/** Work for the deployment as a whole; each chore has its own due time. */
export type Chore = "audit" | "tag-search";

export type DueItem =
  | { kind: "managed-key"; alias: string; dueAtMs: number }
  | { kind: "chore"; chore: Chore; dueAtMs: number }
  /** A request for this managed key. */
  | { kind: "request"; alias: string; dueAtMs: number }
  /** News of refused uses of this managed key's versions. */
  | { kind: "refusals"; alias: string; dueAtMs: number }
  /** The configuration applied last; always due: a run's one query returns it. */
  | { kind: "configuration"; hash: string };

/** The end of a page of due items; only the table that made it can read it. */
export type DueCursor = { readonly cursor: unknown };
export type DuePage = { items: DueItem[]; next?: DueCursor };

export type Claimed =
  | { kind: "claimed"; stored: Stored }
  /** Claimed by another run until then; or unclaimed, and not due or absent. */
  | { kind: "taken"; untilMs?: number }
  | { kind: "newer-schema"; schema: number };

export type ClaimRequest = {
  runId: string;
  /** The id of one pass: no other claim, of this run or another, has it. */
  passId: string;
  nowMs: number;
  untilMs: number;
  /** When it falls due again if this run never finishes; later after each such run. */
  dueAgainAtMs: number;
  /**
   * "due": only if due and unclaimed. "asked": only if unclaimed. "force": from any holder, which
   * then can no longer write.
   */
  taking: "due" | "asked" | "force";
};

/** A request's item: `body` is every attribute but the key, unchecked. */
export type RequestItem = { id: string; body: Record<string, unknown> };

/**
 * The conditions of a write. An announced call is a write that raises neither revision nor epoch:
 * `writes` keeps another write from erasing it.
 */
export type Expected = { revision: number; epoch: number; writes: number };

export type Written = { kind: "written" } | { kind: "lost" };

/** The part of the configuration that the CLI reads from the table. */
export type AppliedConfiguration = {
  owner: string;
  mode: Mode;
  /** The names of its policies. */
  policies: string[];
  taggedAliases: string[];
  /** Absent where an older version wrote it. */
  acceptedRefusals?: AcceptedRefusal[];
  /** Whether the deployment collects refused uses; absent where an older version wrote it. */
  refusalsWatch?: DrainWatch;
};

export type Bound = { kind: "bound" } | { kind: "taken"; by: string };

/** The refused uses that the second function collects; it writes nothing but these. */
export interface RefusedUses {
  refusals(alias: string): Promise<Refusals | undefined>;
  /** Writes them if nobody did since the read of `readRevision`; 0 if there were none. */
  saveRefusals(alias: string, next: Refusals, readRevision: number): Promise<boolean>;
  /** They fall due no longer, unless they changed since this revision. A copy of it is outdated from then on. */
  refusalsRead(alias: string, revision: number): Promise<void>;
  /** Of an alias that is not managed. */
  forgetRefusals(alias: string): Promise<void>;
  refusalsWatch(): Promise<RefusalsWatch | undefined>;
  saveRefusalsWatch(next: RefusalsWatch, readRevision: number): Promise<boolean>;
}

/** `dueAtMs`: when it becomes due; without it, now. `onlyEarlier`: not where it is due by then. */
export type Nudge = { dueAtMs?: number; suspectedAtMs?: number; onlyEarlier?: boolean };

/** The state. Every write is conditional, and repeating one has no other effect. */
export interface Table extends RefusedUses {
  /** The due items, the longest due first; `next` if the limit cut it. One query. */
  due(nowMs: number, limit: number, after?: DueCursor): Promise<DuePage>;
  /** The right to be the only working run; the same run may renew `untilMs`. */
  takeRunClaim(runId: string, nowMs: number, untilMs: number): Promise<boolean>;
  releaseRunClaim(runId: string): Promise<void>;
  claim(alias: string, request: ClaimRequest): Promise<Claimed>;
  /** Writes the aggregate if it was not claimed or written since it was read. */
  write(next: Stored, expected: Expected): Promise<Written>;
  read(alias: string): Promise<Stored | undefined>;
  /** The records of these managed keys, as far as the table has them. */
  readMany(aliases: string[]): Promise<ManagedKey[]>;
  /** Creates the record if there is none. */
  create(record: ManagedKey): Promise<void>;
  /**
   * Makes a managed key due; `suspectedAtMs` if an external actor seems to have changed it. False, without effect, if
   * a run holds it. A run whose claim expired before it writes nothing over it.
   */
  nudge(alias: string, nowMs: number, nudge?: Nudge): Promise<boolean>;
  /** Makes a KMS key a version of this managed key only. */
  bind(keyId: string, alias: string, nowMs: number): Promise<Bound>;
  unbind(keyId: string, alias: string): Promise<void>;
  boundTo(keyId: string): Promise<string | undefined>;
  /** The requests of a managed key in the order of their ids, read consistently. */
  requests(alias: string): Promise<RequestItem[]>;
  deleteRequests(alias: string, ids: string[]): Promise<void>;
  /** Distinguishes this table from one restored from its backup or recreated under its name. */
  id(): Promise<string>;
  /** Puts journal entries and closed rotations into items of their own; idempotent. */
  archive(entries: JournalEntry[], closed: { alias: string; rotation: Rotation }[]): Promise<void>;
  closedRotation(alias: string, rotationId: string): Promise<Rotation | undefined>;
  /** Marks this configuration as the one applied; `forget` those before it first. */
  recordConfiguration(hash: string, applied: AppliedConfiguration): Promise<void>;
  forgetConfigurations(hashes: string[]): Promise<void>;
  /** Records the arrival of a canary sent at `atMs`. The latest stays. */
  heard(atMs: number): Promise<void>;
  heardAtMs(): Promise<number | undefined>;
  /** Sets the chore's next due time and its last findings; `undefined` keeps those stored. */
  schedule(chore: Chore, dueAtMs: number, findings: Finding[] | undefined): Promise<void>;
}

/** Publishes to dependents, at least once, in the order of the journal. */
export interface Events {
  publish(entries: JournalEntry[]): Promise<void>;
}

export interface Clock {
  nowMs(): number;
  sleep(ms: number): Promise<void>;
}

/** Randomness and ids: a number in [0, 1), and an id that no other call returns. */
export interface Chance {
  next(): number;
  id(): string;
}

export type Ports = {
  keys: KeyService;
  discovery: Discovery;
  table: Table;
  events: Events;
  clock: Clock;
  chance: Chance;
};
