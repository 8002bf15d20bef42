/**
 * What a run needs of the world, in the domain's words. Each port has two sides under one contract
 * suite: AWS (`lambda/aws`) and the simulation (`sim`).
 */
import type {
  Call,
  Grant,
  Key,
  KeyPolicy,
  LastUse,
  ManagedKey,
  Mode,
  Outcome,
  Rotation,
  Observation,
  TaggedKey,
  Tags,
} from "./workflow/model/types.ts";
import type { Finding } from "./workflow/model/findings.ts";

/**
 * Until when a changing call may be sent, and how long its answer is waited for. Past `deadlineMs` it
 * is refused at the send step, however late a frozen promise thaws.
 */
export type Guard = { deadlineMs: number; limitMs: number };

/** Looks throw a `RotationError` where KMS gives no answer; a denial or an absence is an answer. */
export interface KeyService {
  /** DescribeKey, by key id or alias name. */
  describe(key: string): Promise<Observation<Key>>;
  /** Names of the aliases that point at the key. */
  aliasesOf(keyId: string): Promise<Observation<string[]>>;
  policyOf(keyId: string): Promise<Observation<KeyPolicy>>;
  tagsOf(keyId: string): Promise<Observation<Tags>>;
  grantsOf(keyId: string): Promise<Observation<Grant[]>>;
  lastUseOf(keyId: string): Promise<Observation<LastUse>>;
  /** A DescribeKey whose event in CloudTrail can be told from all others (`canaryMark`). */
  canary(keyId: string): Promise<void>;
  /** Every alias of the account and Region that points at a key. */
  allAliases(): Promise<{ alias: string; keyId: string }[]>;
  /** One attempt, no retry; never throws for what KMS or the network does. */
  change(call: Call, guard: Guard): Promise<Outcome>;
}

/** Finds keys by tag. It may lag and may name keys that are gone: confirm on the key. */
export interface Discovery {
  keysTagged(tags: Tags): Promise<TaggedKey[]>;
  /** Keys that carry a tag of this name, whatever its value. */
  keysWithTag(name: string): Promise<TaggedKey[]>;
}

/** A line of history as it is kept: numbered, stamped, and chained to the one before. */
export type JournalEntry = {
  alias: string;
  /** The revision of the record that this line made: 1, 2, 3 … */
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
 * The aggregate as it is stored: the record, the head of its journal, and what is yet to leave.
 * `writes` counts every claim and every write of it, those too that leave the revision as it is.
 */
export type Stored = {
  record: ManagedKey;
  journalHead: string;
  outbox: JournalEntry[];
  writes: number;
};

/** What is done for the deployment as a whole, each when it falls due. */
export type Chore = "audit" | "tag-search";

export type DueItem =
  | { kind: "managed-key"; alias: string; dueAtMs: number }
  | { kind: "chore"; chore: Chore; dueAtMs: number }
  /** Somebody asks something of this managed key. */
  | { kind: "request"; alias: string; dueAtMs: number }
  /** Which configuration was applied last; always due, so that a run learns it from its one query. */
  | { kind: "configuration"; hash: string };

/** Where a page of due items ended; only the table that made it can read it. */
export type DueCursor = { readonly cursor: unknown };
export type DuePage = { items: DueItem[]; next?: DueCursor };

export type Claimed =
  | { kind: "claimed"; stored: Stored }
  /** By another run, until then; or by nobody, and it is not due, or not there. */
  | { kind: "taken"; untilMs?: number }
  | { kind: "newer-schema"; schema: number };

export type ClaimRequest = {
  runId: string;
  /** One managed key's part of the run: no other claim, of this run or another, carries it. */
  passId: string;
  nowMs: number;
  untilMs: number;
  /** When it falls due again if this run never comes back; later, the more often that was so. */
  dueAgainAtMs: number;
  /**
   * "due": only where it is due, and nobody holds it. "asked": only where nobody holds it. "force":
   * from whoever holds it, who can write no more.
   */
  taking: "due" | "asked" | "force";
};

/** A request as its item has it: `body` is everything but the key, whatever was written there. */
export type RequestItem = { id: string; body: Record<string, unknown> };

/**
 * What a write is conditional on. An announced call is a write that raises neither revision nor epoch:
 * it is `writes` that keeps another write from erasing it.
 */
export type Expected = { revision: number; epoch: number; writes: number };

export type Written = { kind: "written" } | { kind: "lost" };

/** What people who see the table alone have to know of the configuration. */
export type AppliedConfiguration = {
  owner: string;
  mode: Mode;
  /** The names of its policies. */
  policies: string[];
  taggedAliases: string[];
};

export type Bound = { kind: "bound" } | { kind: "taken"; by: string };

/** The state. Every write is conditional, and none is made twice to different effect. */
export interface Table {
  /** What is due, the longest due first; `next` where the limit cut it. One query. */
  due(nowMs: number, limit: number, after?: DueCursor): Promise<DuePage>;
  /** The right to be the one run that works; `untilMs` may be renewed by the same run. */
  takeRunClaim(runId: string, nowMs: number, untilMs: number): Promise<boolean>;
  releaseRunClaim(runId: string): Promise<void>;
  claim(alias: string, request: ClaimRequest): Promise<Claimed>;
  /** Writes the aggregate on condition that nobody claimed or wrote it since it was read. */
  write(next: Stored, expected: Expected): Promise<Written>;
  read(alias: string): Promise<Stored | undefined>;
  /** Those of these managed keys that the table holds. */
  readMany(aliases: string[]): Promise<ManagedKey[]>;
  /** Creates the record where there is none. */
  create(record: ManagedKey): Promise<void>;
  /**
   * Has a managed key looked at soon; `suspectedAtMs` where an alias of it seems to
   * have moved. False where a run holds it, and nothing was noted.
   */
  nudge(alias: string, nowMs: number, suspectedAtMs?: number): Promise<boolean>;
  /** Makes a KMS key a version of this managed key only. */
  bind(keyId: string, alias: string, nowMs: number): Promise<Bound>;
  unbind(keyId: string, alias: string): Promise<void>;
  boundTo(keyId: string): Promise<string | undefined>;
  /** The requests of a managed key in the order of their ids, read consistently. */
  requests(alias: string): Promise<RequestItem[]>;
  deleteRequests(alias: string, ids: string[]): Promise<void>;
  /** What tells this table from one restored from its backup, or made anew under its name. */
  id(): Promise<string>;
  /** Puts journal entries and closed rotations into items of their own; idempotent. */
  archive(entries: JournalEntry[], closed: { alias: string; rotation: Rotation }[]): Promise<void>;
  closedRotation(alias: string, rotationId: string): Promise<Rotation | undefined>;
  /** Marks this configuration as the one applied; `forget` those before it first. */
  recordConfiguration(hash: string, applied: AppliedConfiguration): Promise<void>;
  forgetConfigurations(hashes: string[]): Promise<void>;
  /** The event of a canary came, which was sent then. The latest stays. */
  heard(atMs: number): Promise<void>;
  heardAtMs(): Promise<number | undefined>;
  /** When the chore is due next, and what the last one found; `undefined` keeps what is there. */
  schedule(chore: Chore, dueAtMs: number, findings: Finding[] | undefined): Promise<void>;
}

/** Tells dependents; at least once, in the order of the journal. */
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
