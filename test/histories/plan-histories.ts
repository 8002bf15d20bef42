/** Histories of a managed key in mode `act`, and every different state in them. */
import { dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { copyOf, type CopiedDeployment } from "./copied-deployment.ts";
import { noAnswer, onCall } from "../faults.ts";
import type { Call, ManagedKey } from "../../lambda/workflow/model/types.ts";
import { aWorld, Died, type World, type WorldOptions } from "../world.ts";

export const orders = "alias/orders";
const deletes: WorldOptions = { policy: { retire: "delete", cryptoperiodMs: 300 * dayMs } };
/** Days: the first rotation of `deletes` opens, version 1 soaks, version 1 is pending deletion. */
const [opens, soaks, pends] = [293, 293 + 35, 293 + 31 + 14 + 10];

type History = [WorldOptions, (world: World) => Promise<void>];

export const histories: Record<string, History> = {
  "deletes old versions": [deletes, (world) => world.passDays(400)],
  "disables them": [{}, (world) => world.passDays(180)],
  "retains them": [{ policy: { retire: "retain" } }, (world) => world.passDays(130)],
  "originates only through the alias": [
    { policy: { originate: "alias-only", cryptoperiodMs: 60 * dayMs } },
    (world) => world.passDays(150),
  ],
  "waits for approval": [{ policy: { approval: "revoke" } }, approved],
  "waits for approval of deletion": [
    { policy: { retire: "delete", approval: "delete" } },
    (world) => world.passDays(140),
  ],
  "waits for a dependent": [{ dependents: ["search"] }, acknowledged],
  "has two aliases": [{ aliases: { [orders]: ["alias/orders-eu"] } }, twoAliases],
  "has grants": [{}, withGrants],
  "is rolled back at every stage": [deletes, rolledBack],
  "is rolled back during each call": [{}, rolledBackDuringCalls],
  "is used while disabled": [deletes, usedWhileDisabled],
  "is compromised": [{ policy: { retire: "delete" } }, compromised],
  "loses answers": [deletes, (world) => failing(world, "lost")],
  "has calls that never arrive": [deletes, (world) => failing(world, "unsent")],
  "is denied calls": [deletes, (world) => failing(world, "refused")],
  "crashes at every call": [deletes, (world) => failing(world, "dead")],
  "is changed by external actors": [deletes, changedByExternalActors],
  "loses keys to another owner": [deletes, takenOver],
  "returns to an older table": [deletes, restored],
  "was in mode plan before": [{ mode: "plan" }, plannedBefore],
  "is un-enrolled, and enrolled again": [{}, unEnrolled],
};

/** Plays the history, and keeps each state that differs from those before, also between two calls. */
export async function statesOf([options, play]: History): Promise<CopiedDeployment[]> {
  const world = await aWorld(options);
  const states = new Map<string, CopiedDeployment>();
  const keep = (): void => {
    const signature = signatureOf(world);
    if (!states.has(signature)) states.set(signature, copyOf(world));
  };
  const write = world.table.write.bind(world.table);
  world.table.write = async (...input) => {
    const written = await write(...input);
    keep();
    return written;
  };
  const { kms } = world;
  const call = kms.call.bind(kms);
  kms.call = (...input) => {
    const answer = call(...input);
    if (!isRead(input[0])) keep();
    return answer;
  };
  await play(world);
  return [...states.values()];
}

export function isRead(operation: string): boolean {
  return /^(Describe|List|Get)/.test(operation);
}

/** Everything that a decision depends on, except times. */
function signatureOf(world: World): string {
  const stored = world.table.stored(orders) as { record: ManagedKey } | undefined;
  const keys = [...world.kms.world.keys.values()];
  const kms = keys.map(({ state, tags, aliasNames }) => [state, [...tags.keys()], [...aliasNames]]);
  if (stored === undefined) return JSON.stringify(kms);
  const { record } = stored;
  const rotations = record.rotations.map((rotation) => [
    Object.keys(rotation),
    rotation.step,
    rotation.unanswered,
    rotation.restored,
    Object.keys(rotation.movedAtMs),
    Object.keys(rotation.intent),
  ]);
  return JSON.stringify(
    [
      kms,
      Object.keys(record),
      rotations,
      record.versions.map((version) => [version.number, Object.keys(version), version.state]),
      record.holds.map(({ kind }) => kind),
      record.findings.map(({ code }) => code),
      record.unsettled.length,
      record.extras.map((extra) => Object.keys(extra)),
    ],
    (name, value: unknown) => (name.endsWith("AtMs") ? typeof value : value),
  );
}

async function approved(world: World): Promise<void> {
  await world.passDays(125);
  const [rotation] = (await world.record()).rotations;
  const { hash: evidence } = rotation?.evidence ?? { hash: "" };
  await world.asks("approve", { version: 1, evidence });
  await world.passDays(20);
}

async function acknowledged(world: World): Promise<void> {
  await world.passDays(95);
  await world.asks("acknowledge", { version: 2, dependent: "search" });
  await world.passDays(5);
}

async function twoAliases(world: World): Promise<void> {
  let moves = 0;
  onCall(world, "UpdateAlias", () => (++moves % 3 === 1 ? undefined : Promise.resolve(noAnswer)));
  await world.passDays(84);
  await world.asks("rollback", { version: 2 });
  await world.passDays(2);
}

async function withGrants(world: World): Promise<void> {
  for (const role of ["app", "report"]) {
    const GranteePrincipal = `arn:aws:iam::000000000000:role/${role}`;
    const KeyId = await world.targetOf(orders);
    await world.ask("CreateGrant", { KeyId, GranteePrincipal, Operations: ["Decrypt"] });
  }
  await world.passDays(85);
}

async function rolledBack(world: World): Promise<void> {
  let version = 2;
  for (const days of [0, 0.02, 1, 35, 55]) {
    await world.asks("rotate");
    await world.passDays(days);
    await world.asks("rollback", { version });
    await world.passDays(1);
    await world.asks("resume");
    await world.passDays(3);
    version += 1;
  }
  await world.passDays(80);
}

async function rolledBackDuringCalls(world: World): Promise<void> {
  for (const kind of ["CreateKey", "UpdateAlias", "UntagResource"] as const) {
    const last = (await world.table.read(orders))?.record.lastNumber ?? 1;
    onCall(world, kind, (proceed) => proceed().then(() => noAnswer));
    await world.passDays(1);
    await world.asks("rotate");
    await world.pass(30 * minuteMs);
    await world.asks("rollback", { version: last + 1 });
    await world.pass(6 * hourMs);
    world.intercept = undefined;
    await world.asks("resume");
    await world.passDays(2);
  }
}

async function usedWhileDisabled(world: World): Promise<void> {
  const first = await world.targetOf(orders);
  let days = soaks;
  for (const next of [80, 60, 60]) {
    await world.passDays(days);
    await use(world, first);
    for (const event of world.attempts.slice(-1)) await world.deliver(event);
    await world.passDays(1);
    await world.asks("resume");
    days = next;
  }
}

/** CloudTrail records it as a use attempt where the key is disabled. */
export async function use(world: World, KeyId: string): Promise<void> {
  const Plaintext = Buffer.from("a");
  await world.ask("Encrypt", { KeyId, Plaintext }).catch(() => undefined);
}

async function compromised(world: World): Promise<void> {
  await world.passDays(2);
  await world.asks("compromised", { version: 1, reason: "it leaked" });
  await world.passDays(10);
  await world.asks("approve", { version: 1, override: true, confirm: orders });
  await world.passDays(40);
}

/** Each kind of call fails the first two times. */
async function failing(world: World, how: "lost" | "unsent" | "refused" | "dead"): Promise<void> {
  const times = new Map<string, number>();
  let isDead = false;
  world.intercept = async (_port, method, input, proceed) => {
    if (method === "due") isDead = false;
    if (isDead) throw new Died();
    const kind = method === "change" ? (input[0] as Call).kind : "";
    const count = (times.get(kind) ?? 0) + 1;
    times.set(kind, count);
    if (kind === "" || count > 2) return proceed();
    if (how === "refused") return { kind: "refused", refusal: "AccessDenied", message: "denied" };
    if (how !== "unsent" && (how !== "dead" || count === 1)) await proceed();
    if (how !== "dead") return noAnswer;
    isDead = true;
    throw new Died();
  };
  await world.passDays(pends);
  world.request("rollback", { version: 2 });
  await world.passDays(3);
}

async function changedByExternalActors(world: World): Promise<void> {
  const first = await world.targetOf(orders);
  const aliasTo = (TargetKeyId: string): Promise<unknown> =>
    world.ask("UpdateAlias", { AliasName: orders, TargetKeyId });
  await world.passDays(opens + 10);
  await world.ask("DisableKey", { KeyId: first });
  await world.passDays(30);
  await world.ask("EnableKey", { KeyId: first });
  await world.passDays(5);
  const second = await world.targetOf(orders);
  await aliasTo(first);
  await world.passDays(8);
  await aliasTo(second);
  await world.passDays(60);
  await world.ask("CancelKeyDeletion", { KeyId: first }).catch(() => undefined);
  await world.passDays(3);
}

async function takenOver(world: World): Promise<void> {
  const first = await world.targetOf(orders);
  const belongsTo = (TagValue: string): Promise<unknown> =>
    world.ask("TagResource", { KeyId: first, Tags: [{ TagKey: "keyturn:owner", TagValue }] });
  for (const days of [opens + 0.01, 10, 22, 10, 15]) {
    await world.passDays(days);
    await belongsTo("another").catch(() => undefined);
    await world.passDays(1);
    await world.asks("rollback", { version: 2 });
    await belongsTo("acme").catch(() => undefined);
    await world.asks("resume");
  }
}

async function restored(world: World): Promise<void> {
  await world.passDays(opens - 1);
  const backup = world.table.snapshot();
  await world.passDays(40);
  world.table.restore(backup);
  world.table.tableId = "table-2";
  await world.passDays(2);
  await world.asks("reconcile");
  const { proposal } = await world.record();
  await world.asks("reconcile", { proposal: proposal?.revision });
  await world.passDays(40);
}

async function plannedBefore(world: World): Promise<void> {
  await world.passDays(1);
  world.configuration = { ...world.configuration, mode: "act" };
  await world.passDays(83);
  world.configuration = { ...world.configuration, mode: "plan" };
  await world.passDays(3);
  world.configuration = { ...world.configuration, mode: "act" };
  await world.passDays(40);
}

async function unEnrolled(world: World): Promise<void> {
  await world.passDays(100);
  await world.asks("pause");
  await world.asks("un-enrol", { confirm: orders });
  await world.passDays(1);
  await world.asks("resume");
  await world.passDays(1);
}
