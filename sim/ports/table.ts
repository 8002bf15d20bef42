/** The state table in memory: the other side of the Table port, under the same contract suite. */
import { claimDelayMs } from "../../lambda/backoff.ts";
import { genesisHash } from "../../lambda/journal.ts";
import type {
  DueCursor,
  DueItem,
  DuePage,
  JournalEntry,
  Stored,
  Table,
} from "../../lambda/ports.ts";
import { clockSkewMs } from "../../lambda/workflow/limits.ts";
import type { Finding } from "../../lambda/workflow/findings.ts";
import type { Rotation } from "../../lambda/workflow/types.ts";

export type TableTwin = Table & {
  /** What is stored, to look at in tests; changing it changes nothing. */
  journal(alias: string): JournalEntry[];
  auditFindings(): Finding[];
};

export function createTableTwin(): TableTwin {
  const state = new State();
  return {
    due: (nowMs, limit, after) => later(() => state.due(nowMs, limit, after)),
    takeRunClaim: (runId, nowMs, untilMs) => later(() => state.takeRun(runId, nowMs, untilMs)),
    releaseRunClaim: (runId) =>
      later(() => {
        if (state.runClaim?.runId === runId) state.runClaim = undefined;
      }),
    claim: (alias, request) => later(() => state.claim(alias, request)),
    write: (next, expected) => later(() => state.write(next, expected)),
    read: (alias) => later(() => copy(state.records.get(alias))),
    readMany: (aliases) =>
      later(() => aliases.flatMap((alias) => copy(state.records.get(alias))?.record ?? [])),
    create: (record) =>
      later(() => {
        if (state.records.has(record.alias)) return;
        state.records.set(record.alias, copy({ record, journalHead: genesisHash, outbox: [] }));
      }),
    nudge: (alias, nowMs, suspectedAtMs) => later(() => state.nudge(alias, nowMs, suspectedAtMs)),
    bind: (keyId, alias, nowMs) => later(() => state.bind(keyId, alias, nowMs)),
    unbind: (keyId, alias) =>
      later(() => {
        if (state.bindings.get(keyId) === alias) state.bindings.delete(keyId);
      }),
    boundTo: (keyId) => later(() => state.bindings.get(keyId)),
    archive: (entries, closed) => later(() => state.archive(entries, closed)),
    closedRotation: (alias, id) => later(() => copy(state.closed.get(`${alias} ${id}`))),
    recordConfiguration: (hash) => later(() => void state.configurations.add(hash)),
    forgetConfigurations: (hashes) =>
      later(() => hashes.forEach((hash) => state.configurations.delete(hash))),
    scheduleAudit: (dueAtMs, findings) =>
      later(() => {
        state.audit = { dueAtMs, findings: findings ?? state.audit?.findings ?? [] };
      }),
    journal: (alias) => state.journal(alias),
    auditFindings: () => state.audit?.findings ?? [],
  };
}

function later<T>(what: () => T): Promise<T> {
  return Promise.resolve().then(what);
}

function copy<T>(value: T): T {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T);
}

class State {
  readonly records = new Map<string, Stored>();
  readonly bindings = new Map<string, string>();
  readonly closed = new Map<string, Rotation>();
  readonly configurations = new Set<string>();
  readonly archived = new Map<string, Map<number, JournalEntry>>();
  runClaim: { runId: string; untilMs: number } | undefined;
  audit: { dueAtMs: number; findings: Finding[] } | undefined;

  due(nowMs: number, limit: number, after: DueCursor | undefined): DuePage {
    const timed: { atMs: number; item: DueItem }[] = [];
    for (const hash of this.configurations) {
      timed.push({ atMs: 0, item: { kind: "configuration", hash } });
    }
    for (const [alias, { record }] of this.records) {
      const { dueAtMs } = record;
      timed.push({ atMs: dueAtMs, item: { kind: "managed-key", alias, dueAtMs } });
    }
    if (this.audit !== undefined) {
      const { dueAtMs } = this.audit;
      timed.push({ atMs: dueAtMs, item: { kind: "audit", dueAtMs } });
    }
    const place = ({ atMs, item }: (typeof timed)[number]): string =>
      `${String(atMs).padStart(16, "0")} ${JSON.stringify(item)}`;
    const from = (after?.cursor as string | undefined) ?? "";
    const due = timed
      .filter((entry) => entry.atMs <= nowMs && place(entry) > from)
      .sort((a, b) => (place(a) < place(b) ? -1 : 1));
    const page = due.slice(0, limit);
    const last = page.at(-1);
    const cut = due.length > limit && last !== undefined;
    const next = cut ? { next: { cursor: place(last) } } : {};
    return { items: page.map(({ item }) => item), ...next };
  }

  takeRun(runId: string, nowMs: number, untilMs: number): boolean {
    const held = this.runClaim;
    if (held !== undefined && held.untilMs >= nowMs && held.runId !== runId) return false;
    this.runClaim = { runId, untilMs };
    return true;
  }

  claim(
    alias: string,
    request: Parameters<Table["claim"]>[1],
  ): Awaited<ReturnType<Table["claim"]>> {
    const stored = this.records.get(alias);
    if (stored === undefined) return { kind: "taken" };
    const { record } = stored;
    const schema: number = record.schema;
    if (schema !== 1) return { kind: "newer-schema", schema };
    const claimed = record.claim !== undefined && record.claim.untilMs >= request.nowMs;
    if (claimed) return { kind: "taken", untilMs: record.claim?.untilMs ?? 0 };
    if (record.dueAtMs > request.nowMs) return { kind: "taken" };
    const epoch = record.epoch + 1;
    const backoff = { ...record.backoff, tries: record.backoff.tries + 1 };
    const claim = { runId: request.runId, epoch, untilMs: request.untilMs };
    const dueAtMs = request.dueAgainAtMs + claimDelayMs(record.backoff.tries);
    const next = { ...record, epoch, claim, backoff, dueAtMs };
    this.records.set(alias, { ...stored, record: next });
    return { kind: "claimed", stored: copy({ ...stored, record: next }) };
  }

  write(
    next: Stored,
    expected: { revision: number; epoch: number },
  ): { kind: "written" } | { kind: "lost" } {
    const there = this.records.get(next.record.alias)?.record;
    const holds = there?.revision === expected.revision && there.epoch === expected.epoch;
    if (!holds) return { kind: "lost" };
    this.records.set(next.record.alias, copy(next));
    return { kind: "written" };
  }

  nudge(alias: string, nowMs: number, suspectedAtMs: number | undefined): boolean {
    const stored = this.records.get(alias);
    if (stored === undefined || (stored.record.claim?.untilMs ?? 0) >= nowMs) return false;
    const suspected = suspectedAtMs === undefined ? {} : { suspectedAtMs };
    const record = { ...stored.record, dueAtMs: nowMs, ...suspected };
    this.records.set(alias, { ...stored, record });
    return true;
  }

  bind(keyId: string, alias: string, nowMs: number): Awaited<ReturnType<Table["bind"]>> {
    const by = this.bindings.get(keyId);
    if (by !== undefined && by !== alias) {
      const other = this.records.get(by)?.record;
      const listed = other?.versions.some((version) => version.keyId === keyId) ?? false;
      const atWork = other?.claim !== undefined && other.claim.untilMs + clockSkewMs >= nowMs;
      if (listed || atWork) return { kind: "taken", by };
    }
    this.bindings.set(keyId, alias);
    return { kind: "bound" };
  }

  archive(entries: JournalEntry[], closed: { alias: string; rotation: Rotation }[]): void {
    for (const entry of entries) {
      const lines = this.archived.get(entry.alias) ?? new Map<number, JournalEntry>();
      lines.set(entry.revision, copy(entry));
      this.archived.set(entry.alias, lines);
    }
    for (const { alias, rotation } of closed) {
      this.closed.set(`${alias} ${rotation.id}`, copy(rotation));
    }
  }

  journal(alias: string): JournalEntry[] {
    const lines = new Map(this.archived.get(alias));
    for (const entry of this.records.get(alias)?.outbox ?? []) lines.set(entry.revision, entry);
    return copy([...lines.values()].sort((a, b) => a.revision - b.revision));
  }
}
