/** An account with managed keys in many states, always the same. */
import type { ConfigurationDocument } from "../../lambda/configuration/configuration.ts";
import { Account } from "../infra/account.ts";
import { document, orders } from "../infra/least-privilege-histories.ts";
import type { RoleStatement } from "../infra/role.ts";
import { refused, startTrail } from "../findings/trail.ts";

const fleet: ConfigurationDocument = {
  ...document,
  managedKeys: [
    { alias: orders, policy: "short" },
    { alias: "alias/invoices", policy: "short" },
    { alias: "alias/moved", policy: "short" },
    { alias: "alias/a-name-that-is-rather-long-for-a-terminal-of-eighty-columns", policy: "short" },
  ],
  acceptedRefusals: [{ principal: "arn:aws:iam::000000000000:role/scanner" }],
};

/** least-privilege.test.ts tests the permissions; these tests do not. */
export const anything: RoleStatement = { Effect: "Allow", Action: "*", Resource: "*" };

/**
 * Past its cryptoperiod on day 60, the paused key causes a pass every hour. If a test does not need that,
 * the alias moves after 40 days.
 */
export async function aFleet(movesAfterDays = 50): Promise<Account> {
  const deployed = { document: fleet, watchRefusals: true };
  const account = await Account.deployed(deployed, [anything]);
  startTrail(account);
  const first = account.makeKey(orders);
  account.makeKey("alias/invoices", { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
  const moved = account.makeKey("alias/moved", {
    KeySpec: "HMAC_256",
    KeyUsage: "GENERATE_VERIFY_MAC",
  });
  account.makeKey("alias/a-name-that-is-rather-long-for-a-terminal-of-eighty-columns");
  await account.passDays(20);
  await account.request("alias/invoices", { kind: "pause", reason: "an audit" });
  await account.passDays(movesAfterDays);
  refuses(account, first);
  account.ask("UpdateAlias", { AliasName: "alias/moved", TargetKeyId: moved });
  await account.passDays(2);
  return account;
}

/** Version 2 of alias/orders is active: the rotation locked two callers out, and a scanner calls every key. */
function refuses(account: Account, first: string): void {
  const data = { KeyId: orders, Plaintext: Buffer.from("a") };
  const caller = (name: string) => `arn:aws:iam::000000000000:role/${name}`;
  const byAlias = {
    Condition: { "ForAnyValue:StringEquals": { "kms:ResourceAliases": orders } },
  };
  refused(account, caller("archive-reader"), byAlias, "GetPublicKey", { KeyId: first });
  const Resource = `arn:aws:kms:us-east-1:000000000000:key/${first}`;
  refused(account, caller("checkout"), { Resource }, "Encrypt", data);
  for (const KeyId of [first, orders]) {
    refused(account, caller("scanner"), { Action: "kms:List*" }, "GetPublicKey", { KeyId });
  }
}
