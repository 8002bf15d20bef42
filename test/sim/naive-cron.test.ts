/** The negative control is a good design in a calm world, and fails in any other. */
import { describe, expect, test } from "vitest";
import type { Policy } from "../../lambda/workflow/model/types.ts";
import { SimClock } from "../../embedded-aws/clock.ts";
import { AwsError } from "../../embedded-aws/http/aws-error.ts";
import { cheapCryptography } from "../../embedded-aws/kms/cheap-cryptography.ts";
import { KmsTwin } from "../../embedded-aws/kms/twin.ts";
import { naiveCron, type CronJob } from "../../sim/naive-cron.ts";
import { SimRandom } from "../../embedded-aws/random.ts";
import { aPolicy, dayMs, hourMs } from "../fixtures.ts";
import { startMs } from "../world.ts";

const principalArn = "arn:aws:iam::000000000000:role/rotator";
const shortPolicy = { cryptoperiodMs: 60 * dayMs, leadMs: 7 * dayMs };

type Blob = { bytes: unknown; madeAtMs: number };
type Change = { operation: string; keyId: string; atMs: number };
type Key = { KeyId: string; KeyState: string; CreationDate: Date };

/** An account with one version behind each alias, an application, and the scheduled script. */
class Account {
  readonly clock = new SimClock({ startMs });
  readonly kms = new KmsTwin({
    clock: this.clock,
    random: new SimRandom(1),
    cryptography: cheapCryptography,
  });
  readonly policies: Record<string, Policy>;
  /** The successful changing calls of the script, in order. */
  readonly changes: Change[] = [];
  readonly lines: string[] = [];
  readonly everyMs: number;
  blobs: Blob[] = [];
  keepsForMs = 20 * dayMs;
  /** Injects faults between the script and KMS. */
  intercept: ((operation: string, proceed: () => unknown) => unknown) | undefined;
  /** Runs while the script sleeps. */
  meanwhile: (() => Promise<void>) | undefined;

  constructor(policies: Record<string, Partial<Policy>>, everyMs = dayMs) {
    this.everyMs = everyMs;
    this.policies = Object.fromEntries(
      Object.entries(policies).map(([alias, changes]) => [alias, aPolicy(changes)]),
    );
    for (const alias of Object.keys(policies)) this.make(alias);
    this.kms.onCall = ({ operation, keyId = "", outcome, atMs, principalArn: who }) => {
      if (who === principalArn && outcome === "ok") this.changes.push({ operation, keyId, atMs });
    };
  }

  ask<T>(operation: string, input: object, who = "arn:aws:iam::000000000000:user/person"): T {
    return this.kms.call(operation, input, { principalArn: who }) as T;
  }

  run(): Promise<void> {
    const job: CronJob = {
      kms: async (operation, input) => {
        const proceed = () => this.ask(operation, input, principalArn);
        return this.intercept === undefined ? proceed() : this.intercept(operation, proceed);
      },
      clock: {
        nowMs: () => this.clock.nowMs(),
        sleep: async (ms) => {
          this.clock.advance(ms);
          await this.meanwhile?.();
        },
      },
      log: (line) => void this.lines.push(line),
      keys: Object.entries(this.policies).map(([alias, policy]) => ({ alias, policy })),
    };
    return naiveCron(job);
  }

  /** Starts a run at every scheduled time until that day. */
  async runUntilDay(day: number, afterRun?: () => void): Promise<void> {
    while (this.nextRunMs() <= startMs + day * dayMs) {
      this.clock.moveTo(this.nextRunMs());
      await this.run();
      afterRun?.();
    }
  }

  nextRunMs(): number {
    const runs = Math.floor((this.clock.nowMs() - startMs) / this.everyMs) + 1;
    return startMs + runs * this.everyMs;
  }

  /** The application encrypts, and decrypts all that it keeps, or fails the test. */
  use(alias: string): void {
    const madeAtMs = this.clock.nowMs();
    this.blobs = this.blobs.filter((blob) => blob.madeAtMs + this.keepsForMs > madeAtMs);
    const input = { KeyId: alias, Plaintext: Buffer.from("a") };
    const { CiphertextBlob: bytes } = this.ask<{ CiphertextBlob: unknown }>("Encrypt", input);
    this.blobs.push({ bytes, madeAtMs });
    for (const blob of this.blobs) this.ask("Decrypt", { CiphertextBlob: blob.bytes });
  }

  /** An operator makes a key, with an alias. */
  make(AliasName: string): void {
    const { KeyMetadata } = this.ask<{ KeyMetadata: Key }>("CreateKey", {});
    this.ask("CreateAlias", { AliasName, TargetKeyId: KeyMetadata.KeyId });
    this.clock.advance(1000);
  }

  target(alias: string): Key {
    return this.ask<{ KeyMetadata: Key }>("DescribeKey", { KeyId: alias }).KeyMetadata;
  }

  states(): string[] {
    return this.kms.snapshot().keys.map(({ state }) => state);
  }

  did(operation: string): Change[] {
    return this.changes.filter((change) => change.operation === operation);
  }
}

describe("in a calm world the script is a good design", () => {
  test.each([
    ["retain", 24, ["Enabled", "Enabled", "Enabled", "Enabled"]],
    ["disable", 24, ["Disabled", "Disabled", "Disabled", "Enabled"]],
    ["delete", 24, ["Disabled", "Enabled"]],
    ["delete", 1, ["Disabled", "Enabled"]],
  ] as const)(
    "%s, every %i hours: the alias is always on a young, Enabled key, and old keys end as expected",
    async (retire, everyHours, states) => {
      const everyMs = everyHours * hourMs;
      const account = new Account({ "alias/orders": { ...shortPolicy, retire } }, everyMs);
      let usedOn = -1;
      await account.runUntilDay(200, () => {
        const { KeyState, CreationDate } = account.target("alias/orders");
        expect(KeyState).toBe("Enabled");
        const ageMs = account.clock.nowMs() - CreationDate.getTime();
        expect(ageMs + everyMs).toBeLessThan(60 * dayMs);
        const day = Math.floor((account.clock.nowMs() - startMs) / dayMs);
        if (day !== usedOn) account.use("alias/orders");
        usedOn = day;
      });
      expect(account.did("CreateKey")).toHaveLength(3);
      expect(account.did("UpdateAlias")).toHaveLength(3);
      expect(account.states()).toEqual(states);
      expect(account.lines.filter((line) => line.includes("failed"))).toEqual([]);
    },
  );

  test("the script disables an old key only after the quiet period", async () => {
    const account = new Account({ "alias/orders": shortPolicy });
    account.keepsForMs = 50 * dayMs;
    const first = account.target("alias/orders").KeyId;
    await account.runUntilDay(120, () => account.use("alias/orders"));
    const [disabled, ...more] = account.did("DisableKey");
    const old = account.kms.snapshot().keys.find(({ keyId }) => keyId === first);
    expect([disabled?.keyId, more]).toEqual([first, []]);
    const quietMs = (disabled?.atMs ?? 0) - (old?.lastUse?.atMs ?? 0);
    expect(quietMs).toBeGreaterThanOrEqual(14 * dayMs + hourMs);
    expect(quietMs).toBeLessThan(16 * dayMs);
  });

  test("the script does not disable an old key with another alias", async () => {
    const account = new Account({ "alias/orders": shortPolicy });
    const { KeyId: TargetKeyId } = account.target("alias/orders");
    account.ask("CreateAlias", { AliasName: "alias/legacy", TargetKeyId });
    await account.runUntilDay(100);
    expect(account.target("alias/legacy").KeyState).toBe("Enabled");
  });

  test("a new key has the kind, key policy, tags and grants of the old one", async () => {
    const account = new Account({ "alias/orders": shortPolicy });
    const { KeyId } = account.target("alias/orders");
    const document = JSON.parse(account.kms.snapshot().keys[0]?.policy ?? "") as object;
    account.ask("PutKeyPolicy", { KeyId, Policy: JSON.stringify({ ...document, Id: "ours" }) });
    account.ask("TagResource", { KeyId, Tags: [{ TagKey: "team", TagValue: "orders" }] });
    const grantee = "arn:aws:iam::000000000000:role/reader";
    account.ask("CreateGrant", { KeyId, GranteePrincipal: grantee, Operations: ["Decrypt"] });
    await account.runUntilDay(54);
    const [old, made] = account.kms.snapshot().keys;
    expect(made).toMatchObject({ spec: old?.spec, usage: old?.usage, policy: old?.policy });
    expect(made?.policy).toContain('"ours"');
    expect(made?.aliases).toEqual(["alias/orders"]);
    expect(made?.tags).toMatchObject({ team: "orders", "rotator:alias": "alias/orders" });
    expect(made?.grants).toMatchObject([{ grantee, operations: ["Decrypt"] }]);
  });

  test("the script finds keys and aliases beyond the first page", async () => {
    const account = new Account({ "alias/zebra": shortPolicy });
    for (let i = 0; i < 120; i += 1) account.make(`alias/a-${i}`);
    account.clock.advance(54 * dayMs);
    await account.run();
    account.clock.advance(31 * dayMs);
    await account.run();
    expect(account.did("CreateKey")).toHaveLength(1);
    expect(account.did("DisableKey")).toHaveLength(1);
  });

  test("the script retries throttled calls, and a failing key does not affect others", async () => {
    const account = new Account({ "alias/orders": shortPolicy, "alias/users": shortPolicy });
    account.ask("DeleteAlias", { AliasName: "alias/orders" });
    let throttled = 0;
    account.intercept = (operation, proceed) => {
      if (operation === "CreateKey" && ++throttled < 3) {
        throw new AwsError("ThrottlingException", "slower");
      }
      return proceed();
    };
    await account.runUntilDay(54);
    expect(account.lines).toContainEqual(expect.stringMatching(/^alias\/orders: failed/));
    expect(throttled).toBe(3);
    expect(account.states()).toEqual(["Enabled", "Enabled", "Enabled"]);
  });
});

describe("the assumptions of the script", () => {
  test("one instance runs: two instances make two keys, and one is an orphan", async () => {
    const account = new Account({ "alias/orders": { ...shortPolicy, retire: "delete" } });
    account.meanwhile = async () => {
      account.meanwhile = undefined;
      await account.run();
    };
    await account.runUntilDay(54 + 100);
    expect(account.did("CreateKey")).toHaveLength(3);
    const left = account.kms
      .snapshot()
      .keys.filter(
        ({ aliases, tags }) => aliases.length === 0 && tags["rotator:retired-at"] === undefined,
      );
    expect(left).toMatchObject([{ state: "Enabled" }]);
  });

  test("runs are short: with many keys the next run starts before the end, and makes duplicates", async () => {
    const aliases = ["a", "b", "c", "d", "e", "f"].map((name) => `alias/${name}`);
    const account = new Account(Object.fromEntries(aliases.map((alias) => [alias, shortPolicy])));
    let nextMs = Infinity;
    account.meanwhile = async () => {
      if (account.clock.nowMs() < nextMs) return;
      nextMs += hourMs;
      await account.run();
    };
    account.clock.moveTo(startMs + 54 * dayMs);
    nextMs = account.clock.nowMs() + hourMs;
    await account.run();
    expect(account.did("CreateKey")).toHaveLength(aliases.length + 3);
  });

  test("runs complete: each run that is killed in its sleep leaves a key", async () => {
    const account = new Account({ "alias/orders": shortPolicy });
    account.meanwhile = () => new Promise(() => undefined);
    account.clock.advance(54 * dayMs);
    for (let runs = 0; runs < 5; runs += 1) {
      void account.run();
      await new Promise(setImmediate);
      account.clock.advance(hourMs);
    }
    expect(account.did("CreateKey")).toHaveLength(5);
    expect(account.did("UpdateAlias")).toEqual([]);
  });

  test("no other principal changes keys: an operator moves the alias back to a key that the run then disables", async () => {
    const account = new Account({
      "alias/a": { cryptoperiodMs: 90 * dayMs, leadMs: 5 * dayMs },
      "alias/b": shortPolicy,
    });
    const first = account.target("alias/b").KeyId;
    await account.runUntilDay(84);
    expect(account.did("DisableKey")).toEqual([]);
    account.meanwhile = async () => {
      account.meanwhile = undefined;
      account.ask("UpdateAlias", { AliasName: "alias/b", TargetKeyId: first });
    };
    await account.runUntilDay(86);
    expect(account.target("alias/b")).toMatchObject({ KeyId: first, KeyState: "Disabled" });
  });

  test("failures are binary: a lost response of CreateKey makes two keys", async () => {
    const account = new Account({ "alias/orders": shortPolicy });
    let lost = 0;
    account.intercept = (operation, proceed) => {
      const answer = proceed();
      if (operation === "CreateKey" && lost++ === 0) throw new AwsError("TimeoutError", "");
      return answer;
    };
    await account.runUntilDay(54);
    expect(account.did("CreateKey")).toHaveLength(2);
  });

  test("failures are visible: the script misses a failed use in the soak, and the data is lost", async () => {
    const account = new Account({ "alias/orders": { ...shortPolicy, retire: "delete" } });
    account.keepsForMs = 365 * dayMs;
    account.use("alias/orders");
    const [blob] = account.blobs;
    const read = () => account.ask("Decrypt", { CiphertextBlob: blob?.bytes });
    await account.runUntilDay(90);
    expect(read).toThrow(/disabled/i);
    await account.runUntilDay(90 + 14 + 31);
    account.clock.advance(dayMs);
    expect(read).toThrow();
    expect(account.did("ScheduleKeyDeletion")).toHaveLength(1);
    expect(account.states()).not.toContain("Disabled");
  });
});
