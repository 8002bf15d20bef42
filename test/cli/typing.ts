/** An account with a managed key of some days, and an operator who types commands. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, onTestFinished } from "vitest";
import type { ConfigurationDocument } from "../../lambda/configuration/configuration.ts";
import { Account } from "../infra/account.ts";
import { document, orders } from "../infra/least-privilege-histories.ts";
import { roleStatements } from "../infra/role.ts";
import { isFull } from "../sizes.ts";
import { startTrail } from "../findings/trail.ts";
import { nowOf, typed, type Typed } from "./binary.ts";
import { anything } from "./fleet.ts";

/** Allows enrolment by request. */
export const open = { taggedAliases: ["alias/team-*"] };

/** For tests that do not change the account: the first one makes it. */
export function shared(make: () => Promise<Account>): () => Promise<Account> {
  let made: Promise<Account> | undefined;
  afterAll(async () => (await made)?.close());
  return () => (made ??= make());
}

export const deployedYoung = (): Promise<Account> => deployedFor(2, open);

/** An account some days after the enrolment of its one managed key. */
export async function after(
  days: number,
  more: Partial<ConfigurationDocument> = {},
  watchRefusals = false,
): Promise<Account> {
  const account = await deployedFor(days, more, watchRefusals);
  onTestFinished(() => account.close());
  return account;
}

export async function deployedFor(
  days: number,
  more: Partial<ConfigurationDocument> = {},
  watchRefusals = false,
): Promise<Account> {
  const deployed = { document: { ...document, ...more }, ...(watchRefusals && { watchRefusals }) };
  // least-privilege.test.ts tests the permissions; synthesis takes seconds.
  const statements = isFull ? roleStatements(deployed) : [anything];
  const account = await Account.deployed(deployed, statements);
  if (watchRefusals) startTrail(account);
  account.makeKey(orders);
  await account.passDays(days);
  return account;
}

export const type = (account: Account, ...args: string[]): Promise<Typed> =>
  typed(account, [...args, ...nowOf(account)], { COLUMNS: "120" });

/** Ids of requests sort by the second, and at random within one. */
export const nextSecond = (): Promise<void> => sleep(1000 - (Date.now() % 1000));
