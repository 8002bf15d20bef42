/** What needs an old version without using it, before the deployed function. */
import { describe, expect, test } from "vitest";
import { requiredApproval } from "../../lambda/workflow/requests/required-approval.ts";
import { dayMs } from "../fixtures.ts";
import { aDeployment, orders, roleName, type Deployed } from "./deployed.ts";

const account = "000000000000";
const policy = {
  cryptoperiod: "30d",
  drain: { atLeast: "1d", quietFor: "1d" },
  soak: "7d",
  retire: "disable",
};
/** Version 1 drains from day 30 on, and is out of use from day 33 on where nothing holds it. */
const startMs = Date.UTC(2027, 0, 1);
const drained = startMs + 33 * dayMs;

const Operations = ["Decrypt", "CreateGrant"];
const holders: Record<string, object> = {
  "a service, in the field for principals": {
    GranteePrincipal: "rds.us-east-1.amazonaws.com",
    Operations,
  },
  "a service, in the field for services": {
    GranteeServicePrincipal: "dynamodb.amazonaws.com",
    RetiringServicePrincipal: "dynamodb.amazonaws.com",
    Constraints: { SourceArn: `arn:aws:dynamodb:us-east-1:${account}:table/t` },
    Operations: ["Decrypt"],
  },
  "a service-linked role": {
    GranteePrincipal: `arn:aws:iam::${account}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling`,
    Operations,
  },
  "EC2's own role in the account": {
    GranteePrincipal: `arn:aws:sts::${account}:assumed-role/aws:ec2-infrastructure/i-0123`,
    Operations,
  },
};

describe("a version with a grant for", () => {
  test.each(Object.entries(holders))(
    "%s is held, and the first run in drain says so",
    async (_, grant) => {
      const { ask, first, passUntil, record, aws } = await aDeployment(policy);
      const { GrantId } = ask("CreateGrant", { KeyId: first, ...grant });
      let reported: string | undefined;
      await passUntil(drained + dayMs, async () => {
        const { findings = [], rotations = [] } = (await record()) ?? {};
        if (reported !== undefined || rotations[0]?.step !== "drain") return;
        reported = findings.map(({ code, observed }) => `${code}: ${observed}`).join();
      });
      expect(reported).toContain("GRANT_HOLDS_OLD_VERSION");
      expect(reported).toContain(`grant:${String(GrantId)}`);
      expect(aws.calls().kms).not.toHaveProperty("DisableKey");
      expect((await record())?.findings.map(({ code }) => code)).toEqual([
        "GRANT_HOLDS_OLD_VERSION",
      ]);
    },
  );

  test("an application is not: DisableKey follows", async () => {
    const { ask, first, passUntil, record } = await aDeployment(policy);
    const GranteePrincipal = `arn:aws:iam::${account}:role/orders`;
    ask("CreateGrant", { KeyId: first, GranteePrincipal, Operations });
    await passUntil(drained);
    expect(await statesOf(record)).toEqual(["1 disabled", "2 active"]);
  });
});

async function statesOf(record: Deployed["record"]): Promise<string[]> {
  return ((await record())?.versions ?? []).map(({ number, state }) => `${number} ${state}`);
}

/** What refuses KMS a principal: the events of the call, as CloudTrail delivers them. */
async function refusedCall(deployed: Deployed, operation: string, input: object, by: string) {
  const { aws, ask, first } = deployed;
  const known = aws.useAttempts.length;
  expect(() => ask(operation, { KeyId: first, ...input }, { principalArn: by })).toThrow();
  return aws.useAttempts.slice(known);
}

const starter = `arn:aws:sts::${account}:assumed-role/starter/i-0123`;
const grants = { GranteePrincipal: starter, Operations: ["Decrypt"] };
const signing = { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" };
const deletes = { ...policy, retire: "delete", approval: "delete", soak: "1d" };

describe("a version out of use", () => {
  test("is enabled again in the invocation that hears of a refused CreateGrant", async () => {
    const deployed = await aDeployment(policy);
    await deployed.passUntil(drained);
    const [event] = await refusedCall(deployed, "CreateGrant", grants, starter);
    expect(await deployed.deliver(event)).toMatchObject({ outcome: "answered" });
    expect(deployed.aws.kms.world.keys.get(deployed.first)?.state).toBe("Enabled");
  });

  test("and pending deletion is enabled again when GetPublicKey is refused", async () => {
    const deployed = await aDeployment(deletes, signing);
    const { passUntil, record, state, aws, first } = deployed;
    await passUntil(drained + 20 * dayMs, async () => {
      for (const finding of (await record())?.findings ?? []) {
        const { of, evidence } = requiredApproval(finding) ?? {};
        if (of !== "delete" || evidence === undefined) continue;
        const body = { kind: "approve", version: 1, of, evidence, by: "ada" };
        await state.ask(orders, `approval-${evidence.slice(0, 8)}`, body);
      }
    });
    expect(aws.kms.world.keys.get(first)?.state).toBe("PendingDeletion");
    const [event] = await refusedCall(deployed, "GetPublicKey", {}, starter);
    await deployed.deliver(event);
    expect(aws.kms.world.keys.get(first)?.state).toBe("Enabled");
  });

  test.each([
    ["a call of keyturn's own role", `arn:aws:sts::${account}:assumed-role/${roleName}/one`, {}],
    ["a dry run", starter, { DryRun: true }],
  ])("stays out of use after %s", async (_, by, more) => {
    const deployed = await aDeployment(policy);
    await deployed.passUntil(drained);
    const { aws, first } = deployed;
    const events = await refusedCall(deployed, "CreateGrant", { ...grants, ...more }, by);
    for (const event of events) {
      expect(await deployed.deliver(event)).toMatchObject({ outcome: "ignored" });
    }
    expect(aws.kms.world.keys.get(first)?.state).toBe("Disabled");
  });
});
