/** Worlds that share an AWS, and copies of a world. */
import type { Ports } from "../../lambda/ports.ts";
import type { SimClock } from "../../embedded-aws/clock.ts";
import { cheapCryptography } from "../../embedded-aws/kms/cheap-cryptography.ts";
import { KmsTwin } from "../../embedded-aws/kms/twin.ts";
import type { KmsKey } from "../../embedded-aws/kms/types.ts";
import { SimRandom } from "../../embedded-aws/random.ts";
import { keyturnArn, World, type WorldOptions } from "../world.ts";

export type Place = {
  clock: SimClock;
  kms: KmsTwin;
  /** Distinguishes its role and the ids that it draws from those of other deployments. */
  name: string;
};

/** A deployment with its own table in a shared AWS. */
export class CopiedDeployment extends World {
  readonly principalArn: string;
  readonly #name: string;
  #made = 0;

  constructor(options: WorldOptions, { clock, kms, name }: Place) {
    super(options);
    this.#name = name;
    this.principalArn = `${keyturnArn}-${name}`;
    const called: KmsTwin["call"] = (operation, input, caller) => {
      const ours = caller.principalArn === keyturnArn;
      if (ours) this.calls.push(operation);
      return kms.call(operation, input, ours ? { principalArn: this.principalArn } : caller);
    };
    const { onUseAttempt } = kms;
    kms.onUseAttempt = (event) => {
      onUseAttempt?.(event);
      this.attempts.push(event);
    };
    Object.assign(this, { clock, kms: { call: called, world: kms.world } });
  }

  override ports(): Ports {
    const ports = super.ports();
    const id = (): string => `${this.#name}-${String(++this.#made).padStart(6, "0")}`;
    return { ...ports, chance: { ...ports.chance, id } };
  }
}

/** A copy of table, KMS and time, with its own history and journal from there on. */
export function copyOf(world: World, configuration = world.configuration): CopiedDeployment {
  const blank = new World();
  blank.clock.moveTo(world.clock.nowMs());
  const kms = copyOfKms(world.kms, blank.clock);
  const copy = new CopiedDeployment({}, { clock: blank.clock, kms, name: "copy" });
  copy.configuration = configuration;
  const stored = world.table.snapshot() as { archived: Map<string, unknown> };
  stored.archived.clear();
  copy.table.restore(stored);
  copy.table.tableId = world.table.tableId;
  return copy;
}

/** Key material is shared: nothing changes it. */
function copyOfKms({ world: from }: KmsTwin, clock: SimClock): KmsTwin {
  const { keyQuota, lastUsageLagMs } = from;
  const random = new SimRandom(2);
  const cryptography = cheapCryptography;
  const limits = { keyQuota, lastUsageLagMs, quotas: "off" as const };
  const twin = new KmsTwin({ clock, random, cryptography, ...limits });
  const { world } = twin;
  for (const [keyId, key] of from.keys) world.keys.set(keyId, copyOfKey(key));
  for (const { keyId } of from.pendingDeletion) {
    const key = world.keys.get(keyId);
    if (key !== undefined) world.pendingDeletion.add(key);
  }
  for (const [name, alias] of from.aliases) world.aliases.set(name, { ...alias });
  for (const [token, grant] of from.grantTokens) world.grantTokens.set(token, grant);
  world.keysMade = from.keysMade;
  return twin;
}

function copyOfKey(key: KmsKey): KmsKey {
  return {
    ...key,
    tags: new Map(key.tags),
    aliasNames: new Set(key.aliasNames),
    grants: new Map(key.grants),
    materials: key.materials.map((material) => ({ ...material })),
    uses: [...key.uses],
  };
}
