/**
 * The history of a managed key as snapshots to which a test can return: the content of the table, the
 * state of KMS, and the number of changing calls until then.
 */
import type { ManagedKey } from "../lambda/workflow/model/types.ts";
import type { World as KmsWorld } from "../embedded-aws/kms/types.ts";
import { Application } from "./application.ts";
import { dayMs } from "./fixtures.ts";
import { aWorld, type World, type WorldOptions } from "./world.ts";

export const orders = "alias/orders";

type KmsState = Pick<KmsWorld, "keys" | "pendingDeletion" | "aliases" | "grantTokens" | "keysMade">;

/** One point of a history. */
export type Snapshot = {
  atMs: number;
  table: unknown;
  record: ManagedKey;
  kms: KmsState;
  application: Application;
  /** The number of changing calls until then. */
  calls: number;
  /** Equal in snapshots that are alike. */
  stage: string;
};

export class History {
  readonly snapshots: Snapshot[] = [];
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
    this.snapshots.push({
      atMs: world.clock.nowMs(),
      table: world.table.snapshot(),
      record,
      kms: kmsStateOf(world),
      application: application.copy(),
      calls,
      stage: `${stageOf(record)}, after ${calls} calls`,
    });
  }

  /** Days pass, and the application works every day. */
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

  /** The first snapshot of every stage, and the last of all. */
  beginnings(): Snapshot[] {
    const { snapshots } = this;
    return snapshots.filter(
      ({ stage }, at) => snapshots[at - 1]?.stage !== stage || at === snapshots.length - 1,
    );
  }

  /** The last snapshot whose record fits. */
  last(fits: (record: ManagedKey) => boolean): Snapshot {
    const found = this.snapshots.findLast(({ record }) => fits(record));
    if (found === undefined) throw new Error("this history has no such snapshot");
    return found;
  }

  /** The first snapshot whose record fits. */
  when(fits: (record: ManagedKey) => boolean): Snapshot {
    const found = this.snapshots.find(({ record }) => fits(record));
    if (found === undefined) throw new Error("this history has no such snapshot");
    return found;
  }
}

export async function aHistory(options: WorldOptions): Promise<History> {
  const policy = { retire: "delete", cryptoperiodMs: 130 * dayMs, ...options.policy } as const;
  const all = { ...options, policy };
  return new History(await aWorld(all), all);
}

export function changingCalls(world: World): string[] {
  return world.calls.filter((name) => !/^(Describe|List|Get)/.test(name));
}

function stageOf({ versions, rotations, holds }: ManagedKey): string {
  const states = versions.map(({ number, state }) => `${number} ${state}`);
  const open = rotations.map((rotation) => {
    const { from, to, step, restored, soakSinceMs, lateUseReadAtMs } = rotation;
    const back = restored === undefined ? "" : ` restored${restored.relabelled ? "" : " just now"}`;
    const soak =
      soakSinceMs === undefined ? "" : lateUseReadAtMs === undefined ? " soak" : " soaking";
    return `${from} to ${to} in ${step}${back}${soak}`;
  });
  return [...states, ...open, ...holds.map(({ kind }) => kind)].join(", ");
}

function kmsStateOf({ kms }: World): KmsState {
  const { keys, pendingDeletion, aliases, grantTokens, keysMade } = kms.world;
  return structuredClone({ keys, pendingDeletion, aliases, grantTokens, keysMade });
}

/** The histories to which tests return; each is played once for all tests of a file. */
const playedOnce: Record<string, () => Promise<History>> = {
  "two rotations, and both old versions deleted": async () => (await aHistory({})).days(345),
  "a rollback in the drain, and another rotation": async () => {
    const history = await (await aHistory({})).days(135);
    await (await history.asks("rollback", { version: 2 })).days(10);
    return (await history.asks("resume")).days(100);
  },
  "a use attempt in the soak, and another drain": async () => {
    const history = await aHistory({});
    const Plaintext = Buffer.from("archived");
    const { CiphertextBlob } = await history.world.ask("Encrypt", { KeyId: orders, Plaintext });
    await history.days(159);
    await history.world.ask("Decrypt", { CiphertextBlob }).catch(() => undefined);
    await (await history.delivers(history.world.attempts[0])).days(3);
    return (await history.asks("resume")).days(100);
  },
  "two aliases, and a dependent with a grant": async () => {
    const aliases = { [orders]: ["alias/orders-eu"] };
    const history = await aHistory({ aliases, dependents: ["billing"] });
    await history.world.ask("CreateGrant", {
      KeyId: await history.world.targetOf(orders),
      GranteePrincipal: "arn:aws:iam::000000000000:role/billing",
      Operations: ["Encrypt", "Decrypt"],
    });
    await history.days(125);
    return (await history.asks("acknowledge", { version: 2, dependent: "billing" })).days(90);
  },
};

export const names = Object.keys(playedOnce);
const played = new Map<string, Promise<History>>();

export function historyNamed(name: string): Promise<History> {
  const history = played.get(name) ?? playedOnce[name]?.();
  if (history === undefined) throw new Error(`there is no history with ${name}`);
  played.set(name, history);
  return history;
}

/** Every snapshot to restore, with every later snapshot at which a test may restore it. */
export function pairsOf(thens: Snapshot[], nows: Snapshot[]): [Snapshot, Snapshot][] {
  return nows.flatMap((now) =>
    thens.filter(({ atMs }) => atMs <= now.atMs).map((then): [Snapshot, Snapshot] => [then, now]),
  );
}
