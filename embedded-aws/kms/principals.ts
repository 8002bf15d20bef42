/** The names with which a policy or a grant identifies a principal. */
import type { Caller } from "./types.ts";

const arnPattern = /^arn:aws:(?:iam|sts)::(\d{12}):(.+)$/;
const sessionPattern = /^assumed-role\/([^/]+)\//;

/** Its ARN, its assumed role, its account, and `*`. */
export function principalNames(caller: Caller): string[] {
  const names = [caller.principalArn, "*"];
  const [, account, resource = ""] = arnPattern.exec(caller.principalArn) ?? [];
  if (account === undefined) return names;
  names.push(account, `arn:aws:iam::${account}:root`);
  const role = sessionPattern.exec(resource)?.[1];
  if (role !== undefined) names.push(`arn:aws:iam::${account}:role/${role}`);
  return names;
}

/** The names of only its account; for the root user they are its own. */
export function accountNames({ principalArn }: Caller): string[] {
  const account = accountOf(principalArn);
  const root = `arn:aws:iam::${account}:root`;
  return account === undefined || principalArn === root ? [] : [account, root];
}

/** A grant names one principal; a wildcard matches none. */
export function isPrincipal(caller: Caller, name: string): boolean {
  return name !== "*" && principalNames(caller).includes(name);
}

export function accountOf(principalArn: string): string | undefined {
  return arnPattern.exec(principalArn)?.[1];
}
