/** Two processes at once, a run between them, and a table that fails. */
import { describe, expect, test } from "vitest";
import { hourMs, minuteMs } from "../fixtures.ts";
import { first, second } from "../inbound/cloudtrail.ts";
import {
  aCollector,
  canaryOf,
  deniedUse,
  incorrectKey,
  orders,
  startMs,
  unattributed,
  versionsOf,
  type Collecting,
} from "./collecting.ts";

const principals = async ({ on }: Collecting, keyId = first) =>
  Object.values((await on(keyId)).uses).map(({ principal }) => principal.split("/").at(-1));

describe("two processes", () => {
  test("lose none of their uses, whichever has read an older item", async () => {
    const there = await aCollector();
    const [one, two] = [there.collect, there.another()];
    for (const [index, collect] of [one, two, one, two, two, one].entries()) {
      await collect(deniedUse({ by: `r${index}` }));
    }
    expect(await principals(there)).toEqual(["r0", "r1", "r2", "r3", "r4", "r5"]);
  });

  test("that write at the same moment lose none: the second one reads again", async () => {
    const there = await aCollector();
    const other = there.another();
    let isFirst = true;
    there.breaks(async (method) => {
      if (method !== "saveRefusals" || !isFirst) return;
      isFirst = false;
      await other(deniedUse({ by: "other" }), deniedUse({ by: "one" }));
    });
    await there.collect(deniedUse({ by: "one" }), deniedUse({ by: "two" }));
    expect(await principals(there)).toEqual(["other", "one", "two"]);
    const counts = Object.values((await there.on()).uses).map(({ count }) => count);
    expect(counts).toEqual([1, 2, 1]);
  });

  test("keep the later canary of the two", async () => {
    const there = await aCollector();
    const other = there.another();
    await there.collect(canaryOf(startMs - 3 * hourMs));
    await other(canaryOf(startMs - hourMs));
    await there.collect(canaryOf(startMs - 2 * hourMs));
    const watch = await there.table.refusalsWatch();
    expect(watch).toMatchObject({ heardAtMs: startMs - hourMs, sinceMs: startMs - 3 * hourMs });
  });

  test("return a batch to the queue after five lost writes, and store it when it comes again", async () => {
    const there = await aCollector();
    const rivals = Array.from({ length: 5 }, () => there.another());
    let isActing = false;
    there.breaks(async (method) => {
      if (method !== "saveRefusals" || isActing) return;
      isActing = true;
      await rivals.pop()?.(deniedUse({ by: `rival-${rivals.length}` }));
      isActing = false;
    });
    const given = await there.collect(deniedUse({ by: "one" }));
    expect(given).toMatchObject({
      failed: ["m0"],
      error: new Error(`${orders}: others keep writing its refusals`),
    });
    expect(await there.collect(deniedUse({ by: "one" }))).toEqual({ failed: [], unattributed: 0 });
    expect(await principals(there)).toContain("one");
  });
});

describe("a run", () => {
  test("that has read the news is not called again by a copy from before", async () => {
    const there = await aCollector();
    await there.collect(deniedUse());
    await there.table.refusalsRead(orders, 1);
    there.clock.advance(2 * hourMs);
    await there.collect(deniedUse());
    expect(await there.stored()).not.toHaveProperty("dueAtMs");
    expect(Object.values((await there.on()).uses)).toMatchObject([{ count: 2 }]);
  });

  test("that makes a new version loses no refusal of it that came before its record was read", async () => {
    const [old] = versionsOf();
    const there = await aCollector({ versions: old === undefined ? [] : [old] });
    await there.twin.bind(second, orders, startMs);
    await there.collect(deniedUse());
    const stored = await there.twin.read(orders);
    if (stored === undefined) throw new Error("no record");
    const record = { ...stored.record, versions: versionsOf() };
    const { revision, epoch } = record;
    await there.twin.write({ ...stored, record }, { revision, epoch, writes: stored.writes });
    await there.collect(deniedUse({ keyId: second, by: "locked-out" }), deniedUse({ by: "two" }));
    expect(await principals(there, second)).toEqual([]);
    there.clock.advance(minuteMs);
    await there.collect(deniedUse({ by: "three" }));
    expect(await principals(there, second)).toEqual(["locked-out"]);
  });
});

describe("a table that fails", () => {
  const events = [
    deniedUse(),
    deniedUse({ keyId: second }),
    canaryOf(startMs),
    unattributed(),
    incorrectKey("alias/other"),
    deniedUse({ keyId: first, by: "b" }),
    { no: "event" },
  ];
  const failing = async (method: string, about?: unknown) => {
    const there = await aCollector();
    there.breaks((made, subject) => {
      if (made === method && (about === undefined || about === subject))
        throw new Error("no table");
    });
    const { failed, error } = await there.collect(...events);
    return { there, failed, error };
  };

  test.each<[method: string, about: string | undefined, failed: string[]]>([
    ["boundTo", first, ["m0", "m5"]],
    ["boundTo", undefined, ["m0", "m1", "m5"]],
    ["read", orders, ["m0", "m1", "m5"]],
    ["read", "alias/other", ["m4"]],
    ["refusals", orders, ["m0", "m1", "m5"]],
    ["saveRefusals", orders, ["m0", "m1", "m5"]],
    ["refusalsWatch", undefined, ["m2"]],
    ["saveRefusalsWatch", undefined, ["m2"]],
  ])("in %s (%s) returns exactly the messages concerned: %s", async (method, about, failed) => {
    const given = await failing(method, about);
    expect(given.failed.sort()).toEqual(failed);
    expect(given.error).toEqual(new Error("no table"));
  });

  test("loses nothing once the messages are delivered again", async () => {
    for (const method of ["boundTo", "read", "refusals", "saveRefusals"]) {
      const { there } = await failing(method);
      there.breaks(undefined);
      expect(await there.collect(...events)).toMatchObject({ failed: [] });
      expect(await principals(there)).toEqual(["app", "b"]);
      expect(await principals(there, second)).toEqual(["app"]);
      expect(await there.table.refusalsWatch()).toMatchObject({ heardAtMs: startMs });
    }
  });

  test("is asked once a batch for each key, not once for each message", async () => {
    const there = await aCollector();
    there.breaks(() => {
      throw new Error("no table");
    });
    const many = Array.from({ length: 100 }, () => [deniedUse(), incorrectKey("alias/other")]);
    const { failed } = await there.collect(...many.flat());
    expect(failed).toHaveLength(200);
    expect(there.requests.sort()).toEqual([`boundTo ${first}`, "read alias/other"]);
  });
});
