/**
 * The accounts, besides the key's own, that may use a key. AWS logs their refused calls in their
 * own account alone: keyturn never hears of them ("Allowing users in other accounts to use a KMS
 * key" in the KMS Developer Guide; "Logging AWS KMS API calls").
 */
import { allowed, mustEqual } from "../model/policy-document.ts";
import type { Grant } from "../model/types.ts";

/** The conditions that admit callers of some accounts alone. */
const byAccount = ["kms:calleraccount", "aws:principalaccount", "aws:sourceaccount"];

/** Whom a key policy admits. Sorted; `*` stands for any account. `arn` is the key's. */
export function accountsOfPolicy(document: string, arn: string): string[] {
  const admitted = allowed(document).flatMap(({ principals, condition }) => {
    const callers = byAccount.flatMap((key) => mustEqual(condition, key));
    return callers.length > 0 && principals.includes("*") ? callers : principals;
  });
  return others(admitted, arn);
}

/** Whom the grants of a key admit, and those accounts. */
export function withGrantees(accounts: string[], grants: Grant[], arn: string): string[] {
  return others([...accounts, ...grants.map(({ grantee }) => grantee)], arn);
}

function others(principals: string[], arn: string): string[] {
  const [, , , , own] = arn.split(":");
  const accounts = principals.flatMap((principal) => accountOf(principal) ?? []);
  return [...new Set(accounts)].filter((account) => account !== own).sort();
}

function accountOf(principal: string): string | undefined {
  if (principal === "*" || /^\d{12}$/.test(principal)) return principal;
  const account = principal.split(":")[4];
  return account === "" ? undefined : account;
}

export function accountsIn(sharedWith: string[]): string {
  if (sharedWith.includes("*")) return "callers of any account";
  return `callers of account ${sharedWith.join(", ")}`;
}
