/**
 * A world just before a run sends a certain call, for any number of replays. The call leaves its
 * run and is held. The run gets no response or dies, and other runs take over.
 */
import { SimRandom } from "../../embedded-aws/random.ts";
import type { World as KmsWorld } from "../../embedded-aws/kms/types.ts";
import type { Call } from "../../lambda/workflow/model/types.ts";
import { noAnswer } from "../faults.ts";
import { minuteMs, secondMs } from "../fixtures.ts";
import { aWorld, Died, World, type WorldOptions } from "../world.ts";

export const orders = "alias/orders";

/** World gives a run five minutes; the request limit and the clock skew come on top. */
export const runLimitMs = 5 * minuteMs;
export const lastLandingMs = runLimitMs + 10 * secondMs + minuteMs;
/** A KMS read may show the state of several minutes ago. */
export const readsLagMs = 5 * minuteMs;

type KmsState = Pick<KmsWorld, "keys" | "pendingDeletion" | "aliases" | "grantTokens" | "keysMade">;
type Start = {
  kind: Call["kind"];
  atMs: number;
  table: unknown;
  kms: KmsState;
  options: WorldOptions;
};
/** By operation and count in the history: "DisableKey 1". */
export type Starts = Map<string, Start>;

/** The state of the world before each run of a history that sent a changing call. */
export async function startsOf(
  options: WorldOptions,
  history: (world: World) => Promise<void>,
): Promise<Starts> {
  const world = await aWorld(options);
  const starts: Starts = new Map();
  const sent = new Map<string, number>();
  let start: Omit<Start, "kind"> | undefined;
  let working = false;
  world.intercept = (_port, method, input, proceed) => {
    if (method === "due" && !working) start = startAt(world, options);
    if (method === "takeRunClaim" || method === "releaseRunClaim") working = method[0] === "t";
    if (method === "change" && start !== undefined) {
      const { kind } = input[0] as Call;
      const times = (sent.get(kind) ?? 0) + 1;
      sent.set(kind, times);
      starts.set(`${kind} ${times}`, { ...start, kind });
    }
    return proceed();
  };
  await history(world);
  return starts;
}

function startAt({ clock, table, kms }: World, options: WorldOptions): Omit<Start, "kind"> {
  const { keys, pendingDeletion, aliases, grantTokens, keysMade } = kms.world;
  const state = structuredClone({ keys, pendingDeletion, aliases, grantTokens, keysMade });
  return { atMs: clock.nowMs(), table: table.snapshot(), kms: state, options };
}

export function worldAt(start: Start): World {
  const world = new World(start.options);
  world.clock.moveTo(start.atMs);
  const random = new SimRandom(2);
  Object.assign(world.kms.world, structuredClone(start.kms), { random, aliasOrder: undefined });
  world.table.restore(start.table);
  // Skips the ids that the history has used.
  const { chance } = world.ports();
  for (let count = 0; count < 10_000; count++) chance.id();
  return world;
}

export type Held = {
  sentAtMs: number;
  /** Applies the call once; nothing at the sender can stop a sent request. */
  land: () => Promise<void>;
  landedAtMs: number | undefined;
};

/** Plays the run that sends this call; it dies with it, or continues without a response. */
export async function hold(
  world: World,
  { kind }: Pick<Start, "kind">,
  end: "dies" | "gets no response",
): Promise<Held> {
  let held: Held | undefined;
  world.intercept = (_port, method, input, proceed) => {
    if (held !== undefined && end === "dies") return Promise.reject(new Died());
    if (held !== undefined || method !== "change") return proceed();
    if ((input[0] as Call).kind !== kind) return proceed();
    held = heldCall(world, input, proceed);
    return end === "dies" ? Promise.reject(new Died()) : Promise.resolve(noAnswer);
  };
  await world.tick().catch((error: unknown) => {
    if (!(error instanceof Died)) throw error;
  });
  world.intercept = undefined;
  world.errors.length = 0;
  if (held === undefined) throw new Error(`the run sent no ${kind}`);
  return held;
}

function heldCall({ clock }: World, input: unknown[], proceed: () => Promise<unknown>): Held {
  const held: Held = {
    sentAtMs: clock.nowMs(),
    landedAtMs: undefined,
    land: async () => {
      if (held.landedAtMs !== undefined) return;
      held.landedAtMs = clock.nowMs();
      input[1] = { deadlineMs: Infinity, limitMs: Infinity };
      await proceed();
    },
  };
  return held;
}

/** Records what reads show now, for later stale reads. */
export async function eyesOf(world: World): Promise<(name: string, of: unknown) => unknown> {
  const { keys } = world.ports();
  const known = new Map<string, unknown>();
  const keyIds = [...world.kms.world.keys.keys()];
  for (const key of [orders, ...keyIds]) known.set(`describe ${key}`, await keys.describe(key));
  for (const key of keyIds) known.set(`aliasesOf ${key}`, await keys.aliasesOf(key));
  return (name, of) => structuredClone(known.get(`${name} ${String(of)}`));
}
