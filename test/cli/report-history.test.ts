/** The phases of each version in the report, for histories that production runs made. */
import { describe, expect, test } from "vitest";
import type { KeyHistory } from "../../lambda/aws/dynamodb-reading.ts";
import { keyReport, type KeyReport } from "../../cli/report/model.ts";
import { dayMs } from "../fixtures.ts";
import { aWorld, startMs, type World, type WorldOptions } from "../world.ts";
import { aYear, historyIn } from "./report-histories.ts";

const orders = "alias/orders";
const deleted: WorldOptions = {
  policy: {
    retire: "delete",
    deletionWindowDays: 7,
    cryptoperiodMs: 300 * dayMs,
    leadMs: 217 * dayMs,
  },
};

async function reportOf(world: World): Promise<KeyReport> {
  const nowMs = world.clock.nowMs();
  return keyReport(await historyIn(world), { fromMs: startMs, toMs: nowMs + 1 }, nowMs);
}

/** The phases of each version, by number: `1: active draining disabled`. */
function phasesOf({ versions }: KeyReport): string[] {
  return versions.map(
    ({ number, phases }) => `${number}: ${phases.map(({ kind }) => kind).join(" ")}`,
  );
}

describe("the phases of a version", () => {
  test("of a rotation that disables: it drains, is disabled, and its successor is active", async () => {
    const world = await aWorld();
    await world.passDays(140);
    const report = await reportOf(world);
    expect(phasesOf(report)).toEqual(["1: active draining disabled", "2: pre-active active"]);
    const [first, second] = report.versions;
    expect(first?.phases[0]).toMatchObject({ fromMs: startMs });
    expect(first?.activeToMs).toBe(second?.activeFromMs);
    expect(first?.cryptoperiodMs).toBe(90 * dayMs);
    expect(first?.activeMs).toBeLessThan(90 * dayMs);
    expect(first?.overdue).toEqual([]);
  });

  test("of a deleted version are complete, with its ARN and the start of its active time", async () => {
    const world = await aWorld(deleted);
    const keyId = await world.targetOf(orders);
    await world.passDays(150);
    expect(await world.stateOf(keyId)).toBe("deleted");
    const report = await reportOf(world);
    expect(phasesOf(report)[0]).toBe("1: active draining disabled pending-deletion destroyed");
    expect(report.versions[0]).toMatchObject({ activeFromMs: startMs, keyId });
    expect(report.versions[0]?.arn).toBe(`arn:aws:kms:us-east-1:000000000000:key/${keyId}`);
    expect(report.versions[0]?.shape?.spec).toBe("SYMMETRIC_DEFAULT");
  });

  test("of a rollback: the previous version is active again; the other drains and is deleted", async () => {
    const world = await aWorld(deleted);
    await world.passDays(100);
    await world.asks("rollback", { version: 2 });
    await world.passDays(1);
    const back = await reportOf(world);
    expect(phasesOf(back)).toEqual([
      "1: active draining reactivating active",
      "2: pre-active active draining",
    ]);
    const [first] = back.versions;
    // Its earlier active time counts: the cryptoperiod starts at its first activation.
    expect(first?.activeMs).toBeGreaterThan(84 * dayMs - 1);
    expect(first?.activeMs).toBeLessThan(100 * dayMs);
    expect(back.rotations.map(({ kind, outcome }) => `${kind}: ${outcome}`)).toEqual([
      "rotation: ended by a rollback",
      "rollback: under way: drain",
    ]);
    await world.passDays(70);
    expect(phasesOf(await reportOf(world))[1]).toBe(
      "2: pre-active active draining disabled pending-deletion destroyed",
    );
  });

  test("of a rollback from pending deletion: it was disabled, scheduled, and is active again", async () => {
    const world = await aWorld(deleted);
    await world.passDays(132);
    await world.asks("rollback", { version: 2 });
    await world.passDays(1);
    expect(phasesOf(await reportOf(world))[0]).toBe(
      "1: active draining disabled pending-deletion reactivating active",
    );
  });

  test("of a rotation cancelled before an alias moved: the new version was never active", async () => {
    const world = await aWorld({ policy: { propagationMs: 2 * dayMs } });
    await world.passDays(84);
    await world.asks("rollback", { version: 2 });
    await world.passDays(1);
    expect(phasesOf(await reportOf(world))).toEqual(["1: active", "2: pre-active draining"]);
  });

  test("of a use attempt while disabled: it is restored, and that is an exception", async () => {
    const world = await aWorld(deleted);
    const keyId = await world.targetOf(orders);
    await world.passDays(120);
    const use = world.ask("Encrypt", { KeyId: keyId, Plaintext: Buffer.from("a") });
    await expect(use).rejects.toThrow("disabled");
    await world.deliver(world.attempts[0]);
    await world.passDays(1);
    const report = await reportOf(world);
    expect(phasesOf(report)[0]).toBe("1: active draining disabled draining");
    expect(report.exceptions.map(({ what }) => what)).toEqual([
      "USED_WHILE_DISABLED",
      "NEEDED AFTER ALL",
    ]);
  });

  test("after un-enrolment are not known; re-enrolment starts another tenure of the same key", async () => {
    const world = await aWorld();
    await world.passDays(100);
    await world.asks("un-enrol", { confirm: orders });
    await world.passDays(1);
    expect(phasesOf(await reportOf(world))).toEqual([
      "1: active draining released",
      "2: pre-active active released",
    ]);
    await world.asks("resume");
    await world.passDays(1);
    const report = await reportOf(world);
    expect(phasesOf(report).at(-1)).toBe("1: active");
    expect(report.versions.at(-1)?.phases[0]?.note).toContain("it was version 2 before");
  });

  test("between a backup and its restore are reported as not known", async () => {
    const world = await aWorld();
    await world.passDays(50);
    const backup = world.table.snapshot();
    const backedUpAtMs = world.clock.nowMs();
    await world.passDays(100);
    world.table.restore(backup);
    world.table.tableId = "table-2";
    await world.passDays(1);
    for (let tries = 0; tries < 2; tries++) {
      await world.asks("reconcile");
      const { proposal } = await world.record();
      await world.asks("reconcile", { proposal: proposal?.revision });
      await world.passDays(1);
    }
    const report = await reportOf(world);
    const [first, second] = report.versions;
    expect(phasesOf(report)[0]).toMatch(/^1: active unknown (disabled|draining)/);
    expect(phasesOf(report)[1]).toMatch(/^2: unknown active/);
    expect(first?.phases[1]?.fromMs).toBeLessThanOrEqual(backedUpAtMs);
    expect(second?.phases[0]?.note).toContain("rebuilt");
    expect(first?.activeMs).toBeLessThanOrEqual(50 * dayMs);
  });
});

describe("of all histories of a year", async () => {
  const { histories, nowMs } = await aYear();
  const period = { fromMs: startMs, toMs: nowMs + 1 };
  const reportOfHistory = (history: KeyHistory): KeyReport => keyReport(history, period, nowMs);

  test.each(histories)(
    "$record.alias: each phase begins at the end of the previous one",
    (history) => {
      for (const { phases } of reportOfHistory(history).versions) {
        for (const [at, { fromMs, toMs }] of phases.entries()) {
          expect(toMs).toBe(phases[at + 1]?.fromMs);
          expect(fromMs).toBeLessThanOrEqual(toMs ?? nowMs);
        }
      }
    },
  );

  test.each(histories)("$record.alias: exactly one version is active at all times", (history) => {
    const { versions } = reportOfHistory(history);
    for (let atMs = startMs + 1; atMs < nowMs; atMs += dayMs / 2) {
      const active = versions.filter(({ phases }) =>
        phases.some(
          ({ kind, fromMs = Infinity, toMs = Infinity }) =>
            kind === "active" && fromMs <= atMs && atMs < toMs,
        ),
      );
      expect(active).toHaveLength(1);
    }
  });

  test.each(histories)(
    "$record.alias: no version is disabled without an earlier reading",
    (history) => {
      const { versions, drains } = reportOfHistory(history);
      for (const { keyId, phases } of versions) {
        const out = phases.find(({ kind }) => kind === "disabled");
        if (out === undefined) continue;
        const drain = drains.find((one) => one.keyId === keyId);
        const [reading] = drain?.readings ?? [];
        expect(reading?.atMs).toBeLessThanOrEqual(out.fromMs ?? 0);
        expect(reading?.quietMs).toBeGreaterThanOrEqual(drain?.quietForMs ?? Infinity);
        expect(reading?.hash).toMatch(/^[0-9a-f]{64}$/);
      }
    },
  );

  test("the approvals are those of the operator, each for evidence that was read", () => {
    const vault = histories.find(({ record }) => record.alias === "alias/card-vault");
    const { drains, decisions } = reportOfHistory(vault as KeyHistory);
    expect(drains.length).toBeGreaterThan(2);
    for (const { approval, readings } of drains) {
      expect(approval).toMatchObject({ by: "grace", override: false });
      expect(readings.map(({ hash }) => hash)).toContain(approval?.hash);
    }
    const approvals = decisions.filter(({ asked }) => asked === "approve");
    expect(approvals.map(({ reason }) => reason)).toContain("CHG-4411: drained, no open objection");
  });

  test("a compromised version is marked, and an overdue one reported", () => {
    const all = histories.map(reportOfHistory);
    const of = (alias: string) => all.find((one) => one.alias === alias);
    expect(of("alias/invoices")?.versions[1]?.compromisedAtMs).toBeGreaterThan(startMs);
    expect(of("alias/archive")?.versions[0]?.overdue).toEqual([
      { fromMs: startMs + 180 * dayMs, toMs: undefined },
    ]);
    const [past] = of("alias/tokens")?.versions[0]?.overdue ?? [];
    expect(past?.toMs).toBeGreaterThan(past?.fromMs ?? Infinity);
  });
});
