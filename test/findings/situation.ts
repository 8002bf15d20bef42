/** A situation that leads to a finding: the deployment, and the events until keyturn reports it. */
import type { ConfigurationDocument } from "../../lambda/configuration/configuration.ts";
import type { Account } from "../infra/account.ts";

export const orders = "alias/orders";
export const stranger = "arn:aws:iam::000000000000:role/stranger";

type PolicyDocument = ConfigurationDocument["policies"][string];

export type Situation = {
  /** The state of the world, for the test title. */
  is: string;
  policy?: PolicyDocument;
  managedKeys?: ConfigurationDocument["managedKeys"];
  taggedAliases?: string[];
  watchDrain?: boolean;
  watchRefusals?: boolean;
  /** The input of CreateKey for the first version; "none" where the situation makes the keys itself. */
  first?: object | "none";
  happens: (account: Account, first: string) => Promise<void> | void;
  /** Whether its command changes something, or only shows facts to the operator. */
  command: "changes" | "shows";
  /** The action of an external actor after the command, if the situation would otherwise last. */
  then?: (account: Account) => Promise<void> | void;
};

/**
 * Opens on day 8, drained on day 10, soaked on day 12, deleted on day 19; every 8 days the next
 * version becomes active.
 */
export const policy = {
  cryptoperiod: "10d",
  lead: "2d",
  drain: { atLeast: "2d", quietFor: "1d" },
  soak: "2d",
  deletionWindowDays: 7,
  retire: "delete",
} as const;

export function documentOf({
  policy: changes,
  managedKeys,
  taggedAliases,
}: Situation): ConfigurationDocument {
  return {
    owner: "acme",
    policies: { short: { ...policy, ...changes } },
    managedKeys: managedKeys ?? [{ alias: orders, policy: "short" }],
    ...(taggedAliases === undefined ? {} : { taggedAliases }),
  };
}

export function pointAt(account: Account, AliasName: string, TargetKeyId: string): void {
  account.ask("UpdateAlias", { AliasName, TargetKeyId });
}

export function encrypt(account: Account, KeyId: string): string {
  const Plaintext = Buffer.from("a");
  return account.ask<{ CiphertextBlob: string }>("Encrypt", { KeyId, Plaintext }).CiphertextBlob;
}

/** An application tries to use a disabled key, and CloudTrail's event reaches the function. */
export async function attempt(account: Account, KeyId: string): Promise<void> {
  try {
    encrypt(account, KeyId);
  } catch {
    await account.invoke(account.aws.useAttempts.at(-1));
  }
}

/** From now on KMS answers this to an operation; a 4xx is a definite refusal. */
export function answers(account: Account, asked: string, code: string, status = 400): void {
  account.aws.fault = (_service, operation, _input) =>
    operation === asked ? { kind: "before", code, status } : undefined;
}

export function tag(account: Account, KeyId: string, tags: Record<string, string>): void {
  const Tags = Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
  account.ask("TagResource", { KeyId, Tags });
}

/** The key itself: only AWS can set a CloudFormation tag. */
export function keyOf(account: Account, keyId: string) {
  const key = account.aws.kms.world.keys.get(keyId);
  if (key === undefined) throw new Error(`no key ${keyId}`);
  return key;
}

export async function redeploy(
  account: Account,
  changes: Partial<ConfigurationDocument>,
  days = 1,
): Promise<void> {
  account.deployAgain({
    document: { ...documentOf({ is: "", command: "shows", happens: () => undefined }), ...changes },
  });
  await account.passDays(days);
}

/** As RDS holds one for an encrypted instance. */
export function grantToService(account: Account, KeyId: string): void {
  const GranteePrincipal = "rds.amazonaws.com";
  account.ask("CreateGrant", { KeyId, GranteePrincipal, Operations: ["Decrypt", "CreateGrant"] });
}
