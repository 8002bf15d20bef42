/** External actors change a version of any state; without an event, keyturn reports it within a day. */
import { expect } from "vitest";
import type { FindingCode } from "../../lambda/workflow/model/findings.ts";
import { tagNames } from "../../lambda/workflow/model/tag-names.ts";
import { aPolicyDocument } from "../fixtures.ts";
import type { Account } from "../infra/account.ts";
import { orders, type Situation } from "./situation.ts";

type Policy = NonNullable<Situation["policy"]>;

/** How the first version comes to be in each state, and on which day it is. */
const states: Record<string, { day: number; policy?: Policy }> = {
  active: { day: 2 },
  draining: { day: 8.5 },
  retained: { day: 11, policy: { retire: "retain" } },
  disabled: { day: 14, policy: { retire: "disable", approval: "none" } },
  soaking: { day: 10.6 },
};

function inState(
  state: string,
  what: string,
  happens: (account: Account, first: string) => unknown,
): Situation {
  const { day, policy } = states[state] ?? { day: 0 };
  return {
    is: `${what}: version 1 is ${state}`,
    ...(policy === undefined ? {} : { policy }),
    happens: async (account, first) => {
      await account.passDays(day);
      happens(account, first);
      // The longest interval of an inspection, and a run.
      await account.passDays(1);
    },
    command: "changes",
  };
}

const schedule = (account: Account, KeyId: string): unknown =>
  account.ask("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });

const untag =
  (...TagKeys: string[]) =>
  (account: Account, KeyId: string): unknown =>
    account.ask("UntagResource", { KeyId, TagKeys });

const all = Object.keys(states);

export const othersSituations = {
  DELETION_SCHEDULED_BY_OTHERS: [
    ...all.map((state) => inState(state, "a clean-up bot deletes it", schedule)),
    {
      is: "somebody brings the date of a deletion forward",
      policy: { deletionWindowDays: 30 },
      happens: async (account, first) => {
        await account.passDays(13);
        account.ask("CancelKeyDeletion", { KeyId: first });
        schedule(account, first);
        await account.passDays(1);
      },
      command: "changes",
    },
  ],
  DISABLED_BY_OTHERS: ["active", "draining", "retained"].map((state) =>
    inState(state, "an operator disables it", (account, KeyId) =>
      account.ask("DisableKey", { KeyId }),
    ),
  ),
  ACCESS_TAG_GONE: all.map((state) =>
    inState(state, "an operator removes the tag keyturn:alias", untag(tagNames.alias)),
  ),
  OTHER_OWNER: [
    ...all.map((state) =>
      inState(
        state,
        "Terraform removes all tags that it does not know",
        untag(...Object.values(tagNames)),
      ),
    ),
    ...["draining", "disabled"].map((state) =>
      inState(state, "it loses its tags, and a clean-up bot deletes it", (account, keyId) => {
        untag(...Object.values(tagNames))(account, keyId);
        schedule(account, keyId);
      }),
    ),
  ],
  VERSION_DELETED: [
    {
      is: "the active version that KMS deleted with its alias, on the date that a bot set",
      policy: { drain: { atLeast: "30d", quietFor: "1d" } },
      happens: async (account) => {
        await account.passDays(8.5);
        schedule(account, account.targetOf(orders));
        await account.passDays(8);
        expect(account.targetOf(orders)).toBe("nothing");
      },
      command: "changes",
    },
    {
      is: "the only version, and its alias with it",
      happens: async (account, first) => {
        await account.passDays(2);
        schedule(account, first);
        await account.passDays(8);
      },
      command: "shows",
    },
  ],
  KEY_POLICY_CHANGED: all.map((state) =>
    inState(state, "infrastructure code puts another key policy", (account, KeyId) =>
      account.ask("PutKeyPolicy", {
        ...{ KeyId, PolicyName: "default", Policy: aPolicyDocument("Changed") },
      }),
    ),
  ),
  UNLISTED_ALIAS: [
    inState("retained", "an operator creates an alias on it", (account, TargetKeyId) =>
      account.ask("CreateAlias", { AliasName: "alias/other", TargetKeyId }),
    ),
  ],
  ALIAS_MOVED: all
    .filter((state) => state !== "active")
    .map((state) =>
      inState(state, "an operator moves the alias to it", (account, TargetKeyId) =>
        account.ask("UpdateAlias", { AliasName: orders, TargetKeyId }),
      ),
    ),
} satisfies Partial<Record<FindingCode, Situation[]>>;
