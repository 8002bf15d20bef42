/**
 * A managed key's life, kept moment by moment, so that a test can go back to any of them: what the
 * table held, what KMS was like, and how many changing calls had been made.
 */
import type { ManagedKey } from "../lambda/workflow/model/types.ts";
import type { World as KmsWorld } from "../embedded-aws/kms/types.ts";
import { Application } from "./application.ts";
import { dayMs } from "./fixtures.ts";
import { aWorld, type World, type WorldOptions } from "./world.ts";

export const orders = "alias/orders";

type KmsState = Pick<KmsWorld, "keys" | "pendingDeletion" | "aliases" | "grantTokens" | "keysMade">;

/** One moment of a life. */
export type Moment = {
  atMs: number;
  table: unknown;
  record: ManagedKey;
  kms: KmsState;
  application: Application;
  /** How many changing calls were made until then. */
  calls: number;
  /** What moments have in common that are alike. */
  stage: string;
};

export class Life {
  readonly moments: Moment[] = [];
  readonly application = new Application(orders);
  readonly world: World;
  readonly options: WorldOptions;

  constructor(world: World, options: WorldOptions) {
    this.world = world;
    this.options = options;
    world.afterRun = () => this.#keep();
  }

  async #keep(): Promise<void> {
    const { world, application } = this;
    const record = await world.record();
    const calls = changingCalls(world).length;
    this.moments.push({
      atMs: world.clock.nowMs(),
      table: world.table.snapshot(),
      record,
      kms: kmsStateOf(world),
      application: application.copy(),
      calls,
      stage: `${stageOf(record)}, after ${calls} calls`,
    });
  }

  /** Days pass with the application at work. */
  async days(count: number): Promise<this> {
    for (let day = 0; day < count; day++) {
      await this.world.passDays(1);
      await this.application.day(this.world);
    }
    return this;
  }

  async asks(kind: string, fields: Record<string, unknown> = {}): Promise<this> {
    await this.world.asks(kind, fields);
    await this.#keep();
    return this;
  }

  async delivers(event: unknown): Promise<this> {
    await this.world.deliver(event);
    await this.#keep();
    return this;
  }

  /** The first moment of every stage, and the last of all. */
  beginnings(): Moment[] {
    const { moments } = this;
    return moments.filter(
      ({ stage }, at) => moments[at - 1]?.stage !== stage || at === moments.length - 1,
    );
  }

  /** The last of the moments whose record is as a test wants it. */
  last(fits: (record: ManagedKey) => boolean): Moment {
    const found = this.moments.findLast(({ record }) => fits(record));
    if (found === undefined) throw new Error("this life has no such moment");
    return found;
  }

  /** The first of the moments whose record is as a test wants it. */
  when(fits: (record: ManagedKey) => boolean): Moment {
    const found = this.moments.find(({ record }) => fits(record));
    if (found === undefined) throw new Error("this life has no such moment");
    return found;
  }
}

export async function aLife(options: WorldOptions): Promise<Life> {
  const policy = { retire: "delete", cryptoperiodMs: 130 * dayMs, ...options.policy } as const;
  const all = { ...options, policy };
  return new Life(await aWorld(all), all);
}

export function changingCalls(world: World): string[] {
  return world.calls.filter((name) => !/^(Describe|List|Get)/.test(name));
}

function stageOf({ versions, rotations, stops }: ManagedKey): string {
  const standings = versions.map(({ number, standing }) => `${number} ${standing}`);
  const open = rotations.map((rotation) => {
    const { from, to, step, restored, soakSinceMs, lateUseReadAtMs } = rotation;
    const back =
      restored === undefined ? "" : ` given back${restored.relabelled ? "" : " just now"}`;
    const soak =
      soakSinceMs === undefined ? "" : lateUseReadAtMs === undefined ? " soak" : " soaking";
    return `${from} to ${to} in ${step}${back}${soak}`;
  });
  return [...standings, ...open, ...stops.map(({ kind }) => kind)].join(", ");
}

function kmsStateOf({ kms }: World): KmsState {
  const { keys, pendingDeletion, aliases, grantTokens, keysMade } = kms.world;
  return structuredClone({ keys, pendingDeletion, aliases, grantTokens, keysMade });
}

/** The lives that tests go back in; each is lived once for all tests of a file. */
const livedOnce: Record<string, () => Promise<Life>> = {
  "two rotations, and both old versions deleted": async () => (await aLife({})).days(345),
  "a rollback in the drain, and another rotation": async () => {
    const life = await (await aLife({})).days(135);
    await (await life.asks("rollback", { version: 2 })).days(10);
    return (await life.asks("resume")).days(100);
  },
  "a use attempt in the soak, and another drain": async () => {
    const life = await aLife({});
    const Plaintext = Buffer.from("seldom read");
    const { CiphertextBlob } = await life.world.ask("Encrypt", { KeyId: orders, Plaintext });
    await life.days(159);
    await life.world.ask("Decrypt", { CiphertextBlob }).catch(() => undefined);
    await (await life.delivers(life.world.attempts[0])).days(3);
    return (await life.asks("resume")).days(100);
  },
  "two aliases, and a dependent with a grant": async () => {
    const aliases = { [orders]: ["alias/orders-eu"] };
    const life = await aLife({ aliases, dependents: ["billing"] });
    await life.world.ask("CreateGrant", {
      KeyId: await life.world.targetOf(orders),
      GranteePrincipal: "arn:aws:iam::000000000000:role/billing",
      Operations: ["Encrypt", "Decrypt"],
    });
    await life.days(125);
    return (await life.asks("acknowledge", { version: 2, dependent: "billing" })).days(90);
  },
};

export const names = Object.keys(livedOnce);
const lived = new Map<string, Promise<Life>>();

export function live(name: string): Promise<Life> {
  const life = lived.get(name) ?? livedOnce[name]?.();
  if (life === undefined) throw new Error(`there is no life with ${name}`);
  lived.set(name, life);
  return life;
}

/** Every moment to be restored, with every later one at which that may be done. */
export function pairsOf(thens: Moment[], nows: Moment[]): [Moment, Moment][] {
  return nows.flatMap((now) =>
    thens.filter(({ atMs }) => atMs <= now.atMs).map((then): [Moment, Moment] => [then, now]),
  );
}
