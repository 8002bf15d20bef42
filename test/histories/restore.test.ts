import { describe, expect, test } from "vitest";
import type { Call, Outcome } from "../../lambda/workflow/model/types.ts";
import { noAnswer, onCall } from "../faults.ts";
import { dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { aWorld, type World } from "../world.ts";

const orders = "alias/orders";
const drained = 84 + 30;
const throttled: Outcome = { kind: "refused", refusal: "Throttled", message: "Rate exceeded" };

/** The next call of each of these kinds gets this answer, and does not reach KMS. */
function answerOnce(world: World, answers: Partial<Record<Call["kind"], () => Promise<unknown>>>) {
  const left = { ...answers };
  world.intercept = (_port, method, input, proceed) => {
    const kind = (input[0] as Call | undefined)?.kind;
    const answer = method === "change" && kind !== undefined ? left[kind] : undefined;
    if (answer === undefined || kind === undefined) return proceed();
    delete left[kind];
    return answer();
  };
}

describe("a needed version, disabled by keyturn's DisableKey without an answer", () => {
  const reasons = {
    "an alias is on it": (world: World, KeyId: string) =>
      world.ask("CreateAlias", { AliasName: "alias/late", TargetKeyId: KeyId }),
    "it was used": (world: World, _keyId: string, blob: unknown) =>
      world.ask("Decrypt", { CiphertextBlob: blob }),
  };
  const cases = Object.entries(reasons).flatMap(([reason, need]) => [
    { reason, need, answer: "is throttled", enable: throttled },
    { reason, need, answer: "has no answer", enable: noAnswer },
  ]);

  test.each(cases)("is restored, where $reason and EnableKey $answer", async ({ need, enable }) => {
    const world = await aWorld({ lastUsageLagMs: 0 });
    const first = await world.targetOf(orders);
    const made = await world.ask("Encrypt", { KeyId: orders, Plaintext: Buffer.from("a") });
    await world.passDays(drained - 1.5);
    answerOnce(world, {
      DisableKey: async () => {
        await need(world, first, made.CiphertextBlob);
        await world.ask("DisableKey", { KeyId: first });
        return noAnswer;
      },
      EnableKey: () => Promise.resolve(enable),
    });
    await world.passDays(2);
    expect(await world.stateOf(first)).toBe("Enabled");
    expect(world.history()).toContain("restore-started");
    expect(await world.findings()).not.toContain("VERSION_CHANGED");
    expect(world.errors).toEqual([]);
  });
});

describe("a restore", () => {
  test("that is throttled for days is a finding, repeated slowly, and succeeds in the end", async () => {
    const world = await aWorld({ policy: { cryptoperiodMs: 365 * dayMs } });
    const first = await world.targetOf(orders);
    await world.passDays(358 + 32);
    await world.ask("UpdateAlias", { AliasName: orders, TargetKeyId: first });
    let asked = 0;
    onCall(world, "EnableKey", () => {
      asked += 1;
      return Promise.resolve(throttled);
    });
    await world.passDays(9);
    expect(asked).toBeGreaterThan(5);
    expect(asked).toBeLessThan(300);
    expect(await world.findings()).toContain("STUCK");
    expect(world.errors).toEqual([]);
    world.intercept = undefined;
    await world.passDays(1);
    expect(await world.stateOf(first)).toBe("Enabled");
  });

  test("happens although the next rotation is halted before activation", async () => {
    const world = await aWorld({ policy: { cryptoperiodMs: 60 * dayMs } });
    const first = await world.targetOf(orders);
    await world.passDays(53 + 48);
    onCall(world, "CreateKey", () =>
      Promise.resolve({ kind: "refused", refusal: "LimitExceeded", message: "quota" }),
    );
    await world.passDays(7);
    expect(await world.stateOf(first)).toBe("Disabled");
    expect(await world.findings()).toContain("KEY_QUOTA_REACHED");
    await world.ask("UpdateAlias", { AliasName: orders, TargetKeyId: first });
    await world.passDays(9);
    expect(await world.stateOf(first)).toBe("Enabled");
  });

  test("because of an alias, with a lost answer, excuses the uses through that alias", async () => {
    const world = await aWorld({ policy: { cryptoperiodMs: 365 * dayMs } });
    const first = await world.targetOf(orders);
    await world.passDays(358 + 32);
    expect(await world.stateOf(first)).toBe("Disabled");
    const second = await world.targetOf(orders);
    await world.ask("UpdateAlias", { AliasName: orders, TargetKeyId: first });
    onCall(world, "EnableKey", (proceed) => {
      world.intercept = undefined;
      return proceed().then(() => noAnswer);
    });
    await world.passDays(8);
    await world.ask("Encrypt", { KeyId: orders, Plaintext: Buffer.from("a") });
    await world.ask("UpdateAlias", { AliasName: orders, TargetKeyId: second });
    await world.passDays(50);
    expect(await world.findings()).toEqual([]);
    expect(await world.stateOf(first)).toBe("Disabled");
  });

  test("does not cancel an operator's deletion: the finding has the command to cancel it", async () => {
    const world = await aWorld({ policy: { retire: "disable" } });
    const first = await world.targetOf(orders);
    const made = await world.ask("Encrypt", { KeyId: orders, Plaintext: Buffer.from("a") });
    onCall(world, "DisableKey", async (proceed) => {
      world.intercept = undefined;
      await world.ask("Decrypt", { CiphertextBlob: made.CiphertextBlob });
      const answer = await proceed();
      await world.ask("ScheduleKeyDeletion", { KeyId: first, PendingWindowInDays: 30 });
      return answer;
    });
    await world.passDays(drained + 2);
    const [reported, ...others] = (await world.record()).findings;
    expect([reported?.code, others]).toEqual(["DELETION_SCHEDULED_BY_OTHERS", []]);
    expect(reported?.next).toContain("cancel-key-deletion");
    expect(world.calls.filter((operation) => operation === "EnableKey")).toEqual([]);
  });

  test("does not change a key that has another owner by then", async () => {
    const world = await aWorld();
    const first = await world.targetOf(orders);
    const made = await world.ask("Encrypt", { KeyId: orders, Plaintext: Buffer.from("a") });
    onCall(world, "DisableKey", async (proceed) => {
      world.intercept = undefined;
      await world.ask("Decrypt", { CiphertextBlob: made.CiphertextBlob });
      const answer = await proceed();
      const Tags = [{ TagKey: "keyturn:owner", TagValue: "another" }];
      await world.ask("TagResource", { KeyId: first, Tags });
      return answer;
    });
    await world.passDays(drained + 2);
    expect(await world.findings()).toContain("OTHER_OWNER");
    expect(await world.stateOf(first)).toBe("Disabled");
  });
});

describe("a failing read", () => {
  test.each(["grantsOf", "policyOf", "aliasesOf", "tagsOf", "lastUseOf"])(
    "%s of an excess key: the key stays as it is",
    async (read) => {
      const world = await aWorld();
      await world.passDays(150);
      const rotationId = world.table
        .journal(orders)
        .find(({ event }) => event === "completed")?.rotationId;
      const made = await world.ask<{ KeyMetadata: { KeyId: string } }>("CreateKey", {
        Tags: Object.entries({
          "keyturn:owner": "acme",
          "keyturn:alias": orders,
          "keyturn:rotation": rotationId ?? "",
        }).map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
      });
      const extra = made.KeyMetadata.KeyId;
      await world.pass(10 * minuteMs);
      let audited = false;
      world.intercept = (_port, method, input, proceed) => {
        audited ||= method === "claim" && world.history().includes("extra-found");
        const denied = audited && method === read && input[0] === extra;
        return denied ? Promise.resolve({ kind: "denied", message: "no" }) : proceed();
      };
      await world.passDays(10);
      expect(await world.findings()).toContain("EXTRA_NOT_QUARANTINED");
      expect(await world.stateOf(extra)).toBe("Enabled");
      expect(world.errors).toEqual([]);
    },
  );

  test("of a last use that was known before DisableKey: the version does not count as unused", async () => {
    const world = await aWorld();
    await world.passDays(drained - 1.5);
    let disabled = false;
    world.intercept = (_port, method, input, proceed) => {
      disabled ||= method === "change" && (input[0] as Call).kind === "DisableKey";
      if (method !== "lastUseOf" || !disabled) return proceed();
      return Promise.resolve({ kind: "observed", value: { kind: "unknown", why: "for a while" } });
    };
    await world.passDays(2);
    expect(world.history()).toContain("disabled");
    expect(world.history()).not.toContain("unused");
    expect(await world.findings()).toEqual(["USAGE_UNKNOWN"]);
    world.intercept = undefined;
    await world.pass(8 * hourMs);
    expect(world.history()).toContain("unused");
    expect(await world.findings()).toEqual([]);
  });
});

test("a label without an answer is no trace of a restored table after another call", async () => {
  const world = await aWorld();
  const first = await world.targetOf(orders);
  const made = await world.ask("Encrypt", { KeyId: orders, Plaintext: Buffer.from("a") });
  const read = () => world.ask("Decrypt", { CiphertextBlob: made.CiphertextBlob });
  await world.passDays(drained - 1.5);
  let isRestored = false;
  world.intercept = async (_port, method, input, proceed) => {
    const kind = method === "change" ? (input[0] as Call).kind : undefined;
    if (kind === "DisableKey" && !isRestored) {
      await read();
      const done = await proceed();
      await read().catch(() => undefined);
      return done;
    }
    if (kind === "EnableKey") isRestored = true;
    if (kind !== "TagResource" || !isRestored) return proceed();
    world.intercept = undefined;
    await proceed();
    return noAnswer;
  };
  while (world.intercept !== undefined) await world.pass(5 * minuteMs);
  await world.deliver(world.attempts[0]);
  await world.passDays(3);
  expect(world.reported.map(({ finding }) => finding.code)).not.toContain("STATE_BEHIND_KMS");
  expect(await world.stateOf(first)).toBe("Enabled");
});
