import { describe, expect, test } from "vitest";
import { subjectOfCall } from "../../lambda/workflow/apply-outcome.ts";
import { activeVersion } from "../../lambda/workflow/model/record.ts";
import type { Call, ManagedKey } from "../../lambda/workflow/model/types.ts";
import { copyOf, type CopiedDeployment } from "./copied-deployment.ts";
import { aPolicy, dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { isRead, histories, orders, statesOf, use } from "./plan-histories.ts";
import { aWorld, startMs, type World } from "../world.ts";
import { isFull } from "../sizes.ts";

/** How many states of each history are tested; all of them take half a minute. */
const statesPerHistory = Number(process.env.PLAN_STATES ?? (isFull ? 18 : 4));

/** An event in a world, and keyturn's reaction. */
type Event = (world: World) => Promise<void>;

/** In either mode the configuration differs from the applied one. */
function inMode(state: World, mode: "act" | "plan"): CopiedDeployment {
  const unused = aPolicy({ name: "unused" });
  const policies = { ...state.configuration.policies, unused };
  return copyOf(state, { ...state.configuration, policies, mode });
}

function changesBy(world: World): string[] {
  return world.calls.filter((operation) => !isRead(operation));
}

function recordIn(world: World): ManagedKey | undefined {
  return (world.table.stored(orders) as { record: ManagedKey } | undefined)?.record;
}

function plannedCalls(world: World): string[] {
  return world.table
    .journal(orders)
    .filter(({ event }) => event === "call-planned")
    .map(({ detail }) => `${detail.call} ${detail.subject}`);
}

/** The first call that record and journal announce; no changing call is made. */
async function reportedFirstIn(state: World, event: Event): Promise<string> {
  const world = inMode(state, "plan");
  const before = recordIn(world)?.planned;
  const past = plannedCalls(world).length;
  await event(world);
  expect(changesBy(world)).toEqual([]);
  const { planned, waitingFor } = recordIn(world) ?? {};
  const news = plannedCalls(world).slice(past);
  // A pass that was cut short leaves what an earlier one announced.
  if (news.length === 0 && waitingFor?.startsWith("would ") !== true) {
    expect([before, undefined]).toContainEqual(planned);
    return "nothing";
  }
  const announced = `${planned?.call} ${planned?.subject}`;
  expect(announced).toBe(news.at(-1) ?? `${before?.call} ${before?.subject}`);
  return news[0] ?? announced;
}

async function doneFirstIn(state: World, event: Event): Promise<string> {
  const world = inMode(state, "act");
  let first = "nothing";
  world.intercept = (_port, method, input, proceed) => {
    const record = recordIn(world);
    if (method === "change" && first === "nothing" && record !== undefined) {
      const call = input[0] as Call;
      first = `${call.kind} ${subjectOfCall(record, call)}`;
    }
    return proceed();
  };
  await event(world);
  return first;
}

/** A run as soon as no run holds the claim, or so many days after that. */
async function runOnceFree(world: World, days = 0): Promise<void> {
  const freeMs = Math.max(world.clock.nowMs() + minuteMs, recordIn(world)?.claim?.untilMs ?? 0);
  world.clock.moveTo(freeMs + 1 + days * dayMs);
  expect((await world.tick()).outcome).toBe("worked");
}

/** A run so many days after the key is due. */
function runAfter(days: number): Event {
  return (world) => {
    const aheadMs = (recordIn(world)?.dueAtMs ?? 0) - world.clock.nowMs();
    const isEver = aheadMs > 0 && aheadMs < 1000 * dayMs;
    return runOnceFree(world, days + (isEver ? aheadMs / dayMs : 0));
  };
}

/** Requests for this record: possible ones, and some that are just impossible. */
function requestsFor(record: ManagedKey): Event[] {
  const active = activeVersion(record)?.number ?? 1;
  const [out] = record.rotations.filter(({ step }) => step === "drain" || step === "revoke");
  const leaving = out?.from ?? 1;
  const evidence = out?.evidence?.hash ?? "0".repeat(64);
  const proposal = record.proposal === undefined ? {} : { proposal: record.proposal.revision };
  const bodies = [
    { kind: "rotate" },
    { kind: "rollback", version: active },
    { kind: "compromised", version: active },
    { kind: "approve", version: leaving, override: true, confirm: orders },
    { kind: "pause" },
    { kind: "rollback", version: record.lastNumber },
    { kind: "resume" },
    { kind: "un-enrol", confirm: orders },
    { kind: "approve", version: leaving, evidence },
    { kind: "compromised", version: leaving },
    { kind: "acknowledge", version: record.lastNumber, dependent: "search" },
    { kind: "reconcile", ...proposal },
    { kind: "nonsense" },
  ];
  return bodies.map((body) => (world) => {
    world.table.ask(orders, "request-of-the-copy", { by: "ada", ...body });
    return runOnceFree(world);
  });
}

/** An application tries each disabled version, CloudTrail reports it, and a run follows. */
async function useAll(world: World): Promise<void> {
  for (const { keyId } of recordIn(world)?.versions ?? []) await use(world, keyId);
  for (const event of [...world.attempts]) await world.deliver(event);
  await runAfter(0)(world);
}

function eventsFor(state: World, index: number): Event[] {
  const record = recordIn(state);
  const later = index % 2 === 0 ? [runAfter(0), runAfter(50)] : [runAfter(0)];
  if (record === undefined) return later;
  const all = requestsFor(record);
  const requests = [index, index + 5].flatMap((number) => all[number % all.length] ?? []);
  const states = [...state.kms.world.keys.values()].map((key) => key.state);
  const uses = states.some((one) => one !== "Enabled") ? [useAll] : [];
  return [...later, ...requests, ...uses];
}

describe("mode plan changes nothing, and announces what mode act does, where a key", () => {
  test.each(Object.entries(histories))("%s", async (_, history) => {
    const all = await statesOf(history);
    const step = Math.max(1, all.length / statesPerHistory);
    const some = all.filter((_, index) => Math.floor(index % step) === 0);
    for (const [index, state] of some.entries()) {
      for (const event of eventsFor(state, index)) {
        const what = `${recordIn(state)?.waitingFor}, ${event.name}: `;
        expect(what + (await reportedFirstIn(state, event))).toBe(
          what + (await doneFirstIn(state, event)),
        );
      }
    }
  });
});

/** A use attempt before a deletion, in a deployment that changed to mode `plan`. */
async function usedWhilePending(): Promise<{ world: World; first: string }> {
  const world = await aWorld({
    policy: { retire: "delete", cryptoperiodMs: 300 * dayMs, leadMs: 217 * dayMs },
  });
  const first = await world.targetOf(orders);
  await world.passDays(83 + 31 + 14 + 10);
  world.configuration = { ...world.configuration, mode: "plan" };
  world.calls.length = 0;
  await use(world, first);
  return { world, first };
}

describe("a version pending deletion that is used, in mode plan", () => {
  test("is left to the operator, with one finding and the commands to restore it", async () => {
    const { world, first } = await usedWhilePending();
    const [answer] = await world.deliver(world.attempts[0]);
    expect(answer?.outcome).toBe("reported");
    expect(await world.stateOf(first)).toBe("PendingDeletion");
    const [what] = (await world.record()).findings;
    expect(what?.code).toBe("USED_WHILE_DISABLED");
    expect(what?.next).toContain(`aws kms cancel-key-deletion --key-id ${first}`);
    expect(what?.next).toContain(`aws kms enable-key --key-id ${first}`);
    const before = JSON.stringify(world.table.snapshot());
    for (let count = 0; count < 1000; count++) await world.deliver(world.attempts[0]);
    expect(JSON.stringify(world.table.snapshot())).toBe(before);
    expect(changesBy(world)).toEqual([]);
  });

  test("and restored by the operator, is Enabled and waits for resume", async () => {
    const { world, first } = await usedWhilePending();
    await world.deliver(world.attempts[0]);
    await world.ask("CancelKeyDeletion", { KeyId: first });
    await world.ask("EnableKey", { KeyId: first });
    await world.passDays(40);
    expect(await world.stateOf(first)).toBe("Enabled");
    expect(await world.findings()).toEqual(["USED_WHILE_DISABLED"]);
    expect(changesBy(world)).toEqual([]);
  });

  test("beside another that is used, has a finding of its own", async () => {
    const world = await aWorld({ policy: { retire: "delete", cryptoperiodMs: 300 * dayMs } });
    await world.passDays(1);
    await world.asks("rotate");
    await world.passDays(5);
    await world.asks("rotate");
    await world.passDays(31 + 14 + 5);
    world.configuration = { ...world.configuration, mode: "plan" };
    await useAll(world);
    const [first, second] = (await world.record()).versions.map(({ keyId }) => keyId);
    expect(await world.stateOf(second ?? "")).toBe("PendingDeletion");
    const reported = (await world.record()).findings.map(({ next }) => next).join();
    expect(reported).toContain(first);
    expect(reported).toContain(second);
  });

  test("is restored as soon as the mode is act", async () => {
    const { world, first } = await usedWhilePending();
    await world.deliver(world.attempts[0]);
    world.configuration = { ...world.configuration, mode: "act" };
    await world.tick();
    expect(await world.stateOf(first)).toBe("PendingDeletion");
    await world.pass(hourMs);
    expect(await world.stateOf(first)).toBe("Enabled");
  });
});

describe("a long time in mode plan", () => {
  test("adds no tags to a key that is not enrolled, and announces that once", async () => {
    const world = await aWorld({ mode: "plan" });
    const first = await world.targetOf(orders);
    await world.passDays(100);
    expect(plannedCalls(world)).toEqual([`TagResource ${first}`]);
    expect((await world.record()).planned?.call).toBe("TagResource");
    expect(world.kms.world.keys.get(first)?.tags.size).toBe(0);
    expect(changesBy(world)).toEqual([]);
  });

  test("of a year changes nothing, announces the next call once, and reports that the key is overdue", async () => {
    const world = await aWorld({ policy: { retire: "delete" } });
    const first = await world.targetOf(orders);
    await world.passDays(1);
    world.configuration = { ...world.configuration, mode: "plan" };
    world.calls.length = 0;
    let missing = 0;
    world.afterRun = () => {
      const { planned, findings = [], rotations = [] } = recordIn(world) ?? {};
      if (rotations.length > 0 && planned === undefined) missing += 1;
      const isOverdue = world.clock.nowMs() > startMs + 91 * dayMs;
      if (isOverdue && findings.every(({ code }) => code !== "OVERDUE")) missing += 1;
      return Promise.resolve();
    };
    await world.passDays(365);
    expect(missing).toBe(0);
    expect(plannedCalls(world)).toEqual([`CreateKey ${orders}`]);
    expect(await world.findings()).toEqual(["OVERDUE"]);
    expect(changesBy(world)).toEqual([]);
    expect(await world.targetOf(orders)).toBe(first);

    world.configuration = { ...world.configuration, mode: "act" };
    await world.passDays(1);
    expect(await world.targetOf(orders)).not.toBe(first);
    expect(await world.findings()).toEqual([]);
    await world.passDays(80);
    expect(await world.stateOf(first)).toBe("deleted");
    expect((await world.record()).planned).toBeUndefined();
  });
});
