/** The state table in memory: the other side of the Table port, under the same contract suite. */
import { claimBy, type ClaimSteps } from "../../lambda/pass/claim.ts";
import { genesisHash } from "../../lambda/record/journal.ts";
import { migrateRotation } from "../../lambda/record/migrate.ts";
import type { Chore, ClaimRequest, JournalEntry, Stored, Table } from "../../lambda/ports.ts";
import type { Finding } from "../../lambda/workflow/model/findings.ts";
import { copied, shared, TableState, type Contents } from "./table-state.ts";

export type TableTwin = Table & {
  /** Answers `id()`: a table that was restored from a backup has another one than it had. */
  tableId: string;
  /** What is stored, to look at in tests; changing it changes nothing. */
  journal(alias: string): JournalEntry[];
  choreFindings(chore: Chore): Finding[];
  /** The requests that a claim consists of: what another run does may come between any two. */
  claimSteps(alias: string, request: ClaimRequest): ClaimSteps;
  /** Whether a run would find something to do. */
  isDue(nowMs: number): boolean;
  /** The record as it lies there, in whatever schema. */
  stored(alias: string): unknown;
  /** Puts a record there, in whatever schema, unconditionally. */
  put(stored: { record: { alias: string } }): void;
  /** Somebody asks something of a managed key: an item of its own, due at once. */
  ask(alias: string, id: string, body: Record<string, unknown>): void;
  /** A backup: all that is stored, but for the table's id. */
  snapshot(): unknown;
  /** Puts a backup in the place of all that is stored; the table's id is left for a test to set. */
  restore(snapshot: unknown): void;
};

/** `shares`: what is stored is handed out as it is, to callers who are known to change nothing. */
export function createTableTwin(options: { tableId?: string; shares?: boolean } = {}): TableTwin {
  const state = new TableState(options.shares === true ? shared : copied);
  const lookingOn = {
    journal: (alias: string) => state.journal(alias),
    isDue: (nowMs: number) => state.isDue(nowMs),
    choreFindings: (chore: Chore) => state.copy(state.contents.chores.get(chore)?.findings ?? []),
    stored: (alias: string) => state.copy(state.contents.records.get(alias)),
  };
  const meddling = {
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
    ...lookingOn,
    ...meddling,
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
    nudge: (alias, nowMs, suspectedAtMs) => later(() => state.nudge(alias, nowMs, suspectedAtMs)),
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

function later<T>(what: () => T): Promise<T> {
  return Promise.resolve().then(what);
}
