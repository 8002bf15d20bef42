/**
 * The cost of retired versions that a policy keeps. Synthesis and `keyturn plan` report it. No file of the function's
 * package may import this one.
 */
import { dayMs } from "../workflow/model/limits.ts";
import type { Policy } from "../workflow/model/types.ts";

/** The monthly price of a KMS key of any kind, also of a disabled one; none while pending deletion (AWS KMS pricing). */
export const usdPerKeyMonth = 1;

/** The KMS keys of one account in one Region, whatever their state (KMS developer guide, resource-limits). */
export const keysPerRegion = 100_000;

/** A smaller monthly cost, after five years, is not worth a message. */
const reportedFromUsd = 100;

/** Later than this, other keys of the account decide when the quota is reached. */
const foreseenYears = 10;

export type KeptPolicy = Pick<Policy, "retire" | "cryptoperiodMs" | "leadMs" | "propagationMs">;

export type KeptVersions = {
  /** The values of `retire` that keep a retired version, of those in use. */
  retire: string[];
  managedKeys: number;
  versionsAYear: number;
  monthlyUsd: { afterOneYear: number; afterFiveYears: number };
  /** Absent if these keys alone reach the quota in none of the first ten years. */
  quotaReachedInYear?: number;
};

/**
 * Of managed keys with these policies, one each. `keysNow`: their KMS keys, retired ones included. Undefined where the
 * cost is trivial. A version that is deleted counts for some months only, and not at all here.
 */
export function keptVersions(
  policies: KeptPolicy[],
  keysNow = policies.length,
): KeptVersions | undefined {
  const keeping = policies.filter(({ retire }) => retire !== "delete");
  const perYear = keeping.reduce((sum, policy) => sum + rotationsAYear(policy), 0);
  const usdAfter = (years: number): number => Math.round(years * perYear * usdPerKeyMonth);
  if (usdAfter(5) < reportedFromUsd) return undefined;
  const yearsLeft = Math.max(1, Math.ceil((keysPerRegion - keysNow) / perYear));
  return {
    retire: [...new Set(keeping.map(({ retire }) => retire))].sort(),
    managedKeys: keeping.length,
    versionsAYear: Math.round(perYear),
    monthlyUsd: { afterOneYear: usdAfter(1), afterFiveYears: usdAfter(5) },
    ...(yearsLeft <= foreseenYears ? { quotaReachedInYear: yearsLeft } : {}),
  };
}

/** A rotation opens this long before the end of the cryptoperiod, which begins at the activation. */
function rotationsAYear({ cryptoperiodMs, leadMs, propagationMs }: KeptPolicy): number {
  return (365 * dayMs) / (cryptoperiodMs - leadMs + propagationMs);
}

/** In one line. */
export function keptVersionsText(kept: KeptVersions): string {
  const { retire, managedKeys, versionsAYear, monthlyUsd, quotaReachedInYear } = kept;
  const values = retire.map((value) => `"${value}"`).join(" and ");
  const keeps = retire.length === 1 ? "keeps" : "keep";
  const keys = managedKeys === 1 ? "managed key retires" : "managed keys retire";
  const cost = `${usd(monthlyUsd.afterOneYear)} a month after one year, ${usd(monthlyUsd.afterFiveYears)} a month after five`;
  const quota =
    quotaReachedInYear === undefined
      ? ""
      : `; with these keys alone, the Region reaches the quota of ${count(keysPerRegion)} KMS keys in year ${quotaReachedInYear}`;
  return `retire: ${values} ${keeps} every retired version for ever, at ${usd(usdPerKeyMonth)} a month each: ${count(managedKeys)} ${keys} about ${count(versionsAYear)} a year, ${cost}${quota} (docs/policies.md#the-cost-of-retired-versions)`;
}

function usd(amount: number): string {
  return `$${count(amount)}`;
}

function count(amount: number): string {
  return amount.toLocaleString("en-US");
}
