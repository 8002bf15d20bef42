/** The names by which a policy or a grant can mean a principal. */
import type { Caller } from "./types.ts";

const arnPattern = /^arn:aws:(?:iam|sts)::(\d{12}):(.+)$/;
const sessionPattern = /^assumed-role\/([^/]+)\//;

/** Itself, the role that it has assumed, its account, and everybody. */
export function principalNames(caller: Caller): string[] {
  const names = [caller.principalArn, "*"];
  const [, account, resource = ""] = arnPattern.exec(caller.principalArn) ?? [];
  if (account === undefined) return names;
  names.push(account, `arn:aws:iam::${account}:root`);
  const role = sessionPattern.exec(resource)?.[1];
  if (role !== undefined) names.push(`arn:aws:iam::${account}:role/${role}`);
  return names;
}

/** The names of its account alone; the root user is meant by them itself. */
export function accountNames({ principalArn }: Caller): string[] {
  const account = accountOf(principalArn);
  const root = `arn:aws:iam::${account}:root`;
  return account === undefined || principalArn === root ? [] : [account, root];
}

/** A grant names one principal; nobody is meant by a wildcard. */
export function isPrincipal(caller: Caller, name: string): boolean {
  return name !== "*" && principalNames(caller).includes(name);
}

export function accountOf(principalArn: string): string | undefined {
  return arnPattern.exec(principalArn)?.[1];
}
