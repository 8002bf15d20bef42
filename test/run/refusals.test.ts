/** Callers that a rotation locks out, before the two deployed functions. */
import { describe, expect, test } from "vitest";
import { dayMs, hourMs, minuteMs } from "../fixtures.ts";
import {
  account,
  anAccount,
  approve,
  asked,
  findings,
  moved,
  reader,
  type Caller,
} from "./account.ts";
import { orders } from "./deployed.ts";

const byAlias: Caller = {
  Condition: { "ForAnyValue:StringEquals": { "kms:ResourceAliases": orders } },
};

describe("a reader that is allowed by the alias, and refused on the old version since the move", () => {
  test("is reported by name, and blocks the deletion until an operator accepts it", async () => {
    const there = await anAccount();
    const { allow, refused, read, passUntil, record, first, stateOf, aws } = there;
    allow(reader, byAlias);
    await passUntil(moved);
    refused("Decrypt", read);
    await passUntil(moved + dayMs);
    const found = await findings(record);
    expect(found.REFUSED_USE).toContain(`refused:1|${reader}|Decrypt|AccessDenied`);
    expect(found.REFUSED_USE).toContain("once, at 2027-01-29");
    await passUntil(asked);
    expect((await findings(record)).APPROVAL_REQUIRED).toContain(reader);
    await approve(there, false);
    await passUntil(asked + dayMs);
    expect(aws.calls().kms).not.toHaveProperty("ScheduleKeyDeletion");
    expect((await findings(record)).REQUEST_REJECTED).toContain("does not accept refused:1|");
    await approve(there, true);
    await passUntil(asked + 2 * dayMs);
    expect(stateOf(first)).toBe("PendingDeletion");
  });

  test("cancels the deletion that is scheduled: the version stays disabled, and waits again", async () => {
    const there = await anAccount();
    const { allow, refused, read, passUntil, record, first, stateOf } = there;
    allow(reader, byAlias);
    await passUntil(asked);
    await approve(there, false);
    await passUntil(asked + dayMs);
    expect(stateOf(first)).toBe("PendingDeletion");
    refused("Decrypt", read);
    await there.deliverRefused();
    await there.run();
    expect(stateOf(first)).toBe("Disabled");
    await passUntil(asked + 3 * dayMs);
    expect(stateOf(first)).toBe("Disabled");
    const found = await findings(record);
    expect(found.REFUSED_USE).toContain(reader);
    expect(found.APPROVAL_REQUIRED).toContain(`refused:1|${reader}|Decrypt|AccessDenied`);
  });

  test("voids no approval by a hundred repetitions; another caller blocks again", async () => {
    const there = await anAccount();
    const { allow, refused, read, passUntil, first, stateOf } = there;
    const other = `arn:aws:iam::${account}:role/other`;
    allow(reader, byAlias);
    allow(other, byAlias);
    await passUntil(moved);
    refused("Decrypt", read);
    await passUntil(asked);
    await approve(there, true);
    for (let count = 0; count < 100; count++) refused("Decrypt", read);
    await passUntil(asked + dayMs);
    expect(stateOf(first)).toBe("PendingDeletion");
    refused("Decrypt", read, other);
    await there.deliverRefused();
    await there.run();
    expect(stateOf(first)).toBe("Disabled");
  });

  test("does not block where the configuration accepts it", async () => {
    const there = await anAccount({ acceptedRefusals: [{ principal: reader }] });
    const { allow, refused, read, passUntil, record, first, stateOf } = there;
    allow(reader, byAlias);
    await passUntil(moved);
    refused("Decrypt", read);
    await passUntil(asked);
    expect(await findings(record)).not.toHaveProperty("REFUSED_USE");
    await approve(there, false);
    await passUntil(asked + dayMs);
    expect(stateOf(first)).toBe("PendingDeletion");
  });
});

describe("a caller whose policy names the first version's ARN", () => {
  test("is reported within minutes of the move, with the rollback command, and blocks the deletion", async () => {
    const there = await anAccount();
    const { allow, refused, passUntil, record, first, aws, Plaintext, clock } = there;
    allow(reader, { Resource: `arn:aws:kms:us-east-1:${account}:key/${first}` });
    await passUntil(moved - 2 * dayMs);
    while ((await record())?.versions.find(({ state }) => state === "active")?.number !== 2) {
      await passUntil(clock.nowMs() + 5 * minuteMs);
    }
    await passUntil(clock.nowMs() + 15 * minuteMs);
    refused("Encrypt", { KeyId: orders, Plaintext });
    await there.deliverRefused();
    await there.run();
    const found = await findings(record);
    expect(found.REFUSED_SINCE_ACTIVATION).toContain(`refused:2|${reader}|Encrypt|AccessDenied`);
    const next = (await record())?.findings.find(
      ({ code }) => code === "REFUSED_SINCE_ACTIVATION",
    )?.next;
    expect(next).toBe(`npx keyturn rollback ${orders} --version 2`);
    await passUntil(asked);
    await approve(there, false);
    await passUntil(asked + dayMs);
    expect(aws.calls().kms).not.toHaveProperty("ScheduleKeyDeletion");
  });

  test("is reported again where it is still locked out after a rollback and a new rotation", async () => {
    const there = await anAccount();
    const { allow, refused, passUntil, record, first, Plaintext, clock, state } = there;
    allow(reader, { Resource: `arn:aws:kms:us-east-1:${account}:key/${first}` });
    const active = async () =>
      (await record())?.versions.find(({ state: is }) => is === "active")?.number;
    const until = async (number: number) => {
      while ((await active()) !== number) await passUntil(clock.nowMs() + 5 * minuteMs);
    };
    const lockOut = async () => {
      await passUntil(clock.nowMs() + 15 * minuteMs);
      refused("Encrypt", { KeyId: orders, Plaintext });
      await there.deliverRefused();
      await there.run();
      expect(await findings(record)).toHaveProperty("REFUSED_SINCE_ACTIVATION");
    };
    await passUntil(moved - 2 * dayMs);
    await until(2);
    await lockOut();
    await state.ask(orders, "rollback-00000001", { kind: "rollback", version: 2, by: "ada" });
    await until(1);
    await passUntil(clock.nowMs() + hourMs);
    await state.ask(orders, "resume-000000001", { kind: "resume", by: "ada" });
    await until(3);
    await lockOut();
  });
});

describe("a reader that names the alias for old data", () => {
  test("is reported, and blocks the deletion", async () => {
    const there = await anAccount();
    const { refused, read, passUntil, record, aws } = there;
    await passUntil(moved);
    refused("Decrypt", { ...read, KeyId: orders });
    await passUntil(asked);
    const found = await findings(record);
    expect(found.READ_BY_ALIAS).toContain(`refused:alias|${reader}|Decrypt|IncorrectKeyException`);
    await approve(there, false);
    await passUntil(asked + dayMs);
    expect(aws.calls().kms).not.toHaveProperty("ScheduleKeyDeletion");
  });
});

describe("a deletion", () => {
  test("waits while no canary came through the queue, and then for the quiet time", async () => {
    const there = await anAccount();
    const { passUntil, record, first, stateOf } = there;
    await passUntil(asked - 3 * dayMs);
    there.trailOff();
    await passUntil(asked);
    await approve(there, false);
    await passUntil(asked + 2 * dayMs);
    expect(stateOf(first)).toBe("Disabled");
    expect(await findings(record)).toHaveProperty("REFUSALS_NOT_WATCHED");
    there.trailOn();
    await passUntil(asked + 2.5 * dayMs);
    expect(stateOf(first)).toBe("Disabled");
    await passUntil(asked + 6 * dayMs);
    await approve(there, false);
    await passUntil(asked + 7 * dayMs);
    expect(stateOf(first)).toBe("PendingDeletion");
  });
});
