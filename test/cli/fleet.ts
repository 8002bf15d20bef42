/** An account with managed keys in many states, always the same. */
import type { ConfigurationDocument } from "../../lambda/configuration/configuration.ts";
import { Account } from "../infra/account.ts";
import { document, orders } from "../infra/least-privilege-histories.ts";
import type { RoleStatement } from "../infra/role.ts";

const fleet: ConfigurationDocument = {
  ...document,
  managedKeys: [
    { alias: orders, policy: "short" },
    { alias: "alias/invoices", policy: "short" },
    { alias: "alias/moved", policy: "short" },
    { alias: "alias/a-name-that-is-rather-long-for-a-terminal-of-eighty-columns", policy: "short" },
  ],
};

/** least-privilege.test.ts tests the permissions; these tests do not. */
export const anything: RoleStatement = { Effect: "Allow", Action: "*", Resource: "*" };

/**
 * Past its cryptoperiod on day 60, the paused key causes a pass every hour. If a test does not need that,
 * the alias moves after 40 days.
 */
export async function aFleet(movesAfterDays = 50): Promise<Account> {
  const account = await Account.deployed({ document: fleet }, [anything]);
  account.makeKey(orders);
  account.makeKey("alias/invoices", { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
  const moved = account.makeKey("alias/moved", {
    KeySpec: "HMAC_256",
    KeyUsage: "GENERATE_VERIFY_MAC",
  });
  account.makeKey("alias/a-name-that-is-rather-long-for-a-terminal-of-eighty-columns");
  await account.passDays(20);
  await account.request("alias/invoices", { kind: "pause", reason: "an audit" });
  await account.passDays(movesAfterDays);
  account.ask("UpdateAlias", { AliasName: "alias/moved", TargetKeyId: moved });
  await account.passDays(2);
  return account;
}
