/**
 * One call of a history is held and lands at many moments, from its send until A's deadline, the
 * request limit and the clock skew have passed. Meanwhile other runs work on the same managed key.
 */
import type { Policy } from "../../lambda/workflow/model/types.ts";
import { dayMs, hourMs, minuteMs, secondMs } from "../fixtures.ts";
import type { World } from "../world.ts";
import {
  eyesOf,
  hold,
  lastLandingMs,
  orders,
  readsLagMs,
  startsOf,
  worldAt,
  type Held,
  type Starts,
} from "./held.ts";
import { isFull } from "../sizes.ts";

/** Only the settle rule keeps a returning version from becoming active at once. */
const policy: Partial<Policy> = { retire: "delete", propagationMs: 0, cryptoperiodMs: 130 * dayMs };
const inWindowDays = 123 + 30 + 14 + 5;
const tickEveryMs = minuteMs;
const askEveryMs = 2 * minuteMs;
const watchedMs = 14 * minuteMs;

/** What happens while the call is in flight. */
export type Meanwhile = "rotate" | "rollback" | "use";

export type History = { starts: Starts; first: string; rarelyRead: unknown };

/**
 * A history with a grant: the first version reaches pending deletion, then a rollback returns to
 * it.
 */
export async function aHistory(): Promise<History> {
  let first = "";
  let rarelyRead: unknown;
  const starts = await startsOf({ policy }, async (world) => {
    first = await world.targetOf(orders);
    await world.ask("CreateGrant", {
      KeyId: first,
      GranteePrincipal: "arn:aws:iam::000000000000:role/app",
      Operations: ["Decrypt"],
    });
    const made = await world.ask("Encrypt", { KeyId: orders, Plaintext: Buffer.from("a") });
    rarelyRead = made.CiphertextBlob;
    await world.passDays(inWindowDays);
    await world.asks("rollback", { version: 2 });
    await world.passDays(1);
  });
  return { starts, first, rarelyRead };
}

const samples = isFull ? 40 : 10;

/** The violations in all samples; empty if there were none. */
export async function sweep(history: History, call: string, what: Meanwhile): Promise<string[]> {
  const start = history.starts.get(call);
  if (start === undefined) throw new Error(`no run of the history sent ${call}`);
  const wrong: string[] = [];
  for (let sample = 0; sample < samples; sample += 1) {
    const world = worldAt(start);
    const held = await hold(world, start, sample % 4 < 2 ? "gets no response" : "dies");
    const atMs = held.sentAtMs + Math.round((lastLandingMs * sample) / (samples - 1));
    const one = new Sample(world, history, held, atMs, sample % 2 === 1);
    await one.play(what);
    wrong.push(...one.wrong.map((text) => `${call}, ${what}, sample ${sample}: ${text}`));
  }
  return wrong;
}

class Sample {
  readonly wrong: string[] = [];
  readonly world: World;
  readonly history: History;
  readonly held: Held;
  readonly #atMs: number;
  /**
   * Whether the call lands in a later run, between a read and the first changing call, from that
   * moment on. Otherwise it lands at that moment, between two runs, and no read shows it for the
   * longest lag.
   */
  readonly #inARun: boolean;
  #reported = 0;

  constructor(world: World, history: History, held: Held, atMs: number, inARun: boolean) {
    this.world = world;
    this.history = history;
    this.held = held;
    this.#atMs = atMs;
    this.#inARun = inARun;
    world.intercept = async (_port, method, _input, proceed) => {
      if (method === "change" && inARun && world.clock.nowMs() >= atMs) await held.land();
      return proceed();
    };
  }

  async play(what: Meanwhile): Promise<void> {
    const { world, held } = this;
    const landsAtMs = this.#inARun ? held.sentAtMs + lastLandingMs : this.#atMs;
    const version = await this.#givingWay();
    if (what === "rollback" || what === "rotate") world.request(what, { version });
    for (let at = tickEveryMs; at <= watchedMs; at += tickEveryMs) {
      const tickMs = held.sentAtMs + at;
      if (landsAtMs <= tickMs) await this.#land(landsAtMs);
      world.clock.moveTo(Math.max(tickMs, world.clock.nowMs()));
      if (what === "use") await this.#use();
      // The run rejects it, but makes a pass, even with nothing due.
      if (at % askEveryMs === 0) world.request("acknowledge", { version: 0, dependent: "nobody" });
      await world.tick();
      await this.#read();
    }
    await world.pass(6 * hourMs);
    if (what === "use") await this.#use();
    await this.#readAtTheEnd(what);
  }

  async #land(atMs: number): Promise<void> {
    const { world, held } = this;
    if (held.landedAtMs !== undefined) return;
    world.clock.moveTo(Math.max(atMs, world.clock.nowMs()));
    const read = await eyesOf(world);
    await held.land();
    await this.#read();
    const untilMs = world.clock.nowMs() + (this.#inARun ? 0 : readsLagMs);
    world.intercept = (_port, method, [of], proceed) => {
      const shown = world.clock.nowMs() < untilMs ? read(method, of) : undefined;
      return shown === undefined ? proceed() : Promise.resolve(shown);
    };
  }

  /** The version about to become active, otherwise the active one. */
  async #givingWay(): Promise<number> {
    const { rotations, versions } = await this.world.record();
    const busy = rotations.find(({ step }) => step !== "drain" && step !== "revoke");
    return busy?.to ?? versions.find(({ state }) => state === "active")?.number ?? 1;
  }

  /** An application decrypts a ciphertext of the first version; CloudTrail reports a failure. */
  async #use(): Promise<void> {
    const { world, history } = this;
    await world.ask("Decrypt", { CiphertextBlob: history.rarelyRead }).catch(() => undefined);
    for (const event of world.attempts.slice(this.#reported)) await world.deliver(event);
    this.#reported = world.attempts.length;
  }

  async #read(): Promise<void> {
    const { world } = this;
    const state = await world.stateOf(await world.targetOf(orders));
    if (state !== "Enabled") this.#report(`the alias is on a key that is ${state}`);
  }

  async #readAtTheEnd(what: Meanwhile): Promise<void> {
    await this.#read();
    const { world, history } = this;
    const state = await world.stateOf(history.first);
    if (what === "use" && state !== "Enabled") this.#report(`the key in use is ${state}`);
    const { unsettled, lastNumber } = await world.record();
    if (unsettled.length > 0) this.#report("a mark remains");
    if (world.kms.world.keys.size > lastNumber) this.#report("there is an excess key");
    if (world.errors.length > 0) this.#report(String(world.errors[0]));
  }

  #report(what: string): void {
    const sinceMs = this.world.clock.nowMs() - this.held.sentAtMs;
    this.wrong.push(`${what} after ${sinceMs / secondMs} s`);
  }
}
