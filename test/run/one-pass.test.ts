/**
 * A page of the due index has a managed key several times if the key is due and requests for it
 * wait. The deployed function still makes one pass over it, even if KMS answers slowly.
 */
import { expect, test } from "vitest";
import { Approver } from "../approver.ts";
import { dayMs, minuteMs } from "../fixtures.ts";
import { aDeployment, orders } from "./deployed.ts";

const slowMs = 80;

const hasty = {
  cryptoperiod: "30d",
  drain: { atLeast: "1d", quietFor: "1d" },
  soak: "1d",
  retire: "delete",
};

test.each(["CreateKey", "UpdateAlias", "DisableKey", "ScheduleKeyDeletion"] as const)(
  "completes a rotation with a slow %s and with requests waiting at every due time",
  async (slow) => {
    const { aws, clock, log, state, run } = await aDeployment(hasty);
    aws.fault = (service, operation) =>
      service === "kms" && operation === slow ? { kind: "delay", ms: slowMs } : undefined;
    const approver = new Approver();
    await run();
    for (let tick = 0; tick < 60 && clock.nowMs() < Date.UTC(2027, 1, 10); tick++) {
      // Rejected, since nothing is on hold. With two, a page has the alias three times.
      for (const one of ["a", "b"]) {
        await state.ask(orders, `request-${tick}-${one}`, { kind: "resume", by: "ada" });
      }
      await run();
      const { record } = (await state.read(orders)) ?? {};
      for (const approval of approver.requests(record?.versions ?? [], record?.findings ?? [])) {
        await state.ask(orders, `approval-${tick}`, { ...approval, by: "ada" });
      }
      clock.moveTo(Math.max(clock.nowMs() + minuteMs, record?.dueAtMs ?? 0));
    }
    const { record } = (await state.read(orders)) ?? {};
    expect(
      record?.findings.map(({ code }) => code).filter((c) => c !== "REQUEST_REJECTED"),
    ).toEqual([]);
    expect(log.some((line) => line.includes("deletion-scheduled"))).toBe(true);
    expect(log.filter((line) => line.includes("another run took over"))).toEqual([]);
    const changes = Object.entries(aws.calls().kms).filter(([name]) =>
      ["CreateKey", "UpdateAlias", "DisableKey", "ScheduleKeyDeletion"].includes(name),
    );
    expect(Object.fromEntries(changes)).toEqual({
      CreateKey: 1,
      UpdateAlias: 1,
      DisableKey: 1,
      ScheduleKeyDeletion: 1,
    });
    expect(record?.versions.map(({ number, state }) => `${number} ${state}`)).toEqual([
      "1 pending-deletion",
      "2 active",
    ]);
    expect(clock.nowMs()).toBeGreaterThan(Date.UTC(2027, 0, 1) + 25 * dayMs);
  },
);
