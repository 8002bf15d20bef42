/** An account in which a managed key is some days old, and an operator who types. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, onTestFinished } from "vitest";
import type { ConfigurationDocument } from "../../lambda/configuration/configuration.ts";
import { Account } from "../infra/account.ts";
import { document, orders } from "../infra/least-privilege-histories.ts";
import { roleStatements } from "../infra/role.ts";
import { isFull } from "../sizes.ts";
import { nowOf, typed, type Typed } from "./binary.ts";
import { anything } from "./fleet.ts";

/** What others than the configuration may enrol. */
export const open = { taggedAliases: ["alias/team-*"] };

/** For a file's tests that change nothing in it: made when the first one asks for it. */
export function shared(make: () => Promise<Account>): () => Promise<Account> {
  let made: Promise<Account> | undefined;
  afterAll(async () => (await made)?.close());
  return () => (made ??= make());
}

export const deployedYoung = (): Promise<Account> => deployedFor(2, open);

/** An account in which so many days have passed since its one managed key was enrolled. */
export async function after(
  days: number,
  more: Partial<ConfigurationDocument> = {},
): Promise<Account> {
  const account = await deployedFor(days, more);
  onTestFinished(() => account.close());
  return account;
}

export async function deployedFor(
  days: number,
  more: Partial<ConfigurationDocument> = {},
): Promise<Account> {
  const deployed = { document: { ...document, ...more } };
  // What the function may do is for least-privilege.test.ts; to synthesize it takes seconds.
  const statements = isFull ? roleStatements(deployed) : [anything];
  const account = await Account.deployed(deployed, statements);
  account.makeKey(orders);
  await account.passDays(days);
  return account;
}

export const type = (account: Account, ...args: string[]): Promise<Typed> =>
  typed(account, [...args, ...nowOf(account)], { COLUMNS: "120" });

/** Ids of requests sort by the second of their making, and by chance within one. */
export const nextSecond = (): Promise<void> => sleep(1000 - (Date.now() % 1000));
