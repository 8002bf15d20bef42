/**
 * One call of a life is held and lands at many moments, from when it was sent until A's deadline, the
 * request limit and the skew of clocks have passed, while others are at work on the same managed key.
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

/** Nothing but the settle rule keeps a version that comes back from serving at once. */
const policy: Partial<Policy> = { retire: "delete", propagationMs: 0, cryptoperiodMs: 130 * dayMs };
const inWindowDays = 123 + 30 + 14 + 5;
const tickEveryMs = minuteMs;
const askEveryMs = 2 * minuteMs;
const watchedMs = 14 * minuteMs;

/** What else happens while the call is under way. */
export type Meanwhile = "rotate" | "rollback" | "use";

export type History = { starts: Starts; first: string; rarelyRead: unknown };

/** A life with a grant until the first version pends deletion, and then the way back to it. */
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

/** Every way in which the world was not as it should be; empty where it always was. */
export async function sweep(history: History, call: string, what: Meanwhile): Promise<string[]> {
  const start = history.starts.get(call);
  if (start === undefined) throw new Error(`no run of that life sent ${call}`);
  const wrong: string[] = [];
  for (let sample = 0; sample < samples; sample += 1) {
    const world = worldAt(start);
    const held = await hold(world, start, sample % 4 < 2 ? "hears nothing" : "dies");
    const atMs = held.sentAtMs + Math.round((lastLandingMs * sample) / (samples - 1));
    const one = new Sample(world, history, held, atMs, sample % 2 === 1);
    await one.play(what);
    wrong.push(...one.wrong.map((said) => `${call}, ${what}, sample ${sample}: ${said}`));
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
   * It lands between a look and the first changing call of a later run, from that moment on; else at
   * that moment, between two runs, and no look shows it for as long as reads may lag.
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
      // Refused; but it has a run take its turn, whether or not anything is due.
      if (at % askEveryMs === 0) world.request("acknowledge", { version: 0, dependent: "nobody" });
      await world.tick();
      await this.#read();
    }
    await world.pass(6 * hourMs);
    if (what === "use") await this.#use();
    await this.#lookAtTheEnd(what);
  }

  async #land(atMs: number): Promise<void> {
    const { world, held } = this;
    if (held.landedAtMs !== undefined) return;
    world.clock.moveTo(Math.max(atMs, world.clock.nowMs()));
    const eyes = await eyesOf(world);
    await held.land();
    await this.#read();
    const untilMs = world.clock.nowMs() + (this.#inARun ? 0 : readsLagMs);
    world.intercept = (_port, method, [of], proceed) => {
      const shown = world.clock.nowMs() < untilMs ? eyes(method, of) : undefined;
      return shown === undefined ? proceed() : Promise.resolve(shown);
    };
  }

  /** The version that is about to serve, or that serves. */
  async #givingWay(): Promise<number> {
    const { rotations, versions } = await this.world.record();
    const busy = rotations.find(({ step }) => step !== "drain" && step !== "revoke");
    return busy?.to ?? versions.find(({ state }) => state === "active")?.number ?? 1;
  }

  /** Somebody reads what the first version encrypted, and CloudTrail tells of it if they cannot. */
  async #use(): Promise<void> {
    const { world, history } = this;
    await world.ask("Decrypt", { CiphertextBlob: history.rarelyRead }).catch(() => undefined);
    for (const event of world.attempts.slice(this.#reported)) await world.deliver(event);
    this.#reported = world.attempts.length;
  }

  async #read(): Promise<void> {
    const { world } = this;
    const state = await world.stateOf(await world.targetOf(orders));
    if (state !== "Enabled") this.#say(`the alias is on a key that is ${state}`);
  }

  async #lookAtTheEnd(what: Meanwhile): Promise<void> {
    await this.#read();
    const { world, history } = this;
    const state = await world.stateOf(history.first);
    if (what === "use" && state !== "Enabled") this.#say(`the key that is in use is ${state}`);
    const { unsettled, lastNumber } = await world.record();
    if (unsettled.length > 0) this.#say("a mark stands for ever");
    if (world.kms.world.keys.size > lastNumber) this.#say("a key was made in excess");
    if (world.errors.length > 0) this.#say(String(world.errors[0]));
  }

  #say(what: string): void {
    const sinceMs = this.world.clock.nowMs() - this.held.sentAtMs;
    this.wrong.push(`${what} after ${sinceMs / secondMs} s`);
  }
}
