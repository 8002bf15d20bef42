/** A situation that leads to a finding: the deployment, and what happens until the finding is reported. */
import type { ConfigurationDocument } from "../../lambda/configuration/configuration.ts";
import type { Account } from "../infra/account.ts";

export const orders = "alias/orders";
export const stranger = "arn:aws:iam::000000000000:role/stranger";

type PolicyDocument = ConfigurationDocument["policies"][string];

export type Situation = {
  /** The state of the world, as a sentence. */
  is: string;
  policy?: PolicyDocument;
  managedKeys?: ConfigurationDocument["managedKeys"];
  taggedAliases?: string[];
  watchDrain?: boolean;
  /** The input of CreateKey for the first version; "none" where the situation makes the keys itself. */
  first?: object | "none";
  happens: (account: Account, first: string) => Promise<void> | void;
  /** Whether its command changes something, or shows what an operator has to know. */
  command: "changes" | "shows";
  /** What an external actor does once the command ran, where the situation would otherwise last. */
  then?: (account: Account) => Promise<void> | void;
};

/**
 * Opens on day 8, drained on day 10, out of its soak on day 12, gone on day 19; the next version is
 * activated every 8 days.
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

/** Somebody tries to use a key that is out of use, and CloudTrail's event reaches the function. */
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

/** A CloudFormation tag, which nobody but AWS can set; and keys that are no longer there. */
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
