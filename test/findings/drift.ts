/** External actors move aliases, and change the states of keys. */
import type { FindingCode } from "../../lambda/workflow/model/findings.ts";
import type { KeyState } from "../../embedded-aws/kms/types.ts";
import type { Account } from "../infra/account.ts";
import * as is from "./situation.ts";
import { encrypt, orders, pointAt, type Situation } from "./situation.ts";

const others = "alias/orders-2";
const two = [{ alias: orders, aliases: [others], policy: "short" }];
const slow = { propagation: "1d" } as const;

function put(account: Account, KeyId: string, state: KeyState): void {
  const now = account.stateOf(KeyId);
  if (now === "PendingDeletion") account.ask("CancelKeyDeletion", { KeyId });
  if (state === "Enabled") account.ask("EnableKey", { KeyId });
  if (state === "Disabled" && now === "Enabled") account.ask("DisableKey", { KeyId });
  if (state === "PendingDeletion") account.ask("ScheduleKeyDeletion", { KeyId });
}

async function untilDay(account: Account, day: number): Promise<void> {
  await account.passDays(day);
}

/** An external actor changes the key to this state on this day; keyturn reports it the next day. */
function changed(when: string, day: number, state: KeyState): Situation {
  return {
    is: `a version in ${when} that an external actor changes to ${state}`,
    happens: async (account, first) => {
      await untilDay(account, day);
      put(account, first, state);
      await account.passDays(1.1);
    },
    command: "changes",
  };
}

function notEnabled(when: string, day: number, state: KeyState): Situation {
  return {
    is: `an active key that is ${state} ${when}`,
    happens: async (account, first) => {
      await untilDay(account, day);
      if (state === "Unavailable") account.aws.kms.forceState(first, state);
      else put(account, first, state);
      await account.passDays(2);
    },
    command: state === "Unavailable" ? "shows" : "changes",
  };
}

function newVersion(state: KeyState): Situation {
  return {
    is: `a new version that is ${state} before it is active`,
    policy: slow,
    happens: async (account) => {
      await untilDay(account, 8.5);
      const keyIds = [...account.aws.kms.world.keys.keys()];
      put(account, keyIds.at(-1) ?? "", state);
      await account.passDays(1);
    },
    command: "changes",
  };
}

/** The first version is in use until day 20; keyturn takes the second one out of use before that. */
async function firstOutlivesSecond(account: Account, first: string): Promise<void> {
  const CiphertextBlob = encrypt(account, first);
  for (let day = 0; day < 20; day++) {
    await account.passDays(1);
    account.ask("Decrypt", { CiphertextBlob });
  }
}

export const driftSituations = {
  ALIAS_NOT_FOUND: [
    {
      is: "an alias of an active version that was deleted",
      happens: async (account) => {
        await untilDay(account, 6.9);
        account.ask("DeleteAlias", { AliasName: orders });
        await account.passDays(2);
      },
      command: "changes",
    },
    {
      is: "an alias that was deleted, and the active key disabled",
      happens: async (account, first) => {
        await untilDay(account, 6.9);
        account.ask("DeleteAlias", { AliasName: orders });
        put(account, first, "Disabled");
        await account.passDays(2);
      },
      command: "changes",
    },
    {
      is: "one alias of a set that does not exist yet",
      managedKeys: two,
      happens: (account) => account.passDays(1),
      command: "changes",
    },
    {
      is: "no alias of a set that exists",
      first: "none",
      happens: (account) => account.passDays(1),
      command: "shows",
    },
  ],
  ALIAS_SET_SPLIT: (["Enabled", "Disabled"] as const).map((state) => ({
    is: `aliases of one managed key on two keys, the first one ${state}`,
    managedKeys: two,
    happens: async (account: Account, first: string) => {
      account.makeKey(others);
      if (state === "Disabled") put(account, first, state);
      await account.passDays(1);
    },
    command: "changes" as const,
  })),
  ALIAS_MOVED: [
    ...(["Enabled", "Disabled", "PendingDeletion"] as const).map((state): Situation => ({
      is: `an alias on a key of another owner, and the active key ${state}`,
      happens: async (account, first) => {
        await untilDay(account, 6.9);
        pointAt(account, orders, account.makeKey("alias/else"));
        if (state !== "Enabled") put(account, first, state);
        await account.passDays(2);
      },
      command: "changes",
    })),
    {
      is: "an alias that an external actor moves to the new version before keyturn does",
      policy: slow,
      happens: async (account) => {
        await untilDay(account, 8.5);
        pointAt(account, orders, [...account.aws.kms.world.keys.keys()].at(-1) ?? "");
        await account.passDays(1);
      },
      command: "changes",
    },
    {
      is: "an alias that moves during the enrolment of its key",
      happens: async (account, first) => {
        is.answers(account, "TagResource", "ThrottlingException");
        await account.passDays(0.1);
        account.aws.fault = undefined;
        pointAt(account, orders, account.makeKey("alias/else"));
        is.keyOf(account, first);
        await account.passDays(0.5);
      },
      command: "changes",
    },
    {
      is: "an alias that returns to a retired key, at the next audit",
      policy: { drain: { atLeast: "20d", quietFor: "1d" } },
      happens: async (account, first) => {
        await untilDay(account, 12);
        pointAt(account, orders, first);
        await account.passDays(5);
      },
      command: "changes",
    },
  ],
  ALIAS_ON_OLD_VERSION: [
    {
      is: "a listed alias on a version whose drain ends",
      happens: async (account, first) => {
        await untilDay(account, 9.5);
        pointAt(account, orders, first);
        await account.passDays(1);
      },
      command: "changes",
    },
    {
      is: "two unlisted aliases on a version whose drain ends",
      happens: async (account, first) => {
        account.ask("CreateAlias", { AliasName: "alias/one", TargetKeyId: first });
        account.ask("CreateAlias", { AliasName: "alias/two", TargetKeyId: first });
        await untilDay(account, 11);
      },
      command: "changes",
    },
    ...["a listed", "an unlisted"].map((which): Situation => ({
      is: `${which} alias on a version whose successor is Disabled, with a newer one active`,
      policy: { retire: "disable" },
      happens: async (account, first) => {
        await firstOutlivesSecond(account, first);
        if (which === "a listed") pointAt(account, orders, first);
        else account.ask("CreateAlias", { AliasName: "alias/else", TargetKeyId: first });
        await account.passDays(2);
      },
      command: "changes",
    })),
  ],
  KEY_NOT_ENABLED: [
    notEnabled("as its rotation falls due", 6.9, "Unavailable"),
    notEnabled("before enrolment", 0, "Disabled"),
    notEnabled("before enrolment", 0, "PendingDeletion"),
  ],
  NEW_VERSION_NOT_ENABLED: [newVersion("Disabled"), newVersion("PendingDeletion")],
  VERSION_CHANGED: [
    changed("its soak", 10.5, "Enabled"),
    changed("its deletion window", 13, "Disabled"),
    changed("its deletion window", 13, "Enabled"),
  ],
  VERSION_DELETED: [
    {
      is: "a version in drain that KMS has deleted",
      happens: async (account, first) => {
        await untilDay(account, 8.5);
        account.aws.kms.world.keys.delete(first);
        await account.passDays(1.1);
      },
      command: "changes",
    },
    {
      is: "a new version that KMS has deleted before it is active",
      policy: slow,
      happens: async (account) => {
        await untilDay(account, 8.5);
        account.aws.kms.world.keys.delete([...account.aws.kms.world.keys.keys()].at(-1) ?? "");
        await account.passDays(1);
      },
      command: "changes",
    },
    {
      is: "the target of a rollback that KMS has deleted",
      happens: async (account, first) => {
        await untilDay(account, 8.5);
        account.aws.kms.world.keys.delete(first);
        await account.request(orders, { kind: "rollback", version: 2 });
        await account.passDays(0.5);
      },
      command: "changes",
      then: (account) => account.request(orders, { kind: "resume" }),
    },
  ],
} satisfies Partial<Record<FindingCode, Situation[]>>;
