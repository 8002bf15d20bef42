/** External actors change a version of any state, before the deployed function: CloudTrail delivers their calls. */
import { describe, expect, test } from "vitest";
import { aPolicyDocument, dayMs, minuteMs } from "../fixtures.ts";
import { tagNames } from "../../lambda/workflow/model/tag-names.ts";
import { createTable } from "../../lambda/aws/dynamodb.ts";
import { sdkConfig } from "../contract/sides.ts";
import { sample } from "../sizes.ts";
import { aDeployment, brief as policy, orders, tableName, type Deployed } from "./deployed.ts";

const account = "000000000000";
const startMs = Date.UTC(2027, 0, 1);
const root = `arn:aws:iam::${account}:root`;

const states = {
  active: { day: 2, policy },
  draining: { day: 8.5, policy },
  soaking: { day: 10.5, policy },
  disabled: { day: 13, policy },
  retained: { day: 13, policy: { ...policy, retire: "retain" } },
};
type State = keyof typeof states;

const anotherPolicy = aPolicyDocument("New");

const changes: Record<
  string,
  { input: (KeyId: string) => object; except?: State[]; is: string[] }
> = {
  ScheduleKeyDeletion: {
    input: (KeyId) => ({ KeyId, PendingWindowInDays: 7 }),
    is: ["DELETION_SCHEDULED_BY_OTHERS"],
  },
  DisableKey: {
    input: (KeyId) => ({ KeyId }),
    except: ["soaking", "disabled"],
    is: ["DISABLED_BY_OTHERS"],
  },
  UpdateAlias: {
    input: (TargetKeyId) => ({ AliasName: orders, TargetKeyId }),
    except: ["active"],
    is: ["ALIAS_MOVED"],
  },
  DeleteAlias: { input: () => ({ AliasName: orders }), is: ["ALIAS_NOT_FOUND"] },
  UntagResource: {
    input: (KeyId) => ({ KeyId, TagKeys: [tagNames.owner, tagNames.alias] }),
    is: ["OTHER_OWNER"],
  },
  PutKeyPolicy: {
    input: (KeyId) => ({ KeyId, PolicyName: "default", Policy: anotherPolicy }),
    is: ["KEY_POLICY_CHANGED"],
  },
};

async function until(state: State, sleeps = false): Promise<Deployed> {
  const { day, policy: of } = states[state];
  const there = await aDeployment(of, {}, { sleeps });
  await there.passUntil(startMs + day * dayMs);
  const [version] = (await there.record())?.versions ?? [];
  expect(version?.state).toBe(state === "soaking" ? "disabled" : state);
  return there;
}

/** CloudTrail delivers the newest change two minutes after it; the schedule starts a run every five minutes. */
async function passMinutes({ aws, clock, deliver, run }: Deployed, minutes: number): Promise<void> {
  const event = aws.keyChanges.at(-1);
  for (let minute = 1; minute <= minutes; minute++) {
    clock.advance(minuteMs);
    if (minute === 2) await deliver(event);
    if (minute % 5 === 0) await run();
  }
}

const codesOf = async ({ record }: Deployed): Promise<string[]> =>
  ((await record())?.findings ?? []).map(({ code }) => code);

const cases = Object.entries(changes).flatMap(([operation, { input, except = [], is }]) =>
  (Object.keys(states) as State[])
    .filter((state) => !except.includes(state))
    .map((state) => ({ operation, state, input, is })),
);

describe("within ten minutes of the event a finding reports", () => {
  test.each(sample(cases, 7))(
    "$operation on a version that is $state",
    async ({ operation, state, ...of }) => {
      const there = await until(state);
      there.ask(operation, of.input(there.first));
      await passMinutes(there, 12);
      expect(await codesOf(there)).toEqual(expect.arrayContaining(of.is));
    },
  );

  test.each([
    root,
    `arn:aws:iam::${account}:user/keyturn-role`,
    `arn:aws:sts::${account}:assumed-role/cleaner/nightly`,
    `arn:aws:sts::${account}:assumed-role/other-keyturn-role/keyturn-role`,
  ])("a deletion that %s scheduled", async (principalArn) => {
    const there = await until("active");
    there.ask("ScheduleKeyDeletion", { KeyId: there.first }, { principalArn });
    await passMinutes(there, 12);
    expect(await codesOf(there)).toContain("DELETION_SCHEDULED_BY_OTHERS");
    expect(there.log.join("\n")).toContain(principalArn);
  });

  test("a refused use of a version that others disabled, where the event of their call is lost", async () => {
    const there = await until("active");
    const { aws, clock, ask, deliver, run, first } = there;
    ask("DisableKey", { KeyId: first });
    clock.advance(minuteMs);
    expect(() => ask("Encrypt", { KeyId: orders, Plaintext: "YQ==" })).toThrow("is disabled");
    await deliver(aws.useAttempts.at(-1));
    await run();
    expect(await codesOf(there)).toEqual(["DISABLED_BY_OTHERS"]);
    clock.advance(minuteMs);
    const before = await there.record();
    for (let again = 0; again < 20; again++) await deliver(aws.useAttempts.at(-1));
    expect(await there.record()).toEqual(before);
  });

  test("a key policy that denies keyturn to read it", async () => {
    const there = await until("active");
    const hidden = {
      Sid: "Hidden",
      ...{ Effect: "Deny", Principal: { AWS: "*" }, Action: "kms:GetKeyPolicy", Resource: "*" },
    };
    const document = JSON.parse(anotherPolicy) as { Statement: object[] };
    const Policy = JSON.stringify({ ...document, Statement: [...document.Statement, hidden] });
    there.ask("PutKeyPolicy", { KeyId: there.first, PolicyName: "default", Policy });
    await passMinutes(there, 12);
    expect(await codesOf(there)).toContain("ACCESS_DENIED");
  });

  test("a change that reads show five minutes late", async () => {
    const there = await until("active");
    const { aws, clock, ask, deliver, run, first } = there;
    ask("ScheduleKeyDeletion", { KeyId: first });
    const key = aws.kms.world.keys.get(first);
    if (key === undefined) throw new Error("no key");
    aws.kms.forceState(first, "Enabled");
    clock.advance(minuteMs);
    await deliver(aws.keyChanges.at(-1));
    await run();
    expect(await codesOf(there)).toEqual([]);
    clock.advance(4 * minuteMs);
    aws.kms.forceState(first, "PendingDeletion");
    for (let minute = 0; minute < 5; minute++) {
      clock.advance(minuteMs);
      await run();
    }
    expect(await codesOf(there)).toEqual(["DELETION_SCHEDULED_BY_OTHERS"]);
  });
});

describe("without any event a finding reports within a day", () => {
  test.each(sample(cases, 9))(
    "$operation on a version that is $state",
    async ({ operation, state, ...of }) => {
      const there = await until(state);
      there.ask(operation, of.input(there.first));
      await there.passUntil(there.clock.nowMs() + dayMs);
      expect(await codesOf(there)).toEqual(expect.arrayContaining(of.is));
    },
  );
});

describe("the events of one managed key", () => {
  test("of keyturn's own role mark nothing", async () => {
    const there = await until("active");
    const principalArn = `arn:aws:sts::${account}:assumed-role/keyturn-role/keyturn`;
    there.ask("TagResource", { KeyId: there.first, Tags: [] }, { principalArn });
    await there.deliver(there.aws.keyChanges.at(-1));
    expect((await there.record())?.suspectedAtMs).toBeUndefined();
  });

  test("cause at most one pass in five minutes, however many there are", async () => {
    const there = await until("active");
    const { aws, clock, ask, deliver, run, first, log } = there;
    const passes = (): number => log.filter((line) => line.includes('"rest"')).length;
    const before = passes();
    for (let second = 0; second < 1800; second++) {
      ask("TagResource", { KeyId: first, Tags: [{ TagKey: "team", TagValue: String(second) }] });
      clock.advance(1000);
      await deliver(aws.keyChanges.at(-1));
      if (second % 60 === 0) await run();
    }
    expect(passes() - before).toBeGreaterThan(3);
    expect(passes() - before).toBeLessThanOrEqual(7);
    expect(await codesOf(there)).toEqual([]);
    const written = log.filter((line) => line.includes("changed by an external actor"));
    expect(written.length).toBeLessThanOrEqual(31);
  });

  test("wait while a run holds it", async () => {
    const there = await until("active", true);
    const { aws, ask, deliver, first, clock } = there;
    ask("DisableKey", { KeyId: first });
    const untilMs = clock.nowMs() + 30 * minuteMs;
    const table = createTable(tableName, sdkConfig(aws.endpoint));
    const ids = { runId: "another", passId: "pass" };
    const times = { nowMs: clock.nowMs(), untilMs, dueAgainAtMs: untilMs };
    await table.claim(orders, { ...ids, ...times, taking: "asked" });
    await expect(deliver(aws.keyChanges.at(-1))).rejects.toThrow("runs hold it");
    clock.moveTo(untilMs + minuteMs);
    await deliver(aws.keyChanges.at(-1));
    await there.run();
    expect(await codesOf(there)).toEqual(["DISABLED_BY_OTHERS"]);
  });

  test("of infrastructure code every hour and a tagger every day leave no finding", async () => {
    const there = await until("active");
    const { aws, clock, ask, deliver, run, first, log } = there;
    const principalArn = `arn:aws:sts::${account}:assumed-role/terraform/apply`;
    const rests = (): number => log.filter((line) => line.includes('"rest"')).length;
    let delivered = aws.keyChanges.length;
    const reported = new Set<string>();
    const [hours, before] = [3 * 24, rests()];
    for (let hour = 0; hour < hours; hour++) {
      // It ignores the tags of others, the state and the target, as the README says.
      ask("EnableKeyRotation", { KeyId: first }, { principalArn });
      ask("DisableKeyRotation", { KeyId: first }, { principalArn });
      if (hour % 24 === 0) {
        const Tags = [{ TagKey: "cost-center", TagValue: String(hour) }];
        for (const KeyId of aws.kms.world.keys.keys()) ask("TagResource", { KeyId, Tags });
      }
      for (let tick = 0; tick < 12; tick++) {
        for (const event of aws.keyChanges.slice(delivered)) await deliver(event);
        delivered = aws.keyChanges.length;
        await run();
        for (const code of await codesOf(there)) reported.add(code);
        clock.advance(5 * minuteMs);
      }
    }
    expect([...reported]).toEqual([]);
    expect((await there.record())?.versions.map(({ state }) => state)).toContain("active");
    expect(rests() - before).toBeLessThanOrEqual(hours * 12);
  });

  test("of keys that are not managed leave no line in the log", async () => {
    const there = await until("active");
    const { aws, ask, deliver, log } = there;
    const { KeyId } = ask<{ KeyMetadata: { KeyId: string } }>("CreateKey", {}).KeyMetadata;
    ask("DisableKey", { KeyId });
    ask("CreateAlias", { AliasName: "alias/else", TargetKeyId: KeyId });
    const before = log.length;
    for (const event of aws.keyChanges.slice(-2)) await deliver(event);
    expect(log.slice(before)).toEqual([]);
  });
});
