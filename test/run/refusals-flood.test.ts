/** A flood of refused uses before the two deployed functions: a noisy insider, or a fleet of scanners. */
import { describe, expect, test } from "vitest";
import { createTable } from "../../lambda/aws/dynamodb.ts";
import { nameOf } from "../../lambda/refusals/tally.ts";
import { sdkConfig } from "../contract/sides.ts";
import { dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { account, anAccount, approve, asked, findings, moved, type Account } from "./account.ts";
import { orders, tableName } from "./deployed.ts";

const batches = 100;
const eventsPerBatch = 1000;
const principals = 500;
const roleOf = (index: number): string => `arn:aws:iam::${account}:role/flood-${index}`;

/** An account in which KMS refuses any of many roles the first version, and the JSON of the event. */
async function aFlood() {
  const there = await anAccount();
  const { allow, refused, read, aws, clock, passUntil } = there;
  await passUntil(moved);
  const template = "a-role-that-is-replaced";
  allow(`arn:aws:iam::${account}:role/${template}`, { Resource: "arn:aws:kms:*:*:key/none" });
  refused("Decrypt", read, `arn:aws:iam::${account}:role/${template}`);
  const event = aws.refusedUses.at(-1);
  if (event === undefined) throw new Error("no event");
  const json = JSON.stringify(event).replaceAll(template, "flood-N");
  const bodyOf = (index: number): string =>
    json
      .replaceAll("flood-N", `flood-${index}`)
      .replaceAll(event.detail.eventTime, `${new Date(clock.nowMs()).toISOString().slice(0, 19)}Z`);
  const table = createTable(tableName, sdkConfig(aws.endpoint));
  const item = async () => {
    const refusals = await table.refusals(orders);
    if (refusals === undefined) throw new Error("nothing is stored");
    return refusals;
  };
  return { ...there, bodyOf, item };
}

/** The requests of one run, by service and operation. */
async function requestsOfRun({ aws, run }: Pick<Account, "aws" | "run">): Promise<object> {
  aws.resetCalls();
  await run();
  return aws.calls();
}

describe("100,000 refused events from 500 principals", () => {
  test("make few writes, a small item, and no more requests of a run", async () => {
    const flood = await aFlood();
    const { clock, bodyOf, collectBodies, aws, item, first, log } = flood;
    let writes = 0;
    let requests: object = {};
    for (let batch = 0; batch < batches; batch++) {
      // Five more principals in each batch.
      const joined = Math.min(principals, 5 * (batch + 1));
      const bodies = Array.from({ length: joined }, (_, index) => bodyOf(index));
      const events = Array.from({ length: eventsPerBatch }, (_, n) => bodies[n % joined] ?? "");
      const before = aws.calls().dynamodb["PutItem"] ?? 0;
      expect(await collectBodies(events)).toEqual({ batchItemFailures: [] });
      writes += (aws.calls().dynamodb["PutItem"] ?? 0) - before;
      if (batch === batches / 2) requests = await requestsOfRun(flood);
      clock.advance(minuteMs);
    }
    expect(requests).toEqual(await requestsWithoutFlood());
    const stored = await item();
    expect(Buffer.byteLength(JSON.stringify(stored))).toBeLessThan(100_000);
    // At most one write an id and hour; the flood lasts less than two hours.
    expect(writes).toBeLessThan(principals);
    const names = Array.from({ length: 20 }, (_, index) =>
      nameOf(roleOf(index), "Decrypt", "AccessDenied"),
    );
    expect(Object.keys(stored.on[first]?.uses ?? {})).toEqual(names);
    const { others, uses = {} } = stored.on[first] ?? {};
    const counted = Object.values(uses).reduce((sum, { count }) => sum + count, others?.count ?? 0);
    expect(counted).toBeGreaterThan(0.9 * batches * eventsPerBatch);
    expect(others).toMatchObject({ isFull: true });
    expect(log.filter((line) => line.includes("refused uses not stored"))).toEqual([]);
  });

  test("block the deletion by one more id, which can be accepted a day after the last one joined", async () => {
    const flood = await aFlood();
    const { clock, bodyOf, collectBodies, passUntil, record, stateOf, first } = flood;
    const all = Array.from({ length: principals }, (_, index) => bodyOf(index));
    await collectBodies(all);
    await passUntil(asked - 6 * hourMs);
    await collectBodies([bodyOf(principals)]);
    await passUntil(asked);
    const growing = await findings(record);
    expect(growing.APPROVAL_REQUIRED).toMatch(/refused:1\|others: further uses, \d+ times/);
    expect(growing.APPROVAL_REQUIRED).toContain("no approval accepts them while more join");
    await approve(flood, true);
    await passUntil(asked + 12 * hourMs);
    expect(stateOf(first)).toBe("Disabled");
    expect((await findings(record)).REQUEST_REJECTED).toContain("does not accept refused:1|others");
    await passUntil(asked + dayMs);
    expect((await findings(record)).APPROVAL_REQUIRED).not.toContain("no approval accepts");
    await approve(flood, true);
    await passUntil(asked + dayMs + hourMs);
    expect(stateOf(first)).toBe("PendingDeletion");
    clock.advance(minuteMs);
    await collectBodies([bodyOf(principals + 1)]);
    await flood.run();
    expect(stateOf(first)).toBe("Disabled");
  });
});

/** A run on the same managed key, about one refused use. */
async function requestsWithoutFlood(): Promise<object> {
  const quiet = await aFlood();
  await quiet.collectBodies([quiet.bodyOf(0)]);
  quiet.clock.advance((batches / 2) * minuteMs);
  return requestsOfRun(quiet);
}
