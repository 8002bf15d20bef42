/** The state table in memory: the Table port under the same contract suite as the adapter. */
import { claimBy, type ClaimSteps } from "../../lambda/pass/claim.ts";
import { genesisHash } from "../../lambda/record/journal.ts";
import { migrateRotation } from "../../lambda/record/migrate.ts";
import type {
  Chore,
  ClaimRequest,
  JournalEntry,
  RefusedUses,
  Stored,
  Table,
} from "../../lambda/ports.ts";
import type { Finding } from "../../lambda/workflow/model/findings.ts";
import { copied, shared, TableState, type Contents } from "./table-state.ts";

export type TableTwin = Table & {
  /** The result of `id()`: a table restored from a backup has a new one. */
  tableId: string;
  /** Copies of the contents, for tests. */
  journal(alias: string): JournalEntry[];
  choreFindings(chore: Chore): Finding[];
  /** The single requests of a claim: another run may act between any two of them. */
  claimSteps(alias: string, request: ClaimRequest): ClaimSteps;
  /** Whether a run would find something due. */
  isDue(nowMs: number): boolean;
  /** The stored record, in its stored schema. */
  stored(alias: string): unknown;
  /** Stores a record of any schema, unconditionally. */
  put(stored: { record: { alias: string } }): void;
  /** Puts a request for a managed key: a separate item, due at once. */
  ask(alias: string, id: string, body: Record<string, unknown>): void;
  /** A backup of the contents, without the table's id. */
  snapshot(): unknown;
  /** Replaces the contents with a backup; a test must set the table's id itself. */
  restore(snapshot: unknown): void;
};

/** `shares`: the table returns its values without copies, for callers that never change them. */
export function createTableTwin(options: { tableId?: string; shares?: boolean } = {}): TableTwin {
  const state = new TableState(options.shares === true ? shared : copied);
  const reading = {
    journal: (alias: string) => state.journal(alias),
    isDue: (nowMs: number) => state.isDue(nowMs),
    choreFindings: (chore: Chore) => state.copy(state.contents.chores.get(chore)?.findings ?? []),
    stored: (alias: string) => state.copy(state.contents.records.get(alias)),
  };
  const setting = {
    put: (stored: { record: { alias: string } }) =>
      void state.contents.records.set(stored.record.alias, state.copy(stored as Stored)),
    ask: (alias: string, id: string, body: Record<string, unknown>) => state.ask(alias, id, body),
    snapshot: () => structuredClone(state.contents),
    restore: (snapshot: unknown) => {
      state.contents = structuredClone(snapshot as Contents);
    },
  };
  const twin: TableTwin = {
    ...recordsOf(state),
    ...bindingsOf(state),
    ...deploymentItemsOf(state),
    ...refusalsOf(state),
    ...reading,
    ...setting,
    tableId: options.tableId ?? "table-1",
    id: () => later(() => twin.tableId),
    claimSteps: (alias, request) => claimStepsOf(state, alias, request),
    requests: (alias) => later(() => state.requests(alias)),
    deleteRequests: (alias, ids) => later(() => state.deleteRequests(alias, ids)),
  };
  return twin;
}

function recordsOf(
  state: TableState,
): Pick<Table, "due" | "claim" | "write" | "read" | "readMany" | "create" | "nudge"> {
  return {
    due: (nowMs, limit, after) => later(() => state.due(nowMs, limit, after)),
    claim: (alias, request) => claimBy(claimStepsOf(state, alias, request), request),
    write: (next, expected) => later(() => state.write(next, expected)),
    read: (alias) => later(() => state.read(alias)),
    readMany: (aliases) => later(() => aliases.flatMap((alias) => state.read(alias)?.record ?? [])),
    create: (record) =>
      later(() => {
        const { records } = state.contents;
        if (records.has(record.alias)) return;
        const made = { record, journalHead: genesisHash, outbox: [], writes: 0 };
        records.set(record.alias, state.copy(made));
      }),
    nudge: (alias, nowMs, how = {}) => later(() => state.nudge(alias, nowMs, how)),
  };
}

function claimStepsOf(state: TableState, alias: string, request: ClaimRequest): ClaimSteps {
  return {
    read: () => later(() => state.held(alias)),
    set: (before) => later(() => state.setClaim(alias, request, before)),
  };
}

function bindingsOf(
  state: TableState,
): Pick<Table, "bind" | "unbind" | "boundTo" | "archive" | "closedRotation"> {
  return {
    bind: (keyId, alias, nowMs) => later(() => state.bind(keyId, alias, nowMs)),
    unbind: (keyId, alias) =>
      later(() => {
        const { bindings } = state.contents;
        if (bindings.get(keyId) === alias) bindings.delete(keyId);
      }),
    boundTo: (keyId) => later(() => state.contents.bindings.get(keyId)),
    archive: (entries, closed) => later(() => state.archive(entries, closed)),
    closedRotation: (alias, id) =>
      later(() => {
        const rotation = state.contents.closed.get(`${alias} ${id}`);
        return rotation === undefined ? undefined : migrateRotation(state.copy(rotation));
      }),
  };
}

type DeploymentItems =
  | "takeRunClaim"
  | "releaseRunClaim"
  | "recordConfiguration"
  | "forgetConfigurations"
  | "schedule"
  | "heard"
  | "heardAtMs";

function deploymentItemsOf(state: TableState): Pick<Table, DeploymentItems> {
  return {
    takeRunClaim: (runId, nowMs, untilMs) => later(() => state.takeRun(runId, nowMs, untilMs)),
    releaseRunClaim: (runId) =>
      later(() => {
        if (state.contents.runClaim?.runId === runId) state.contents.runClaim = undefined;
      }),
    recordConfiguration: (hash) => later(() => void state.contents.configurations.add(hash)),
    forgetConfigurations: (hashes) =>
      later(() => hashes.forEach((hash) => state.contents.configurations.delete(hash))),
    heard: (atMs) =>
      later(() => {
        const { contents } = state;
        contents.heardAtMs = Math.max(contents.heardAtMs ?? atMs, atMs);
      }),
    heardAtMs: () => later(() => state.contents.heardAtMs),
    schedule: (chore, dueAtMs, findings) =>
      later(() => {
        const { chores } = state.contents;
        const kept = findings ?? chores.get(chore)?.findings ?? [];
        chores.set(chore, { dueAtMs, findings: state.copy(kept) });
      }),
  };
}

function refusalsOf(state: TableState): RefusedUses {
  return {
    refusals: (alias) => later(() => state.copy(state.contents.refusals.get(alias))),
    saveRefusals: (alias, next, revision) => later(() => state.saveRefusals(alias, next, revision)),
    refusalsRead: (alias, revision) => later(() => state.refusalsRead(alias, revision)),
    forgetRefusals: (alias) => later(() => void state.contents.refusals.delete(alias)),
    refusalsWatch: () => later(() => state.copy(state.contents.refusalsWatch)),
    saveRefusalsWatch: (next, revision) => later(() => state.saveRefusalsWatch(next, revision)),
  };
}

function later<T>(act: () => T): Promise<T> {
  return Promise.resolve().then(act);
}
