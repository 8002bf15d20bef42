/** Kinds of keys, limits, clocks, tables: conditions that no single command corrects. */
import type { FindingCode } from "../../lambda/workflow/model/findings.ts";
import type { Account } from "../infra/account.ts";
import { dayMs } from "../fixtures.ts";
import * as is from "./situation.ts";
import { encrypt, orders, redeploy, type Situation } from "./situation.ts";

const aliasOnly = { originate: "alias-only" } as const;
const person = { Effect: "Allow", Principal: { AWS: "*" }, Action: "kms:*", Resource: "*" };

function policyWith(...statements: object[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: [person, ...statements] });
}

function shows(
  named: string,
  happens: Situation["happens"],
  more: Partial<Situation> = {},
): Situation {
  return { is: named, happens, command: "shows", ...more };
}

/** From day 1 on KMS answers CreateKey with this; on day 8 the rotation opens. */
function createKeyAnswers(named: string, code: string, days = 9): Situation {
  return shows(named, async (account) => {
    await account.passDays(1);
    is.answers(account, "CreateKey", code);
    await account.passDays(days);
  });
}

async function extra(account: Account, owned: Record<string, string>): Promise<string> {
  const keyId = account.makeKey("alias/else");
  is.tag(account, keyId, { "keyturn:owner": "acme", ...owned });
  await Promise.resolve();
  return keyId;
}

const passes = (days: number) => (account: Account) => account.passDays(days);

export const restSituations = {
  KEY_KIND_UNSUPPORTED: [shows("a multi-Region key", passes(1), { first: { MultiRegion: true } })],
  OTHER_OWNER: [
    shows("a key of another owner that the configuration enrols", async (account, first) => {
      is.tag(account, first, { "keyturn:owner": "else" });
      await account.passDays(1);
    }),
    shows("an active key that another owner took", async (account, first) => {
      await account.passDays(6.9);
      is.tag(account, first, { "keyturn:owner": "else" });
      await account.passDays(2);
    }),
  ],
  KEY_ALREADY_MANAGED: [
    shows("a key that is tagged as a version of another alias", async (account, first) => {
      is.tag(account, first, { "keyturn:owner": "acme", "keyturn:alias": "alias/else" });
      await account.passDays(1);
    }),
  ],
  ALIAS_ONLY_UNFIT: [
    shows(
      "a key that an AWS service uses",
      async (account, KeyId) => {
        const GranteePrincipal = "rds.amazonaws.com";
        account.ask("CreateGrant", { KeyId, GranteePrincipal, Operations: ["Decrypt"] });
        await account.passDays(1);
      },
      { policy: aliasOnly },
    ),
    shows(
      "a key whose key policy names an AWS service",
      async (account, KeyId) => {
        const Condition = { StringNotEqualsIfExists: { "kms:ViaService": "s3.amazonaws.com" } };
        const Policy = policyWith({ ...person, Effect: "Deny", Action: "kms:Decrypt", Condition });
        account.ask("PutKeyPolicy", { KeyId, PolicyName: "default", Policy });
        await account.passDays(1);
      },
      { policy: aliasOnly },
    ),
  ],
  NOT_CONFIGURED: [
    shows("a managed key that the configuration no longer names", async (account) => {
      await account.passDays(1);
      await redeploy(account, { managedKeys: [] }, 8);
    }),
  ],
  POLICY_NOT_CARRIED: [
    shows("a key policy with keyturn's Sid on another statement", async (account, KeyId) => {
      const Policy = policyWith({ ...person, Sid: "KeyturnAliasOnly" });
      account.ask("PutKeyPolicy", { KeyId, PolicyName: "default", Policy });
      await account.passDays(1);
    }),
    shows("a key policy that locks keyturn out", async (account, KeyId) => {
      const Policy = policyWith({ ...person, Effect: "Deny", Action: "kms:PutKeyPolicy" });
      const BypassPolicyLockoutSafetyCheck = true;
      const put = { KeyId, PolicyName: "default", Policy, BypassPolicyLockoutSafetyCheck };
      account.ask("PutKeyPolicy", put);
      await account.passDays(1);
    }),
  ],
  TOO_MANY_TAGS: [
    shows("a key with 45 tags", async (account, first) => {
      const names = Array.from({ length: 45 }, (_, index) => [`tag-${index}`, "x"]);
      is.tag(account, first, Object.fromEntries(names) as Record<string, string>);
      await account.passDays(1);
    }),
  ],
  GRANT_NOT_UNDERSTOOD: [
    shows("a grant with a constraint of a later KMS", async (account, first) => {
      is.keyOf(account, first).grants.set("a", {
        ...{ grantId: "a", grantee: is.stranger, operations: ["Decrypt"], createdAtMs: 0 },
        constraints: { SourceVpc: "vpc-1" } as object,
      });
      await account.passDays(1);
    }),
  ],
  GRANT_LEFT_OUT: [
    shows("a grant for a deleted role", async (account, KeyId) => {
      const grant = { KeyId, GranteePrincipal: is.stranger, Operations: ["Decrypt"] };
      account.ask("CreateGrant", grant);
      account.aws.kms.world.unknownPrincipals.set(is.stranger, "AROAEXAMPLEID12345678");
      await account.passDays(8.5);
    }),
  ],
  KEY_POLICY_REFUSED: [
    createKeyAnswers("a key policy that KMS refuses", "MalformedPolicyDocumentException"),
  ],
  KEY_QUOTA_REACHED: [createKeyAnswers("a full account", "LimitExceededException")],
  CALL_REFUSED: [createKeyAnswers("a call that KMS refuses", "ValidationException")],
  KEY_IN_STACK: [
    shows("a key of a stack, about to be disabled", async (account, first) => {
      is.keyOf(account, first).tags.set("aws:cloudformation:stack-name", "shop");
      await account.passDays(10.7);
    }),
    shows("a key of a stack, about to be deleted", async (account, first) => {
      is.keyOf(account, first).tags.set("aws:cloudformation:stack-name", "shop");
      await account.passDays(13);
    }),
  ],
  DRAIN_NOT_WATCHED: [shows("a drain without an event", passes(11), { watchDrain: true })],
  USAGE_UNKNOWN: [
    shows("a key whose last use KMS does not report", async (account) => {
      is.answers(account, "GetKeyLastUsage", "UnknownOperationException");
      await account.passDays(11);
      account.aws.fault = undefined;
    }),
  ],
  USAGE_UNKNOWN_ACCEPTED: [
    shows(
      "an unknown last use that the policy accepts",
      async (account) => {
        is.answers(account, "GetKeyLastUsage", "UnknownOperationException");
        await account.passDays(11);
        account.aws.fault = undefined;
      },
      { policy: { drain: { atLeast: "2d", quietFor: "1d", evidence: "advisory" } } },
    ),
  ],
  CALLERS_UNSEEN: [
    shows("an old version whose key policy admits another account", async (account, KeyId) => {
      const Principal = { AWS: "arn:aws:iam::222233334444:root" };
      const Policy = policyWith({ Effect: "Allow", Principal, Action: "kms:Decrypt" });
      account.ask("PutKeyPolicy", { KeyId, PolicyName: "default", Policy });
      await account.passDays(9);
    }),
  ],
  NEVER_DELETED: [
    shows("an RSA key for encryption, under a policy that deletes", passes(1), {
      first: { KeySpec: "RSA_2048", KeyUsage: "ENCRYPT_DECRYPT" },
    }),
  ],
  ROTATION_NOT_CARRIED: [
    shows("a key that KMS rotates by itself", async (account, KeyId) => {
      account.ask("EnableKeyRotation", { KeyId });
      await account.passDays(1);
    }),
    shows("a key that KMS rotates by itself since its enrolment", async (account, KeyId) => {
      await account.passDays(1);
      account.ask("EnableKeyRotation", { KeyId });
      await account.passDays(7.2);
    }),
  ],
  GUARDRAIL: [
    shows("a key policy that denies DisableKey for 30 days after a use", async (account, KeyId) => {
      const Condition = { NumericLessThan: { "kms:TrailingDaysWithoutKeyUsage": "30" } };
      const Policy = policyWith({ ...person, Effect: "Deny", Action: "kms:DisableKey", Condition });
      account.ask("PutKeyPolicy", { KeyId, PolicyName: "default", Policy });
      encrypt(account, orders);
      await account.passDays(12);
    }),
  ],
  DRAIN_PROLONGED: [
    shows("an old version that stays in use", async (account) => {
      const CiphertextBlob = encrypt(account, orders);
      for (let day = 0; day < 18; day++) {
        await account.passDays(1);
        account.ask("Decrypt", { CiphertextBlob });
      }
    }),
  ],
  NOT_ENROLLED_BY_TAG: [
    shows(
      "a tagged key without a policy of that name",
      async (account, first) => {
        is.tag(account, first, { "keyturn:policy": "none" });
        await account.passDays(2);
      },
      { managedKeys: [], taggedAliases: ["alias/*"] },
    ),
  ],
  ALIAS_ONLY_NOT_ENFORCED: [
    shows("a version that is older than the policy", passes(2), { policy: aliasOnly }),
  ],
  OVERDUE: [createKeyAnswers("a version past its cryptoperiod", "LimitExceededException", 12)],
  UNLISTED_ALIAS: [
    shows("a key with an alias that is not listed", async (account, TargetKeyId) => {
      account.ask("CreateAlias", { AliasName: "alias/else", TargetKeyId });
      await account.passDays(1);
    }),
  ],
  STUCK: [
    shows("a managed key that fails again and again", async (account) => {
      is.answers(account, "TagResource", "ThrottlingException");
      await account.passDays(3);
      account.aws.fault = undefined;
    }),
    shows("a CreateKey without an answer, again and again", async (account) => {
      await account.passDays(1);
      is.answers(account, "CreateKey", "InternalFailure", 500);
      await account.passDays(8);
      account.aws.fault = undefined;
    }),
  ],
  CLOCK_SKEW: [
    shows("a settle mark 300 days ahead", async (account) => {
      await account.passDays(7.9);
      const untilMs = account.clock.nowMs() + 300 * dayMs;
      await account.rewrite("record", { unsettled: [{ epoch: 0, untilMs }] });
      await account.passDays(1);
    }),
    shows("a claim 300 days ahead", async (account) => {
      await account.passDays(7.9);
      const claim = { runId: "x", epoch: 9, untilMs: account.clock.nowMs() + 300 * dayMs };
      await account.rewrite("record", { claim });
      await account.passDays(1);
    }),
  ],
  RECORD_LARGE: [
    shows("a record of more than 100 KB", async (account) => {
      await account.passDays(1);
      const rejected = Array.from({ length: 60 }, (_, index) => ({
        ...{ id: `r-${index}`, kind: "pause", why: "x".repeat(2000) },
        atMs: account.clock.nowMs(),
      }));
      await account.rewrite("record", { rejected, dueAtMs: 1 });
      await account.passDays(1);
    }),
  ],
  EXTRA_NOT_QUARANTINED: [
    shows("an excess key with an alias", async (account) => {
      await account.passDays(9);
      const keyId = await extra(account, { "keyturn:rotation": "r1" });
      const foundAtMs = account.clock.nowMs();
      const found = { keyId, rotationId: "r1", madeAfterMs: foundAtMs - 60_000, foundAtMs };
      await account.rewrite("record", { extras: [found], dueAtMs: 1 });
      await account.passDays(1);
    }),
  ],
  UNKNOWN_KEY: [
    shows("a key with keyturn's tags and without a record", async (account) => {
      await account.passDays(1);
      await extra(account, { "keyturn:alias": "alias/who" });
      await account.passDays(9);
    }),
  ],
  SCHEMA_NEWER: [
    shows("a record of a newer schema", async (account) => {
      await account.passDays(1);
      await account.rewrite("record", { schema: 99, dueAtMs: 1 });
      await account.passDays(1);
    }),
  ],
  // Thrown at the start and by synthesis, with every problem: no run can print a command.
  CONFIGURATION_INVALID: [],
} satisfies Partial<Record<FindingCode, Situation[]>>;
