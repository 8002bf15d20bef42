/** Conditions that wait for an operator's request, or that a request caused. */
import type { FindingCode } from "../../lambda/workflow/model/findings.ts";
import type { Account } from "../infra/account.ts";
import * as is from "./situation.ts";
import { attempt, encrypt, orders, redeploy, type Situation } from "./situation.ts";

const dependents = ["billing", "search"];
const withDependents = [{ alias: orders, policy: "short", dependents }];

function used(day: number, mode: "act" | "plan"): Situation {
  return {
    is: `a disabled version that an application uses on day ${day}, in mode ${mode}`,
    happens: async (account, first) => {
      await account.passDays(day);
      if (mode === "plan") await redeploy(account, { mode }, 0.1);
      await attempt(account, first);
      await account.passDays(0.1);
    },
    command: "changes",
    then: (account) => account.deployAgain({ document: is.documentOf(plain) }),
  };
}

const plain: Situation = { is: "", command: "shows", happens: () => undefined };

/** Version 1 is compromised, in use, and an operator overrode the evidence. */
async function overridden(account: Account, first: string): Promise<void> {
  await account.passDays(1);
  encrypt(account, first);
  await account.request(orders, { kind: "compromised", version: 1 });
  await account.passDays(0.5);
  const override = { version: 1, override: true, confirm: orders };
  await account.request(orders, { kind: "approve", ...override });
  await account.passDays(0.5);
}

export const askingSituations = {
  STATE_BEHIND_KMS: [
    {
      is: "a record of another table",
      happens: async (account) => {
        await account.passDays(9);
        await account.rewrite("record", { tableId: "another" });
        await account.passDays(1);
      },
      command: "changes",
    },
    {
      is: "a version whose label is not on record",
      happens: async (account, first) => {
        await account.passDays(9);
        is.tag(account, first, { "keyturn:retired": "later" });
        await account.passDays(2);
      },
      command: "changes",
    },
  ],
  USED_WHILE_DISABLED: [used(10.5, "act"), used(13, "act"), used(10.5, "plan"), used(13, "plan")],
  DEPENDENT_NOT_READY: [
    {
      is: "two dependents that did not acknowledge in time",
      policy: { acknowledgeWithin: "1d" },
      managedKeys: withDependents,
      happens: (account) => account.passDays(10),
      command: "changes",
    },
  ],
  ACKNOWLEDGEMENT_AWAITED: [
    {
      is: "two dependents that have not acknowledged yet",
      managedKeys: withDependents,
      happens: (account) => account.passDays(9),
      command: "changes",
    },
  ],
  APPROVAL_REQUIRED: (["revoke", "delete"] as const).map((approval) => ({
    is: `a version without the approval that its policy requires to ${approval}`,
    policy: { approval },
    happens: async (account: Account) => {
      account.approves = false;
      await account.passDays(13);
    },
    command: "changes" as const,
  })),
  GRANT_HOLDS_OLD_VERSION: [
    {
      is: "an old version on which a database holds a grant",
      happens: async (account, first) => {
        is.grantToService(account, first);
        await account.passDays(11);
      },
      command: "changes",
    },
    {
      is: "an old version with such a grant, in its drain",
      happens: async (account, first) => {
        is.grantToService(account, first);
        await account.passDays(9);
      },
      command: "shows",
    },
  ],
  DEPENDENT_REQUIRED: [
    {
      is: "a key of agreement without a dependent",
      first: { KeySpec: "ECC_NIST_P256", KeyUsage: "KEY_AGREEMENT" },
      happens: (account) => account.passDays(9),
      command: "shows",
    },
  ],
  ORIGINATED_AFTER_ACTIVATION: [
    {
      is: "an old version that an application encrypts with",
      happens: async (account, first) => {
        await account.passDays(9);
        encrypt(account, first);
        await account.passDays(1.5);
      },
      command: "changes",
    },
  ],
  PAUSED: [
    {
      is: "a managed key that an operator paused",
      happens: async (account) => {
        await account.passDays(9);
        await account.request(orders, { kind: "pause" });
        await account.passDays(1);
      },
      command: "changes",
    },
  ],
  HELD_AFTER_ROLLBACK: [
    {
      is: "a managed key that an operator rolled back",
      happens: async (account) => {
        await account.passDays(9);
        await account.request(orders, { kind: "rollback", version: 2 });
        await account.passDays(1);
      },
      command: "changes",
    },
  ],
  REQUEST_REJECTED: [
    {
      is: "a request that cannot be fulfilled",
      happens: async (account) => {
        await account.passDays(1);
        await account.request(orders, { kind: "rollback", version: 99 });
        await account.passDays(1);
      },
      command: "shows",
    },
    {
      is: "an unmanaged request whose alias injects shell commands",
      happens: async (account) => {
        await account.request("alias/x'; rm -rf $HOME; '", { kind: "pause" });
        await account.passDays(1);
      },
      command: "shows",
    },
  ],
  UNENROLLED: [
    {
      is: "an un-enrolled managed key that the configuration names",
      happens: async (account) => {
        await account.passDays(1);
        await account.request(orders, { kind: "un-enrol", confirm: orders });
        await account.passDays(1);
      },
      command: "changes",
    },
  ],
  EVIDENCE_OVERRIDDEN: [
    { is: "a version whose evidence was overridden", happens: overridden, command: "shows" },
  ],
  ACCESS_DENIED: [
    {
      is: "CreateKey denied",
      happens: async (account) => {
        await account.passDays(1);
        is.answers(account, "CreateKey", "AccessDeniedException");
        await account.passDays(9);
      },
      command: "shows",
    },
    {
      is: "DescribeKey denied, of the alias",
      happens: async (account) => {
        is.answers(account, "DescribeKey", "AccessDeniedException");
        await account.passDays(1);
        account.aws.fault = undefined;
      },
      command: "shows",
    },
    {
      is: "DisableKey denied, where an operator overrode the evidence",
      happens: async (account, first) => {
        is.answers(account, "DisableKey", "AccessDeniedException");
        await overridden(account, first);
        account.aws.fault = undefined;
      },
      command: "changes",
    },
  ],
} satisfies Partial<Record<FindingCode, Situation[]>>;
