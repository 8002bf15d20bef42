/**
 * The four schedules that are unsafe because KMS has no compare-and-swap, played with the
 * production run. In each, run A sends a call and stalls. The call lands within the bounds of the
 * rule (A's deadline, the request limit, the clock skew), and no read shows it before.
 */
import type { Call, Policy } from "../../lambda/workflow/model/types.ts";
import { dayMs, hourMs, minuteMs, secondMs } from "../fixtures.ts";
import type * as worlds from "../world.ts";
import type { World } from "../world.ts";

export type Worlds = Pick<typeof worlds, "aWorld" | "Died">;

const orders = "alias/orders";
/**
 * World gives a run five minutes; then the claim of a stalled run ends, and its key is soon due.
 */
const takenOverMs = 5 * minuteMs + 31 * secondMs;
const lastLandingMs = 6 * minuteMs + 10 * secondMs;

/** A policy without waits: only the settle rule separates two runs. */
const hasty: Partial<Policy> = {
  propagationMs: 0,
  drain: { atLeastMs: 0, quietForMs: 0, evidence: "required" },
};

type Stalled = { land: () => Promise<void>; sinceMs: number };

class RunStalled extends Error {}

/**
 * Lets time pass until a run sends a call of this kind; that run stalls with its call in flight.
 */
async function stallOn(world: World, kind: Late["kind"], keyId: string): Promise<Stalled> {
  let stalled: Stalled | undefined;
  world.intercept = (_port, method, input, proceed) => {
    if (stalled !== undefined) return Promise.reject(new RunStalled());
    const call = input[0] as Call | undefined;
    const isIt = method === "change" && call?.kind === kind && call.keyId === keyId;
    if (!isIt) return proceed();
    stalled = { land: landing(world, call), sinceMs: world.clock.nowMs() };
    return Promise.reject(new RunStalled());
  };
  await world.passDays(200).catch((error: unknown) => {
    if (!(error instanceof RunStalled)) throw error;
  });
  world.intercept = undefined;
  if (stalled === undefined) throw new Error(`no run sent ${kind}`);
  return stalled;
}

type Late = Extract<Call, { kind: "UpdateAlias" | "DisableKey" | "ScheduleKeyDeletion" }>;

/** Applies the call once: no deadline at the sender stops a sent request. */
function landing(world: World, call: Late): () => Promise<void> {
  let landed = false;
  return async () => {
    if (landed) return;
    landed = true;
    const KeyId = call.keyId;
    const [operation, input] = {
      UpdateAlias: ["UpdateAlias", { AliasName: orders, TargetKeyId: KeyId }] as const,
      DisableKey: ["DisableKey", { KeyId }] as const,
      ScheduleKeyDeletion: ["ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 30 }] as const,
    }[call.kind];
    await world.ask(operation, input);
  };
}

/** Lands the stalled call just before this run's call reaches KMS; then the run dies. */
function landBefore(
  world: World,
  { Died }: Worlds,
  stalled: Stalled,
  fits: (call: Call) => boolean,
) {
  let over = false;
  world.intercept = async (_port, method, input, proceed) => {
    if (over) throw new Died();
    if (method !== "change" || !fits(input[0] as Call)) return proceed();
    await stalled.land();
    over = true;
    return proceed();
  };
}

/** Lands the stalled call at the latest possible moment, if it has not landed; then time passes. */
async function goOn(world: World, stalled: Stalled, days = 3): Promise<void> {
  world.intercept = undefined;
  world.clock.moveTo(Math.max(stalled.sinceMs + lastLandingMs, world.clock.nowMs()));
  await stalled.land();
  await world.passDays(days);
}

async function isUsable(world: World): Promise<boolean> {
  return (await world.stateOf(await world.targetOf(orders))) === "Enabled";
}

function become(world: World, changes: Partial<Policy>): void {
  const [[name, policy] = []] = Object.entries(world.configuration.policies);
  if (name === undefined || policy === undefined) throw new Error("a policy was expected");
  world.configuration = { ...world.configuration, policies: { [name]: { ...policy, ...changes } } };
}

/** Whether aliases were on an Enabled key at the decisive moment, and in the end. */
export type Outcome = { decisive: boolean; inTheEnd: boolean };

async function takeOver(world: World, stalled: Stalled, afterMs = takenOverMs): Promise<boolean> {
  world.clock.moveTo(stalled.sinceMs + afterMs);
  await world.tick().catch(() => undefined);
  return isUsable(world);
}

/** A's UpdateAlias(v2) lands after B moved the alias to v3, and just before B revokes v2. */
export async function twoRotations(from: Worlds): Promise<Outcome> {
  // When version 2 becomes active it is older than the evidence lag of an hour: B can revoke it.
  const world = await from.aWorld({ policy: { ...hasty, propagationMs: 2 * hourMs } });
  await world.passDays(83);
  await world.pass(10 * minuteMs);
  const second = (await world.record()).versions[1]?.keyId ?? "";
  const stalled = await stallOn(world, "UpdateAlias", second);
  const { cryptoperiodMs, leadMs } = world.configuration.policies.quarterly ?? {};
  become(world, { ...hasty, cryptoperiodMs: dayMs, leadMs: dayMs });
  landBefore(world, from, stalled, (call) => call.kind === "DisableKey" && call.keyId === second);
  const decisive = await takeOver(world, stalled);
  become(world, { cryptoperiodMs: cryptoperiodMs ?? dayMs, leadMs: leadMs ?? 0 });
  await goOn(world, stalled);
  return { decisive, inTheEnd: await isUsable(world) };
}

/**
 * A's DisableKey(v1) lands after B observed v1 Enabled, and just before B moves the alias to it.
 */
export async function rollback(from: Worlds): Promise<Outcome> {
  const world = await from.aWorld({ policy: { propagationMs: 0 } });
  const first = await world.targetOf(orders);
  const stalled = await stallOn(world, "DisableKey", first);
  world.request("rollback", { version: 2 });
  landBefore(world, from, stalled, (call) => call.kind === "UpdateAlias");
  const decisive = await takeOver(world, stalled);
  await goOn(world, stalled);
  return { decisive, inTheEnd: await isUsable(world) };
}

/** A's ScheduleKeyDeletion(v1) lands after B restored v1, which is in use. */
export async function tripwire(from: Worlds): Promise<Outcome> {
  const world = await from.aWorld({ policy: { retire: "delete" } });
  const first = await world.targetOf(orders);
  const made = await world.ask("Encrypt", { KeyId: orders, Plaintext: Buffer.from("a") });
  const stalled = await stallOn(world, "ScheduleKeyDeletion", first);
  await world.ask("Decrypt", { CiphertextBlob: made.CiphertextBlob }).catch(() => undefined);
  world.clock.moveTo(stalled.sinceMs + minuteMs);
  await world.deliver(world.attempts[0]);
  const decisive = (await world.stateOf(first)) === "Enabled";
  await goOn(world, stalled, 40);
  return { decisive, inTheEnd: (await world.stateOf(first)) === "Enabled" };
}

/**
 * Two epochs have calls in flight: A's DisableKey(v1), and B's EnableKey(v1), which gets a
 * response; then C.
 */
export async function twoEpochs(from: Worlds): Promise<Outcome> {
  const world = await from.aWorld({ policy: { propagationMs: 0 } });
  const first = await world.targetOf(orders);
  const stalled = await stallOn(world, "DisableKey", first);
  world.clock.moveTo(stalled.sinceMs + minuteMs);
  await world.deliver(attemptOn(first, world.clock.nowMs()));
  world.request("resume");
  world.request("rollback", { version: 2 });
  landBefore(world, from, stalled, (call) => call.kind === "UpdateAlias");
  const decisive = await takeOver(world, stalled, 2 * minuteMs);
  await goOn(world, stalled);
  return { decisive, inTheEnd: await isUsable(world) };
}

/** CloudTrail may report the effect of a DisableKey that no read shows. */
function attemptOn(keyId: string, atMs: number): unknown {
  const ARN = `arn:aws:kms:us-east-1:000000000000:key/${keyId}`;
  return {
    source: "aws.kms",
    "detail-type": "AWS API Call via CloudTrail",
    detail: {
      eventSource: "kms.amazonaws.com",
      eventName: "Decrypt",
      eventID: "11111111-2222-4333-8444-555555555555",
      eventTime: new Date(atMs).toISOString(),
      errorCode: "DisabledException",
      errorMessage: `${ARN} is disabled.`,
      userIdentity: { type: "AssumedRole", arn: "arn:aws:sts::000000000000:assumed-role/app/1" },
      resources: [{ ARN, accountId: "000000000000", type: "AWS::KMS::Key" }],
    },
  };
}
