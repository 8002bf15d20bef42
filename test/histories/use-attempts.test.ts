import { describe, expect, test } from "vitest";
import type { Call } from "../../lambda/workflow/model/types.ts";
import { noAnswer, onCall } from "../faults.ts";
import { dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { aWorld, Died, type World } from "../world.ts";

const orders = "alias/orders";
const stages = { "in soak": 83 + 35, "in the deletion window": 83 + 31 + 14 + 10 };

/** A disabled version, and an application that still has data under it. */
async function disabledVersion(
  days: number,
  options = {},
): Promise<{ world: World; first: string; use: () => Promise<void> }> {
  const world = await aWorld({
    policy: { retire: "delete", cryptoperiodMs: 300 * dayMs, leadMs: 217 * dayMs },
    ...options,
  });
  const first = await world.targetOf(orders);
  const { CiphertextBlob } = await world.ask("Encrypt", {
    KeyId: orders,
    Plaintext: Buffer.from("a"),
    EncryptionContext: { customer: "no-42" },
  });
  await world.passDays(days);
  const use = async (): Promise<void> => {
    const EncryptionContext = { customer: "no-42" };
    await world.ask("Decrypt", { CiphertextBlob, EncryptionContext }).catch(() => undefined);
  };
  return { world, first, use };
}

/** The content of the table, to check that nothing was written. */
function stored(world: World): string {
  return JSON.stringify(world.table.snapshot());
}

describe("a use attempt on a disabled version", () => {
  test.each(Object.entries(stages))(
    "%s: it is Enabled in the same invocation, and halted with the caller and the operation",
    async (_, days) => {
      const { world, first, use } = await disabledVersion(days);
      await use();
      const [answer] = await world.deliver(world.attempts[0]);
      expect(answer?.outcome).toBe("restored");
      expect(await world.stateOf(first)).toBe("Enabled");
      await world.tick();
      const [what] = (await world.record()).findings;
      expect(what?.code).toBe("USED_WHILE_DISABLED");
      expect(what?.observed).toContain("Decrypt by arn:aws:iam::000000000000:user/person");
      expect(what?.observed).toContain("customer");
      expect(what?.observed).not.toContain("no-42");
      await world.passDays(40);
      expect(await world.stateOf(first)).toBe("Enabled");
      expect(await world.findings()).toEqual(["USED_WHILE_DISABLED"]);
    },
  );

  test.each(Object.entries(stages))(
    "%s: a thousand copies of the event write nothing",
    async (_, days) => {
      const { world, use } = await disabledVersion(days);
      await use();
      await world.deliver(world.attempts[0]);
      const before = stored(world);
      const calls = world.calls.length;
      for (let count = 0; count < 1000; count++) {
        const [answer] = await world.deliver(world.attempts[0]);
        expect(answer?.outcome).toBe("known");
      }
      expect(stored(world)).toBe(before);
      const changing = world.calls
        .slice(calls)
        .filter((name) => !/^(Describe|List|Get)/.test(name));
      expect(changing).toEqual([]);
    },
  );

  test.each(Object.entries(stages))(
    "%s: after resume it drains again, from the beginning, and is deleted in the end",
    async (_, days) => {
      const { world, first, use } = await disabledVersion(days);
      await use();
      await world.deliver(world.attempts[0]);
      await world.passDays(1);
      await world.asks("resume");
      await world.passDays(29);
      expect(await world.stateOf(first)).toBe("Enabled");
      await world.deliver(world.attempts[0]);
      expect(await world.findings()).toEqual([]);
      await world.passDays(5);
      expect(await world.stateOf(first)).toBe("Disabled");
      await world.passDays(50);
      expect(await world.stateOf(first)).toBe("deleted");
    },
  );

  test("whose rotation has closed: it is Enabled too", async () => {
    const { world, first, use } = await disabledVersion(150, {
      policy: { cryptoperiodMs: 300 * dayMs, leadMs: 217 * dayMs },
    });
    expect(world.history()).toContain("completed");
    await use();
    await world.deliver(world.attempts[0]);
    expect(await world.stateOf(first)).toBe("Enabled");
    await world.asks("resume");
    await world.passDays(60);
    expect(await world.stateOf(first)).toBe("Disabled");
  });

  test("an event of an earlier disabled period changes nothing in a later one", async () => {
    const { world, first, use } = await disabledVersion(stages["in soak"]);
    await use();
    await world.deliver(world.attempts[0]);
    await world.pass(hourMs);
    await world.asks("resume");
    await world.passDays(40);
    expect(await world.stateOf(first)).toBe("Disabled");
    const before = stored(world);
    await world.deliver(world.attempts[0]);
    expect(stored(world)).toBe(before);
    expect(await world.stateOf(first)).toBe("Disabled");
    await use();
    await world.deliver(world.attempts.at(-1));
    expect(await world.stateOf(first)).toBe("Enabled");
  });
});

describe("while another run", () => {
  test("holds the managed key, about to make a call: it loses its claim, and makes no call", async () => {
    const { world, first, use } = await disabledVersion(83 + 31 + 12.5);
    await use();
    let given = false;
    world.intercept = async (_port, method, input, proceed) => {
      if (method === "change" && (input[0] as Call).kind === "ScheduleKeyDeletion" && !given) {
        given = true;
        const going = world.intercept;
        world.intercept = undefined;
        await world.deliver(world.attempts[0]);
        world.intercept = going;
        expect(await world.stateOf(first)).toBe("Enabled");
      }
      return proceed();
    };
    await world.passDays(3);
    expect(given).toBe(true);
    world.intercept = undefined;
    await world.passDays(1);
    expect(await world.stateOf(first)).toBe("Enabled");
    expect(await world.findings()).toEqual(["USED_WHILE_DISABLED"]);
  });

  test("died during a pass: the answer does not wait for its claim to end", async () => {
    const { world, first, use } = await disabledVersion(stages["in soak"]);
    await use();
    world.request("pause");
    world.intercept = (_port, method, _input, proceed) => {
      if (method === "requests") return Promise.reject(new Died());
      return proceed();
    };
    await world.tick();
    world.intercept = undefined;
    expect((await world.record()).claim).toBeDefined();
    await world.deliver(world.attempts[0]);
    expect(await world.stateOf(first)).toBe("Enabled");
  });

  test("paused it, or the configuration no longer names it: it is Enabled all the same", async () => {
    for (const hold of ["pause", "configuration"]) {
      const { world, first, use } = await disabledVersion(stages["in the deletion window"]);
      await use();
      if (hold === "pause") await world.asks("pause");
      else world.configuration = { ...world.configuration, managedKeys: [] };
      await world.deliver(world.attempts[0]);
      expect(await world.stateOf(first)).toBe("Enabled");
    }
  });
});

describe("a call of the restore", () => {
  test.each(["CancelKeyDeletion", "EnableKey"] as const)(
    "%s, throttled or without an answer a few times, is repeated in the same invocation",
    async (kind) => {
      for (const bad of [{ kind: "refused", refusal: "Throttled", message: "Rate" }, noAnswer]) {
        const { world, first, use } = await disabledVersion(stages["in the deletion window"]);
        await use();
        let left = 3;
        onCall(world, kind, () => (left-- > 0 ? Promise.resolve(bad) : undefined));
        const [answer] = await world.deliver(world.attempts[0]);
        expect(answer?.outcome).toBe("restored");
        expect(await world.stateOf(first)).toBe("Enabled");
      }
    },
  );
});

describe("a use attempt on another key", () => {
  test("that is unknown, or that an operator disabled, changes nothing", async () => {
    const { world, first } = await disabledVersion(90);
    const made = await world.ask<{ KeyMetadata: { KeyId: string } }>("CreateKey", {});
    const other = made.KeyMetadata.KeyId;
    const blob = await world.ask("Encrypt", { KeyId: other, Plaintext: Buffer.from("a") });
    await world.ask("DisableKey", { KeyId: other });
    await world.ask("Decrypt", { CiphertextBlob: blob.CiphertextBlob }).catch(() => undefined);
    await world.ask("DisableKey", { KeyId: first });
    await world
      .ask("Encrypt", { KeyId: first, Plaintext: Buffer.from("a") })
      .catch(() => undefined);
    const before = stored(world);
    for (const event of world.attempts) await world.deliver(event);
    expect(world.attempts).toHaveLength(2);
    expect(stored(world)).toBe(before);
    expect(await world.stateOf(other)).toBe("Disabled");
    expect(await world.stateOf(first)).toBe("Disabled");
  });

  test("that another deployment took over changes nothing", async () => {
    const { world, first, use } = await disabledVersion(stages["in soak"]);
    const Tags = [{ TagKey: "keyturn:owner", TagValue: "another" }];
    await world.ask("TagResource", { KeyId: first, Tags });
    await use();
    const before = stored(world);
    await world.deliver(world.attempts[0]);
    expect(stored(world)).toBe(before);
    expect(await world.stateOf(first)).toBe("Disabled");
  });
});

describe("an operator's action beside it", () => {
  test("resume, requested before the attempt, does not end its hold", async () => {
    const { world, first, use } = await disabledVersion(stages["in soak"]);
    await use();
    world.request("resume");
    await world.deliver(world.attempts[0]);
    await world.passDays(1);
    expect(await world.stateOf(first)).toBe("Enabled");
    expect(await world.findings()).toContain("USED_WHILE_DISABLED");
  });

  test("rollback and pause do not delay the restore", async () => {
    const { world, first, use } = await disabledVersion(stages["in the deletion window"]);
    await use();
    world.request("pause");
    world.request("rollback", { version: 2 });
    const [answer] = await world.deliver(world.attempts[0]);
    expect([answer?.outcome, await world.stateOf(first)]).toEqual(["restored", "Enabled"]);
    await world.passDays(1);
    expect(await world.stateOf(first)).toBe("Enabled");
  });

  test("pause does not keep the target of a rollback Disabled", async () => {
    const { world, first, use } = await disabledVersion(stages["in soak"]);
    onCall(world, "EnableKey", () =>
      Promise.resolve({ kind: "refused", refusal: "Throttled", message: "Rate exceeded" }),
    );
    await world.asks("rollback", { version: 2 });
    world.intercept = undefined;
    await world.asks("pause");
    await use();
    await world.deliver(world.attempts[0]);
    expect(await world.stateOf(first)).toBe("Enabled");
  });

  test("ScheduleKeyDeletion after the restore is a finding, and stays", async () => {
    const { world, first, use } = await disabledVersion(stages["in soak"]);
    await use();
    await world.deliver(world.attempts[0]);
    await world.ask("ScheduleKeyDeletion", { KeyId: first, PendingWindowInDays: 7 });
    await world.passDays(1);
    expect(await world.findings()).toContain("DELETION_SCHEDULED_BY_OTHERS");
    await use();
    const [answer] = await world.deliver(world.attempts.at(-1));
    expect(answer?.outcome).toBe("reported");
    await world.passDays(8);
    expect(await world.findings()).toContain("VERSION_DELETED");
  });
});

describe("after the first read", () => {
  test("keyturn reverses a DisableKey of an earlier run that lands late", async () => {
    const { world, first, use } = await disabledVersion(83 + 29.9);
    onCall(world, "DisableKey", async (proceed) => {
      world.intercept = undefined;
      await proceed();
      world.underWay.push({ atMs: world.clock.nowMs() + 4 * minuteMs, land: proceed });
      await use();
      await world.deliver(world.attempts[0]);
      expect(await world.stateOf(first)).toBe("Enabled");
      return noAnswer;
    });
    await world.passDays(2);
    await world.pass(hourMs);
    expect(await world.stateOf(first)).toBe("Enabled");
    expect(await world.findings()).toEqual(["USED_WHILE_DISABLED"]);
  });
});
