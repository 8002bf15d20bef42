/** The contents of the in-memory table, and its conditional requests, each of them atomic. */
import { claimDelayMs } from "../../lambda/pass/backoff.ts";
import type { Held } from "../../lambda/pass/claim.ts";
import { readRecord } from "../../lambda/record/migrate.ts";
import type {
  Chore,
  Bound,
  ClaimRequest,
  DueCursor,
  DueItem,
  DuePage,
  Expected,
  JournalEntry,
  RequestItem,
  Stored,
  Written,
  Nudge,
} from "../../lambda/ports.ts";
import type { Finding } from "../../lambda/workflow/model/findings.ts";
import { clockSkewMs } from "../../lambda/workflow/model/limits.ts";
import type { Refusals, RefusalsWatch, Rotation } from "../../lambda/workflow/model/types.ts";

/** Records and closed rotations keep the schema in which they were put. */
export type Contents = {
  records: Map<string, Stored>;
  /** By managed key and id. */
  requests: Map<string, Map<string, Record<string, unknown>>>;
  bindings: Map<string, string>;
  closed: Map<string, Rotation>;
  configurations: Set<string>;
  archived: Map<string, Map<number, JournalEntry>>;
  runClaim: { runId: string; untilMs: number } | undefined;
  heardAtMs: number | undefined;
  chores: Map<Chore, { dueAtMs: number; findings: Finding[] }>;
  refusals: Map<string, Refusals>;
  refusalsWatch: RefusalsWatch | undefined;
};

export type Copy = <T>(value: T) => T;

/** A copy as a table returns it: without undefined attributes. */
export const copied: Copy = <T>(value: T) =>
  value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T);

/** No copy: faster, for callers that never change the values. */
export const shared: Copy = <T>(value: T) => value;

export class TableState {
  readonly copy: Copy;
  contents: Contents = {
    records: new Map(),
    requests: new Map(),
    bindings: new Map(),
    closed: new Map(),
    configurations: new Set(),
    archived: new Map(),
    runClaim: undefined,
    heardAtMs: undefined,
    chores: new Map(),
    refusals: new Map(),
    refusalsWatch: undefined,
  };

  constructor(copy: Copy) {
    this.copy = copy;
  }

  read(alias: string): Stored | undefined {
    return this.copy(this.#readable(alias));
  }

  /** Not a copy. */
  #readable(alias: string): Stored | undefined {
    const stored = this.contents.records.get(alias);
    if (stored === undefined) return undefined;
    const read = readRecord(stored.record);
    if (read.kind === "newer-schema") return undefined;
    return { ...stored, record: read.record, writes: writesOf(stored) };
  }

  /** The record as a claim reads it, even if newer code wrote it. */
  held(alias: string): Held | undefined {
    const stored = this.contents.records.get(alias);
    if (stored === undefined) return undefined;
    const read = readRecord(stored.record);
    if (read.kind === "newer-schema") return read;
    const readable = this.copy({ ...stored, record: read.record, writes: writesOf(stored) });
    return { kind: "held", stored: readable, storedSchema: read.storedSchema };
  }

  due(nowMs: number, limit: number, after: DueCursor | undefined): DuePage {
    const place = ({ atMs, item, id }: Timed): string =>
      `${String(atMs).padStart(16, "0")} ${JSON.stringify(item)} ${id ?? ""}`;
    const from = (after?.cursor as string | undefined) ?? "";
    const due = this.#timed()
      .filter(({ atMs }) => atMs <= nowMs)
      .map((entry) => ({ item: entry.item, at: place(entry) }))
      .filter(({ at }) => at > from)
      .sort((a, b) => (a.at < b.at ? -1 : 1));
    const page = due.slice(0, limit);
    const last = page.at(-1);
    const cut = due.length > limit && last !== undefined;
    const next = cut ? { next: { cursor: last.at } } : {};
    return { items: page.map(({ item }) => item), ...next };
  }

  isDue(nowMs: number): boolean {
    const { configurations, requests, records, chores, refusals } = this.contents;
    if (configurations.size === 0) return true;
    for (const asked of requests.values()) if (asked.size > 0) return true;
    for (const { record } of records.values()) if (record.dueAtMs <= nowMs) return true;
    for (const { dueAtMs } of chores.values()) if (dueAtMs <= nowMs) return true;
    for (const { dueAtMs } of refusals.values()) if ((dueAtMs ?? Infinity) <= nowMs) return true;
    return false;
  }

  #timed(): Timed[] {
    const { configurations, requests, records, chores, refusals } = this.contents;
    const timed: Timed[] = [];
    for (const hash of configurations) {
      timed.push({ atMs: 0, item: { kind: "configuration", hash } });
    }
    for (const [alias, asked] of requests) {
      const item = { kind: "request", alias, dueAtMs: 0 } as const;
      for (const id of asked.keys()) timed.push({ atMs: 0, item, id });
    }
    for (const [alias, { record }] of records) {
      const { dueAtMs } = record;
      timed.push({ atMs: dueAtMs, item: { kind: "managed-key", alias, dueAtMs } });
    }
    for (const [chore, { dueAtMs }] of chores) {
      timed.push({ atMs: dueAtMs, item: { kind: "chore", chore, dueAtMs } });
    }
    for (const [alias, { dueAtMs }] of refusals) {
      if (dueAtMs === undefined) continue;
      timed.push({ atMs: dueAtMs, item: { kind: "refusals", alias, dueAtMs } });
    }
    return timed;
  }

  takeRun(runId: string, nowMs: number, untilMs: number): boolean {
    const held = this.contents.runClaim;
    if (held !== undefined && held.untilMs >= nowMs && held.runId !== runId) return false;
    this.contents.runClaim = { runId, untilMs };
    return true;
  }

  /** One conditional update, like the adapter's; undefined if the condition fails. */
  setClaim(
    alias: string,
    { runId, passId, nowMs, untilMs, dueAgainAtMs, taking }: ClaimRequest,
    { stored: before, storedSchema }: { stored: Stored; storedSchema: number },
  ): Held | undefined {
    const stored = this.contents.records.get(alias);
    if (stored === undefined) return undefined;
    const { record } = stored;
    if (record.epoch !== before.record.epoch || Number(record.schema) !== storedSchema)
      return undefined;
    const isHeld = record.claim !== undefined && record.claim.untilMs >= nowMs;
    if (isHeld && taking !== "force") return undefined;
    if (taking === "due" && record.dueAtMs > nowMs) return undefined;
    const epoch = record.epoch + 1;
    const backoff = { ...record.backoff, tries: record.backoff.tries + 1 };
    const claim = { runId, passId, epoch, untilMs };
    const dueAtMs = dueAgainAtMs + claimDelayMs(record.backoff.tries);
    // An older schema stays: the next write puts the current one.
    const next = { ...stored, record: { ...record, epoch, claim, backoff, dueAtMs } };
    this.contents.records.set(alias, { ...next, writes: writesOf(stored) + 1 });
    return this.held(alias);
  }

  write(next: Stored, expected: Expected): Written {
    const there = this.#readable(next.record.alias);
    const holds =
      there?.record.revision === expected.revision &&
      there.record.epoch === expected.epoch &&
      there.writes === expected.writes;
    if (!holds) return { kind: "lost" };
    this.contents.records.set(next.record.alias, this.copy(next));
    return { kind: "written" };
  }

  nudge(alias: string, nowMs: number, how: Nudge): boolean {
    const stored = this.contents.records.get(alias);
    if (stored === undefined || readRecord(stored.record).kind === "newer-schema") return false;
    if ((stored.record.claim?.untilMs ?? 0) >= nowMs) return false;
    const { onlyEarlier = false, ...times } = how;
    if (onlyEarlier && stored.record.dueAtMs <= (how.dueAtMs ?? nowMs)) return false;
    const record = { ...stored.record, dueAtMs: nowMs, ...times };
    this.contents.records.set(alias, { ...stored, record, writes: writesOf(stored) + 1 });
    return true;
  }

  bind(keyId: string, alias: string, nowMs: number): Bound {
    const { bindings, records } = this.contents;
    const by = bindings.get(keyId);
    if (by !== undefined && by !== alias) {
      const other = this.#readable(by)?.record;
      const isUnreadable = records.has(by) && other === undefined;
      const listed = other?.versions.some((version) => version.keyId === keyId) ?? false;
      const isClaimed = other?.claim !== undefined && other.claim.untilMs + clockSkewMs >= nowMs;
      if (isUnreadable || listed || isClaimed) return { kind: "taken", by };
    }
    bindings.set(keyId, alias);
    return { kind: "bound" };
  }

  archive(entries: JournalEntry[], closed: { alias: string; rotation: Rotation }[]): void {
    const { archived } = this.contents;
    for (const entry of entries) {
      const lines = archived.get(entry.alias) ?? new Map<number, JournalEntry>();
      lines.set(entry.revision, this.copy(entry));
      archived.set(entry.alias, lines);
    }
    for (const { alias, rotation } of closed) {
      this.contents.closed.set(`${alias} ${rotation.id}`, this.copy(rotation));
    }
  }

  journal(alias: string): JournalEntry[] {
    const lines = new Map(this.contents.archived.get(alias));
    for (const entry of this.contents.records.get(alias)?.outbox ?? []) {
      lines.set(entry.revision, entry);
    }
    return this.copy([...lines.values()].sort((a, b) => a.revision - b.revision));
  }

  ask(alias: string, id: string, body: Record<string, unknown>): void {
    const asked = this.contents.requests.get(alias) ?? new Map<string, Record<string, unknown>>();
    asked.set(id, structuredClone(body));
    this.contents.requests.set(alias, asked);
  }

  /** In the order of a sort key: by its UTF-8 bytes. */
  requests(alias: string): RequestItem[] {
    const asked = [...(this.contents.requests.get(alias) ?? [])];
    return asked
      .map(([id, body]) => ({ id, body: structuredClone(body) }))
      .sort((a, b) => Buffer.compare(Buffer.from(a.id), Buffer.from(b.id)));
  }

  saveRefusals(alias: string, next: Refusals, readRevision: number): boolean {
    const { refusals } = this.contents;
    if ((refusals.get(alias)?.revision ?? readRevision) !== readRevision) return false;
    refusals.set(alias, this.copy(next));
    return true;
  }

  refusalsRead(alias: string, revision: number): void {
    const { refusals } = this.contents;
    const { dueAtMs: _, ...there } = refusals.get(alias) ?? { revision: -1, on: {} };
    if (there.revision !== revision) return;
    refusals.set(alias, { ...there, revision: revision + 1 });
  }

  saveRefusalsWatch(next: RefusalsWatch, readRevision: number): boolean {
    if ((this.contents.refusalsWatch?.revision ?? readRevision) !== readRevision) return false;
    this.contents.refusalsWatch = this.copy(next);
    return true;
  }

  deleteRequests(alias: string, ids: string[]): void {
    for (const id of ids) this.contents.requests.get(alias)?.delete(id);
  }
}

/** A record of version 0.1.0 that no run has claimed since has no write count. */
function writesOf(stored: { writes?: number }): number {
  return stored.writes ?? 0;
}

/** `id` distinguishes entries with the same item. */
type Timed = { atMs: number; item: DueItem; id?: string };
