/** Histories that together use every permission of the role, and their expected final states. */
import type { ConfigurationDocument } from "../../lambda/configuration/configuration.ts";
import type { Account } from "./account.ts";
import type { Deployed } from "./role.ts";

export type PrivilegedHistory = {
  name: string;
  deployed: Deployed;
  /** Runs the history and returns its final state; `end` is that state with all permissions. */
  play: (account: Account) => Promise<Record<string, unknown>>;
  end: Record<string, unknown>;
  /** The expected findings and errors. */
  reported: string[];
};

export const orders = "alias/orders";
const payroll = "alias/payroll";
const grantee = "arn:aws:iam::000000000000:role/orders";

/** Opened on day 54, drained on day 84, soaked on day 98, deleted on day 105. */
export const document: ConfigurationDocument = {
  owner: "acme",
  policies: {
    short: {
      cryptoperiod: "60d",
      lead: "6d",
      drain: { atLeast: "30d", quietFor: "14d" },
      soak: "14d",
      deletionWindowDays: 7,
      retire: "delete",
    },
  },
  managedKeys: [{ alias: orders, policy: "short" }],
  taggedAliases: [payroll],
};

async function useAttempt(account: Account, keyId: string): Promise<void> {
  try {
    account.ask("Encrypt", { KeyId: keyId, Plaintext: Buffer.from("a") });
  } catch {
    await account.invoke(account.aws.useAttempts.at(-1));
  }
}

/** The short histories first. */
export const histories: PrivilegedHistory[] = [
  {
    name: "the table is unavailable for a while",
    deployed: { document },
    play: async (account) => {
      const first = account.makeKey(orders);
      const refuse = (service: string) =>
        service === "dynamodb"
          ? ({ kind: "before", code: "InternalServerError", status: 500 } as const)
          : undefined;
      account.aws.fault = refuse;
      await account.invoke();
      account.aws.fault = undefined;
      await account.passDays(1);
      const { deadLetters, logged } = account;
      return {
        first: account.stateOf(first),
        deadLetters: deadLetters.length,
        isLogged: logged.length > 1,
      };
    },
    end: { first: "Enabled", deadLetters: 1, isLogged: true },
    reported: [
      "RotationError: InternalServerError: UnknownError (InternalServerError: UnknownError)",
    ],
  },
  {
    name: "a key that KMS rotates by itself",
    deployed: { document },
    play: async (account) => {
      const first = account.makeKey(orders);
      account.ask("EnableKeyRotation", { KeyId: first });
      await account.passDays(1);
      return { first: account.stateOf(first) };
    },
    end: { first: "Enabled" },
    reported: ["ROTATION_NOT_CARRIED"],
  },
  {
    name: "enrolled by its tag, with discovery by the tagging API",
    deployed: { document: { ...document, managedKeys: [] } },
    play: async (account) => {
      const first = account.makeKey(payroll, {
        Tags: [{ TagKey: "keyturn:policy", TagValue: "short" }],
      });
      await account.passDays(60);
      return { rotated: account.targetOf(payroll) !== first, first: account.stateOf(first) };
    },
    end: { rotated: true, first: "Enabled" },
    reported: [],
  },
  {
    name: "enrolled by its tag, with discovery by listing all keys",
    deployed: { document: { ...document, managedKeys: [] }, discovery: "walk" },
    play: async (account) => {
      const first = account.makeKey(payroll, {
        Tags: [{ TagKey: "keyturn:policy", TagValue: "short" }],
      });
      await account.passDays(90);
      return { rotated: account.targetOf(payroll) !== first, first: account.stateOf(first) };
    },
    end: { rotated: true, first: "Disabled" },
    reported: [],
  },
  {
    name: "rolled back from the soak, then un-enrolled",
    deployed: { document },
    play: async (account) => {
      const first = account.makeKey(orders);
      await account.passDays(90);
      await account.request(orders, { kind: "rollback", version: 2 });
      await account.passDays(2);
      const active = account.targetOf(orders) === first;
      await account.request(orders, { kind: "un-enrol", confirm: orders });
      await account.passDays(2);
      const tags = [...(account.aws.kms.world.keys.get(first)?.tags.keys() ?? [])];
      return { active, first: account.stateOf(first), tags };
    },
    end: { active: true, first: "Enabled", tags: ["keyturn:alias"] },
    reported: ["HELD_AFTER_ROLLBACK", "OVERDUE", "UNENROLLED"],
  },
  {
    name: "used in the soak and in the deletion window",
    deployed: { document },
    play: async (account) => {
      const first = account.makeKey(orders);
      await account.passDays(90);
      const soaked = account.stateOf(first);
      await useAttempt(account, first);
      const restored = account.stateOf(first);
      await account.request(orders, { kind: "resume" });
      await account.passDays(48);
      const drained = account.stateOf(first);
      await useAttempt(account, first);
      await account.passDays(1);
      return { soaked, restored, drained, final: account.stateOf(first) };
    },
    end: {
      soaked: "Disabled",
      restored: "Enabled",
      drained: "PendingDeletion",
      final: "Enabled",
    },
    reported: ["APPROVAL_REQUIRED", "USED_WHILE_DISABLED"],
  },
  {
    name: "a signing key, deleted with its public key archived",
    deployed: { document },
    play: async (account) => {
      const spec = { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" };
      const first = account.makeKey(orders, spec);
      await account.passDays(107);
      return { first: account.stateOf(first) };
    },
    end: { first: "deleted" },
    reported: ["APPROVAL_REQUIRED"],
  },
  {
    name: "from enrolment until the first version is destroyed",
    deployed: { document },
    play: async (account) => {
      const Tags = [{ TagKey: "team", TagValue: "shop" }];
      const first = account.makeKey(orders, { Tags });
      const Operations = ["Encrypt", "Decrypt"];
      account.ask("CreateGrant", { KeyId: first, GranteePrincipal: grantee, Operations });
      await account.passDays(107);
      const second = account.targetOf(orders);
      return {
        rotated: second !== first,
        first: account.stateOf(first),
        second: account.stateOf(second),
        grants: account.aws.kms.world.keys.get(second)?.grants.size,
        eventsReported: account.aws.events.length > 0,
      };
    },
    end: { rotated: true, first: "deleted", second: "Enabled", grants: 1, eventsReported: true },
    reported: ["APPROVAL_REQUIRED"],
  },
];
