/** The conditions that the printed command of every finding must meet, in every situation. */
import { expect, onTestFinished } from "vitest";
import type { Finding, FindingCode } from "../../lambda/workflow/model/findings.ts";
import { effects } from "../../lambda/workflow/model/findings.ts";
import { Account } from "../infra/account.ts";
import { startTrail } from "./trail.ts";
import { documentOf, orders, type Situation } from "./situation.ts";
import { onlyShows, run } from "./typing.ts";

/** A role that may do everything: other tests check what IAM allows. */
const everything = [{ Effect: "Allow" as const, Action: "*", Resource: "*" }];

export async function enter(situation: Situation): Promise<Account> {
  const { watchDrain = false, watchRefusals = false, first = {}, happens } = situation;
  const watch = { watchDrain, watchRefusals };
  const account = await Account.deployed({ document: documentOf(situation), ...watch }, everything);
  onTestFinished(() => account.close());
  if (watchRefusals) startTrail(account);
  await happens(account, first === "none" ? "" : account.makeKey(orders, first));
  return account;
}

/** From the record of the managed key, or from the findings that the run reported. */
export async function found(account: Account, code: FindingCode): Promise<Finding> {
  const all = [...(await account.findings(orders)), ...account.findingsReported];
  const finding = all.find((one) => one.code === code);
  expect(all.map((one) => one.code)).toContain(code);
  if (finding === undefined) throw new Error(`${code} was not reported`);
  expect(finding.next).not.toMatch(/<[^>]*>/);
  return finding;
}

/** The command runs as printed, and changes no key, no alias and no request. */
export async function showsOnly(account: Account, { next }: Finding): Promise<void> {
  expect(onlyShows(next), next).toBe(true);
  const before = account.aws.kms.snapshot();
  await run(account, next, () => undefined);
  expect(account.aws.kms.snapshot()).toEqual(before);
}

/** Aliases on keys that are not Enabled: neither a command nor a run after it may add one. */
function stranded(account: Account): string[] {
  return [...account.aws.kms.world.aliases.values()]
    .filter(({ keyId }) => account.stateOf(keyId) !== "Enabled")
    .map(({ name, keyId }) => `${name} on ${keyId}`);
}

async function haltsOf(account: Account): Promise<string[]> {
  const findings = await account.findings(orders);
  return findings.filter(({ code }) => effects[code] === "halt").map(({ code }) => code);
}

async function readOf(account: Account): Promise<string> {
  return JSON.stringify([account.targetOf(orders), await account.states(orders)]);
}

/** The command runs as printed; the finding ends, no alias is stranded, and the managed key continues. */
export async function putsRight(
  account: Account,
  code: FindingCode,
  { then }: Situation,
): Promise<void> {
  expect(await isThere(account, code), `${code} is reported`).toBe(true);
  const before = stranded(account);
  const check = (): void => {
    expect(stranded(account).filter((one) => !before.includes(one))).toEqual([]);
  };
  account.afterInvocation = check;
  // The first of two commands shows a proposal, the second one writes it.
  for (let typed = 0; typed < 2 && (await isThere(account, code)); typed++) {
    const { next } = await found(account, code);
    expect(onlyShows(next), next).toBe(false);
    await run(account, next, check);
    await account.passDays(0.3);
  }
  expect(await haltsOf(account)).toEqual([]);
  expect(await isThere(account, code)).toBe(false);
  await then?.(account);
  const rested = await readOf(account);
  for (let day = 0; day < 11 && (await readOf(account)) === rested; day++) {
    await account.passDays(1);
  }
  expect(await readOf(account)).not.toBe(rested);
}

async function isThere(account: Account, code: FindingCode): Promise<boolean> {
  return (await account.findings(orders)).some((one) => one.code === code);
}
