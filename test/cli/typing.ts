/** An account in which a managed key is some days old, and an operator who types. */
import { afterAll, onTestFinished } from "vitest";
import type { ConfigurationDocument } from "../../lambda/configuration/configuration.ts";
import { Account } from "../infra/account.ts";
import { document, orders } from "../infra/least-privilege-lives.ts";
import { roleStatements } from "../infra/role.ts";
import { nowOf, typed, type Typed } from "./binary.ts";

/** What others than the configuration may enrol. */
export const open = { taggedAliases: ["alias/team-*"] };

/** One for all that change nothing in it. */
let shared: Promise<Account> | undefined;
export const young = (): Promise<Account> => (shared ??= deployedFor(2, open));
afterAll(async () => (await shared)?.close());

/** An account in which so many days have passed since its one managed key was enrolled. */
export async function after(
  days: number,
  more: Partial<ConfigurationDocument> = {},
): Promise<Account> {
  const account = await deployedFor(days, more);
  onTestFinished(() => account.close());
  return account;
}

async function deployedFor(days: number, more: Partial<ConfigurationDocument>): Promise<Account> {
  const deployed = { document: { ...document, ...more } };
  const account = await Account.deployed(deployed, roleStatements(deployed));
  account.makeKey(orders);
  await account.passDays(days);
  return account;
}

export const type = (account: Account, ...args: string[]): Promise<Typed> =>
  typed(account, [...args, ...nowOf(account)], { COLUMNS: "120" });
