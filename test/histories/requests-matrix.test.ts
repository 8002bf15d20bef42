/** The outcome of every kind of request in every situation, printed at the end. */
import { afterAll, describe, expect, test } from "vitest";
import { dependent, enter, produce, situations, unreadable, type Situation } from "./situations.ts";
import type { World } from "../world.ts";

const orders = "alias/orders";
const names = Object.keys(situations) as Situation[];

const outcomes = {
  w: "a rotation is requested, and opens as soon as it may",
  h: "the rotation's waits are shortened",
  c: "the rotation is cancelled",
  b: "the previous version is reactivated",
  p: "the key is held",
  r: "the hold ends",
  a: "the evidence is approved",
  k: "the dependent has acknowledged",
  s: "the proposal is shown",
  e: "the record has who requested the enrolment",
  u: "un-enrolled",
  x: "rejected, and nothing changes",
} as const;

type Code = keyof typeof outcomes;

const expected: Record<string, string> = {
  rotate: "x w x x x w w w w w w x w",
  compromised: "x w h h h h h x x h h x h",
  rollback: "x x c c c b b b b b b c b",
  pause: "p p p p p p p p p p p p x",
  resume: "x x x x x x x x x x r r r",
  approve: "x x x x x x a a x x x x x",
  acknowledge: "x x x k k x x x x x x x x",
  reconcile: "x s s s s s s s s x s s s",
  enrol: "e x x x x x x x x x x x x",
  "un-enrol": "u u u u u u u u u u u u u",
  malformed: "x x x x x x x x x x x x x",
};

const events: Record<Code, string> = {
  w: "rotation-requested",
  h: "expedited",
  c: "cancelled",
  b: "rolled-back",
  p: "paused",
  r: "resumed",
  a: "approved",
  k: "acknowledged",
  s: "reconcile-proposed",
  e: "enrol-requested",
  u: "un-enrol-requested",
  x: "request-rejected",
};

function codeOf(kind: string, situation: Situation): Code {
  return (expected[kind]?.split(" ")[names.indexOf(situation)] ?? "x") as Code;
}

async function fieldsOf(world: World, kind: string): Promise<Record<string, unknown>> {
  const { rotations, versions } = await world.record();
  const busy = rotations.find(({ step }) => step !== "drain" && step !== "revoke");
  const active = versions.find(({ state }) => state === "active")?.number ?? 1;
  const evidence = rotations[0]?.evidence?.hash ?? "0".repeat(64);
  const of = versions[0]?.state === "disabled" ? "delete" : "disable";
  const fields: Record<string, Record<string, unknown>> = {
    compromised: { version: 1 },
    rollback: { version: busy?.to ?? active },
    approve: { version: 1, of, evidence },
    acknowledge: { version: 2, dependent },
    enrol: { policy: "quarterly" },
    "un-enrol": { confirm: orders },
  };
  return fields[kind] ?? {};
}

/** The state of KMS without random names. */
async function picture(world: World): Promise<unknown> {
  const keys = [...world.kms.world.keys.values()];
  return keys.map(({ state, aliasNames, tags }) => ({
    isTarget: aliasNames.has(orders),
    state,
    isRetired: tags.has("keyturn:retired"),
    version: tags.get("keyturn:version"),
  }));
}

async function activeNumber(world: World): Promise<number | undefined> {
  const target = await world.targetOf(orders);
  return (await world.record()).versions.find(({ keyId }) => keyId === target)?.number;
}

type Before = { target: string; picture: unknown; number: number | undefined };
const held: Situation[] = ["halted", "used while disabled", "paused"];

/** The conditions three days later, when every fault is over. */
const checks: Record<Code, (world: World, situation: Situation, before: Before) => Promise<void>> =
  {
    w: async (world, situation, before) => {
      const { wanted } = await world.record();
      if (!held.includes(situation)) expect(await activeNumber(world)).not.toBe(before.number);
      else
        expect([wanted?.urgent, await world.targetOf(orders)]).toEqual([
          expect.anything(),
          before.target,
        ]);
    },
    h: async (world) => {
      const record = await world.record();
      expect(record.rotations.find(({ from }) => from === 1)?.urgent).toBe(true);
    },
    c: async (world, situation) => {
      expect(await activeNumber(world)).toBe(situation === "rolling back" ? 2 : 1);
    },
    b: async (world, situation, before) => {
      const waits = situation === "halted" || situation === "paused";
      expect(await activeNumber(world)).toBe(waits ? before.number : 1);
      expect(await world.stateOf((await world.record()).versions[0]?.keyId ?? "")).toBe("Enabled");
    },
    p: async (world, _, before) => {
      const calls = world.calls.length;
      await world.passDays(40);
      const changing = world.calls
        .slice(calls)
        .filter((name) => !/^(Describe|List|Get)/.test(name));
      expect([changing, await world.targetOf(orders)]).toEqual([[], before.target]);
    },
    r: async (world) => {
      expect((await world.record()).holds).toEqual([]);
      expect(await world.findings()).not.toContain("PAUSED");
    },
    a: async (world) => {
      const first = (await world.record()).versions[0]?.keyId ?? "";
      expect(["Disabled", "PendingDeletion"]).toContain(await world.stateOf(first));
    },
    k: async (world) => expect(await activeNumber(world)).toBe(2),
    s: async (world) => expect((await world.record()).proposal?.lines.length).toBeGreaterThan(0),
    e: async (world) => expect((await world.record()).enrolledBy).toBe("configuration"),
    u: async (world, _, before) => {
      const plain = (of: unknown) =>
        (of as Record<string, unknown>[]).map(({ state, isTarget }) => [state, isTarget]);
      expect(plain(await picture(world))).toEqual(plain(before.picture));
      const tagged = [...world.kms.world.keys.values()].filter(
        ({ tags, state }) => tags.has("keyturn:owner") && state !== "PendingDeletion",
      );
      expect([tagged, (await world.record()).versions]).toEqual([[], []]);
    },
    x: async (world) => expect(await world.findings()).toContain("REQUEST_REJECTED"),
  };

const reasons = new Map<string, string>();
const undisturbed = new Map<string, unknown>();

/** The same situation three days later, without a request. */
async function leftAlone(situation: Situation, dependents: string[]): Promise<unknown> {
  const name = `${situation} ${dependents.join()}`;
  if (!undisturbed.has(name)) {
    const world = await enter(situation, dependents);
    world.intercept = undefined;
    await world.tick();
    await world.passDays(3);
    undisturbed.set(name, await picture(world));
  }
  return undisturbed.get(name);
}

describe.each(Object.keys(expected))("%s", (kind) => {
  test.each(names)("%s", async (situation) => {
    const code = codeOf(kind, situation);
    const dependents = kind === "acknowledge" ? [dependent] : [];
    const world = await enter(situation, dependents);
    const before = {
      target: await world.targetOf(orders),
      picture: await picture(world),
      number: await activeNumber(world),
    };
    const id = world.request(kind, await fieldsOf(world, kind));
    world.intercept = undefined;
    await world.tick();
    const lines = world.table.journal(orders).filter(({ detail }) => detail.request === id);
    expect(lines.map(({ event }) => event)).toEqual([events[code]]);
    if (code === "x") reasons.set(`${kind} ${situation}`, lines[0]?.reason ?? "");
    await world.passDays(3);
    expect(await world.table.requests(orders)).toEqual([]);
    expect(await world.stateOf(await world.targetOf(orders))).toBe("Enabled");
    if (situation !== "halted") await produce(world);
    const { versions } = await world.record();
    const isRetired = versions.some(({ state }) => /disabled|deletion/.test(state));
    if (!isRetired && code !== "u") expect(await unreadable(world)).toEqual([]);
    if (code === "x" || code === "s") {
      expect(await picture(world)).toEqual(await leftAlone(situation, dependents));
    }
    await checks[code](world, situation, before);
    expect(world.errors).toEqual([]);
  });
});

test("no cell is empty", () => {
  for (const row of Object.values(expected)) expect(row.split(" ")).toHaveLength(names.length);
});

afterAll(() => {
  const plain = [...reasons].map(([cell, why]) => [cell, why.replace(/[0-9a-f]{8,}\S*.*$/, "…")]);
  const whys = [...new Set(plain.map(([, why]) => why ?? ""))];
  const cell = (kind: string, situation: Situation): string => {
    const why = plain.find(([name]) => name === `${kind} ${situation}`)?.[1];
    const code = codeOf(kind, situation);
    return why === undefined ? code : `${code}${whys.indexOf(why) + 1}`;
  };
  const heading = names.map((name) => name.slice(0, 9).padEnd(10)).join("");
  const rows = Object.keys(expected).map(
    (kind) => kind.padEnd(13) + names.map((name) => cell(kind, name).padEnd(10)).join(""),
  );
  const legend = Object.entries(outcomes).map(([code, what]) => `${code}  ${what}`);
  const rejections = whys.map((why, index) => `x${index + 1} ${why.slice(0, 100)}`);
  const lines = ["requests by situation", " ".repeat(13) + heading, ...rows, "", ...legend];
  console.log([...lines, ...rejections].join("\n"));
});
