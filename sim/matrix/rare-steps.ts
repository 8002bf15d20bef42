/** Histories with the calls that the usual ones do not make. */
import { tagNames } from "../../lambda/workflow/model/tag-names.ts";
import type { KmsKey } from "../../embedded-aws/kms/types.ts";
import { keyturnArn } from "../world/keyturn.ts";
import type { SimulatedWorld } from "../world/world.ts";
import { alias, ask, kept, read, rotated, type History } from "./histories.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

const personArn = "arn:aws:iam::000000000000:user/person";
const taggedAlias = "alias/tagged";

type Made = { KeyMetadata: { KeyId: string } };

function make(world: SimulatedWorld, Tags: object[], principalArn: string): string {
  const { KeyMetadata } = world.kms.call("CreateKey", { Tags }, { principalArn }) as Made;
  return KeyMetadata.KeyId;
}

function keyUnder(world: SimulatedWorld, name: string): KmsKey {
  const key = world.kms.world.aliases.get(name);
  const found = world.kms.world.keys.get(key?.keyId ?? "");
  if (found === undefined) throw new Error(`${name} points at no key`);
  return found;
}

/** A CreateKey of ours that landed, and whose response no run received. */
function makeInExcess(world: SimulatedWorld): void {
  const { tags } = keyUnder(world, alias);
  make(
    world,
    [...tags].map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
    keyturnArn,
  );
}

/** Operators request a rollback of a version soon after its creation. */
function askOnceMade(kind: string, number: number) {
  const request = ask(kind, { version: number });
  const watch = (world: SimulatedWorld): void => {
    const isMade = world.record(alias)?.versions.some((one) => one.number === number) ?? false;
    if (isMade) request(world);
    else world.engine.after(5 * 60_000, () => watch(world));
  };
  return watch;
}

const before = new WeakMap<SimulatedWorld, string>();

function moveAway(world: SimulatedWorld): void {
  before.set(world, keyUnder(world, alias).keyId);
  pointAt(world, make(world, [], personArn));
}

function moveBack(world: SimulatedWorld): void {
  pointAt(world, before.get(world));
}

function pointAt(world: SimulatedWorld, TargetKeyId: string | undefined): void {
  world.kms.call("UpdateAlias", { AliasName: alias, TargetKeyId }, { principalArn: personArn });
}

/** A key with its own alias, which a tag enrols. */
function tagOne(world: SimulatedWorld): void {
  const Tags = [{ TagKey: tagNames.policy, TagValue: "matrix" }];
  const TargetKeyId = make(world, Tags, personArn);
  const input = { AliasName: taggedAlias, TargetKeyId };
  world.kms.call("CreateAlias", input, { principalArn: personArn });
}

function askUnmanaged(world: SimulatedWorld): void {
  world.table.ask("alias/nobody", "request-00000001", { kind: "rotate", by: "ada" });
}

export const rareSteps: History[] = [
  {
    name: "an excess key",
    retire: "disable",
    horizonMs: 8 * dayMs,
    acts: [rotated, { afterMs: 6 * hourMs, act: makeInExcess }],
  },
  {
    name: "an excess key, while restored",
    retire: "disable",
    horizonMs: 9 * dayMs,
    acts: [
      kept,
      rotated,
      { afterMs: 6 * hourMs, act: makeInExcess },
      { afterMs: 8 * hourMs, act: read },
    ],
  },
  {
    name: "an alias that an operator moved",
    retire: "disable",
    horizonMs: 9 * dayMs,
    acts: [
      { afterMs: 2 * dayMs, act: moveAway },
      { afterMs: 7.5 * dayMs, act: moveBack },
      { afterMs: 8 * dayMs, act: ask("resume") },
    ],
  },
  {
    name: "a key enrolled by tag, and an unmanaged request",
    retire: "delete",
    horizonMs: 2 * dayMs,
    acts: [
      { afterMs: 2 * hourMs, act: tagOne },
      { afterMs: 3 * hourMs, act: askUnmanaged },
    ],
  },
  {
    name: "rolled back before it is active",
    retire: "disable",
    horizonMs: dayMs,
    acts: [
      rotated,
      { afterMs: hourMs, act: askOnceMade("rollback", 2) },
      { afterMs: 6 * hourMs, act: ask("resume") },
    ],
  },
  {
    name: "compromised",
    retire: "disable",
    horizonMs: 2 * dayMs,
    acts: [kept, { afterMs: hourMs, act: ask("compromised", { version: 1 }) }],
  },
];
