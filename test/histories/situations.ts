/** The states in which a request can find a managed key, each with the way to it. */
import { onCall } from "../faults.ts";
import { minuteMs } from "../fixtures.ts";
import { aWorld, type World } from "../world.ts";

const orders = "alias/orders";
const throttled = { kind: "refused", refusal: "Throttled", message: "Rate exceeded" };
/** The first rotation opens on day 83, and its dependent, if any, acknowledges at once. */
const opensOnDay = 83;
export const dependent = "billing";

export const situations = {
  "before enrolment": (world: World) => stuckAt(world, "TagResource", 1),
  "at rest": (world: World) => world.passDays(9),
  generate: (world: World) => stuckAt(world, "CreateKey", 84),
  distribute: async (world: World) => {
    await world.passDays(opensOnDay - 1);
    await world.pass(10 * minuteMs);
  },
  activate: (world: World) => stuckAt(world, "UpdateAlias", 84),
  drain: (world: World) => untilDay(world, 95),
  "to be approved": (world: World) => untilDay(world, 117),
  soak: (world: World) => untilDay(world, 118),
  "deletion window": (world: World) => untilDay(world, 138),
  halted: async (world: World) => {
    await untilDay(world, 95);
    const made = await world.ask<{ KeyMetadata: { KeyId: string } }>("CreateKey", {});
    const TargetKeyId = made.KeyMetadata.KeyId;
    await world.ask("UpdateAlias", { AliasName: orders, TargetKeyId });
    await world.passDays(8);
  },
  "used while disabled": async (world: World) => {
    await untilDay(world, 118);
    const [CiphertextBlob] = produced.get(world) ?? [];
    await world.ask("Decrypt", { CiphertextBlob }).catch(() => undefined);
    await world.deliver(world.attempts.at(-1));
  },
  "rolling back": async (world: World) => {
    await untilDay(world, 95);
    onCall(world, "UntagResource", () => Promise.resolve(throttled));
    await world.asks("rollback", { version: 2 });
  },
  paused: async (world: World) => {
    await untilDay(world, 95);
    await world.asks("pause");
  },
};

export type Situation = keyof typeof situations;

export async function enter(situation: Situation, dependents: string[] = []): Promise<World> {
  const approval = situation === "to be approved" ? "revoke" : "none";
  const world = await aWorld({ policy: { retire: "delete", approval }, dependents });
  if (situation !== "before enrolment") await world.passDays(1);
  await produce(world);
  await situations[situation](world);
  if (situation !== "halted") await produce(world);
  return world;
}

async function untilDay(world: World, day: number): Promise<void> {
  await world.passDays(opensOnDay);
  if ((await world.record()).dependents.length > 0) {
    await world.asks("acknowledge", { version: 2, dependent });
  }
  await world.passDays(day - opensOnDay - 1);
}

async function stuckAt(
  world: World,
  kind: "CreateKey" | "UpdateAlias" | "TagResource",
  day: number,
): Promise<void> {
  onCall(world, kind, () => Promise.resolve(throttled));
  if (kind === "UpdateAlias") await untilDay(world, day);
  else await world.passDays(day);
}

const produced = new WeakMap<World, unknown[]>();

/** An application encrypts through the alias. */
export async function produce(world: World): Promise<void> {
  const Plaintext = Buffer.from("a");
  const { CiphertextBlob } = await world.ask("Encrypt", { KeyId: orders, Plaintext });
  produced.set(world, [...(produced.get(world) ?? []), CiphertextBlob]);
}

/** The errors of the ciphertexts that cannot be decrypted. */
export async function unreadable(world: World): Promise<string[]> {
  const errors: string[] = [];
  for (const CiphertextBlob of produced.get(world) ?? []) {
    await world.ask("Decrypt", { CiphertextBlob }).catch((error: unknown) => {
      errors.push(String(error));
    });
  }
  return errors;
}
