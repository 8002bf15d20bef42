/**
 * The second function: it takes CloudTrail's events of refused uses from a queue, and stores what concerns a
 * managed key for the next run. It has no right on KMS: text by callers never meets a role that can disable
 * a key, and a flood of events delays no run.
 */
import type { FunctionLocation } from "../inbound/cloudtrail.ts";
import { readRefusedUse, type RefusedCall } from "../inbound/refused-use.ts";
import type { RefusedUses, Table } from "../ports.ts";
import type {
  AcceptedRefusal,
  ManagedKey,
  Refusals,
  RefusalsWatch,
} from "../workflow/model/types.ts";
import { inUseOf } from "../workflow/model/record.ts";
import { isAccepted } from "../workflow/safety/refusals.ts";
import { predecessorOf } from "../workflow/safety/excused.ts";
import { collected, none, type KnownVersion } from "./collected.ts";
import { Memory } from "./memory.ts";
import { tallyOf, withTally, type Tally } from "./tally.ts";
import { watched } from "./watched.ts";

export type RefusalsTable = Pick<Table, "boundTo" | "read"> & RefusedUses;

/** A message of the queue: one event, as JSON. */
export type Message = { id: string; body: string };

export type Collected = {
  /** The ids of the messages that must be delivered again. */
  failed: string[];
  /** How many events name no key. */
  unattributed: number;
  /** The first error of the table. */
  error?: unknown;
};

/** How many kinds of calls on a managed key wait in memory for their next write. */
const waitingMax = 2_000;
const attemptsMax = 5;
const theWatch = "watch";

/** The readings of one batch; `named`: the refused calls, by the key or alias that they are about. */
type Batch = {
  named: Map<string, { on: RefusedCall["on"]; calls: RefusedCall[]; ids: string[] }>;
  canaries: { id: string; atMs: number }[];
  unattributed: number;
};
type Item = { versions: KnownVersion[] | undefined; refusals: Refusals };

/** One for each process. */
export class Collector {
  readonly #table: RefusalsTable;
  readonly #nowMs: () => number;
  readonly #aliasOf: (alias: string) => string;
  readonly #acceptedOf: (alias: string) => AcceptedRefusal[];
  readonly #bindings: Memory<string | undefined>;
  readonly #items: Memory<Item>;
  readonly #watch: Memory<RefusalsWatch | undefined>;
  /** By managed key: calls that are not stored yet. */
  readonly #waiting = new Map<string, Map<string, Tally>>();
  /** How many events that name no key are not counted in the table yet. */
  #unattributed = 0;

  /** `aliasOf`: the managed key of any alias of its set. `acceptedOf`: what the configuration accepts for a managed key. */
  constructor(
    table: RefusalsTable,
    nowMs: () => number,
    aliasOf: (alias: string) => string,
    acceptedOf: (alias: string) => AcceptedRefusal[] = () => [],
  ) {
    this.#acceptedOf = acceptedOf;
    this.#table = table;
    this.#nowMs = nowMs;
    this.#aliasOf = aliasOf;
    this.#bindings = new Memory(nowMs);
    this.#items = new Memory(nowMs);
    this.#watch = new Memory(nowMs);
  }

  async collect(messages: Message[], home: FunctionLocation): Promise<Collected> {
    const { named, canaries, unattributed } = this.#read(messages, home);
    const result: Collected = { failed: [], unattributed };
    const orFail = async <T>(ids: string[], act: () => Promise<T>): Promise<T | undefined> => {
      try {
        return await act();
      } catch (error) {
        result.failed.push(...ids);
        result.error ??= error;
        return undefined;
      }
    };
    const byManagedKey = new Map<string, string[]>();
    for (const { on, calls, ids } of named.values()) {
      const alias = await orFail(ids, () => this.#managedKeyOf(on));
      if (alias === undefined) continue;
      for (const call of calls) this.#await(alias, tallyOf(call));
      byManagedKey.set(alias, [...(byManagedKey.get(alias) ?? []), ...ids]);
    }
    for (const [alias, ids] of byManagedKey) {
      await orFail(ids, () => this.#store(alias));
      this.#keepFew(alias);
    }
    const times = canaries.map(({ atMs }) => atMs);
    await orFail(
      canaries.map(({ id }) => id),
      () => this.#noteWatch(times, unattributed),
    );
    return result;
  }

  /** A time ahead of ours would count as after every later move. */
  #read(messages: Message[], home: FunctionLocation): Batch {
    const batch: Batch = { named: new Map(), canaries: [], unattributed: 0 };
    const nowMs = this.#nowMs();
    for (const { id, body } of messages) {
      const reading = readRefusedUse(eventIn(body), home);
      if (reading.kind === "unattributed") batch.unattributed += 1;
      if (reading.kind === "canary") {
        batch.canaries.push({ id, atMs: Math.min(reading.atMs, nowMs) });
      }
      if (reading.kind !== "refused") continue;
      const { call } = reading;
      const name = Object.values(call.on).join();
      const same = batch.named.get(name) ?? { on: call.on, calls: [], ids: [] };
      batch.named.set(name, same);
      same.calls.push({ ...call, atMs: Math.min(call.atMs, nowMs) });
      same.ids.push(id);
    }
    return batch;
  }

  async #managedKeyOf(on: RefusedCall["on"]): Promise<string | undefined> {
    if ("alias" in on) return this.#aliasOf(on.alias);
    const keyId = "keyId" in on ? on.keyId : on.readingByKeyId;
    return this.#bindings.get(keyId, () => this.#table.boundTo(keyId));
  }

  #await(alias: string, tally: Tally): void {
    const tallies = this.#waiting.get(alias) ?? new Map<string, Tally>();
    this.#waiting.set(alias, tallies);
    const name = `${tally.subject} ${tally.name}`;
    const before = tallies.get(name);
    tallies.set(name, before === undefined ? tally : withTally(before, tally));
  }

  /** Nothing of these must be written: a flood loses some of its counts. */
  #keepFew(alias: string): void {
    const tallies = this.#waiting.get(alias) ?? new Map<string, Tally>();
    for (const name of [...tallies.keys()].slice(waitingMax)) tallies.delete(name);
  }

  /** Writes what must be stored now; the rest waits for a later call. */
  async #store(alias: string): Promise<void> {
    const accepted = this.#acceptedOf(alias);
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const { versions, refusals } = await this.#items.get(alias, () => this.#readItem(alias));
      const tallies = [...(this.#waiting.get(alias)?.values() ?? [])];
      const { next, mustWrite, unknown } = collected(
        refusals,
        tallies,
        versions ?? [],
        this.#nowMs(),
        (tally) => isAccepted(accepted, tally),
      );
      if (versions === undefined) this.#waiting.delete(alias);
      if (versions === undefined || !mustWrite) return;
      const saved = { ...next, revision: refusals.revision + 1 };
      if (await this.#table.saveRefusals(alias, saved, refusals.revision)) {
        this.#items.replace(alias, { versions, refusals: saved });
        this.#waiting.delete(alias);
        // A version that is not known yet: it is stored once the versions are read again.
        for (const tally of unknown) this.#await(alias, tally);
        return;
      }
      this.#items.forget(alias);
    }
    throw new Error(`${alias}: others keep writing its refusals`);
  }

  async #readItem(alias: string): Promise<Item> {
    const record = (await this.#table.read(alias))?.record;
    if (record === undefined) return { versions: undefined, refusals: none };
    const refusals = (await this.#table.refusals(alias)) ?? none;
    return { versions: knownVersions(record), refusals };
  }

  async #noteWatch(heard: number[], unattributed: number): Promise<void> {
    if (heard.length + unattributed === 0) return;
    this.#unattributed += unattributed;
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const before = await this.#watch.get(theWatch, () => this.#table.refusalsWatch());
      const next = watched(before, heard, this.#unattributed, this.#nowMs());
      if (next === undefined) return;
      if (await this.#table.saveRefusalsWatch(next, before?.revision ?? 0)) {
        this.#unattributed = 0;
        return this.#watch.set(theWatch, next);
      }
      this.#watch.forget(theWatch);
    }
    throw new Error("others keep writing the watch of refusals");
  }
}

function eventIn(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function knownVersions(record: ManagedKey): KnownVersion[] {
  const { versions, rotations } = record;
  const before = predecessorOf(record);
  return versions.map((version) => {
    const { keyId, number, retiredAtMs } = version;
    const { fromMs, untilMs } = inUseOf(record, version);
    const isOpen = rotations.some(({ from, to }) => from === number || to === number);
    const isAtRest = retiredAtMs !== undefined && !isOpen && keyId !== before?.keyId;
    return {
      ...{ keyId, isAtRest },
      ...(fromMs === Infinity ? {} : { activatedAtMs: fromMs }),
      ...(untilMs === Infinity ? {} : { retiredAtMs: untilMs }),
    };
  });
}
