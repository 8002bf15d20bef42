/** An account whose callers KMS refuses, with a managed key whose policy deletes old versions. */
import { expect } from "vitest";
import { requiredApproval } from "../../lambda/workflow/requests/required-approval.ts";
import { dayMs } from "../fixtures.ts";
import { aDeployment, orders, type Deployed } from "./deployed.ts";

export const account = "000000000000";
const policy = {
  cryptoperiod: "30d",
  drain: { atLeast: "1d", quietFor: "1d" },
  soak: "1d",
  retire: "delete",
};
const startMs = Date.UTC(2027, 0, 1);
/** Version 1 drains from day 27 on, and its deletion waits for an approval from day 31 on. */
export const moved = startMs + 28 * dayMs;
export const asked = startMs + 33 * dayMs;
export const reader = `arn:aws:iam::${account}:role/reader`;

export type Caller = { Condition?: object; Resource?: string | string[] };

export async function anAccount(more: Parameters<typeof aDeployment>[2] = {}) {
  const deployed = await aDeployment(policy, {}, { refusalsWatch: "cloudtrail", ...more });
  const { aws, ask, first } = deployed;
  const allow = (principalArn: string, { Resource = "*", ...rest }: Caller) => {
    const Action = ["kms:Encrypt", "kms:Decrypt", "kms:GetPublicKey"];
    const Statement = [{ Effect: "Allow", Action, Resource, ...rest }];
    const document = JSON.stringify({ Version: "2012-10-17", Statement });
    aws.kms.world.identityPolicies.attach(principalArn, [document]);
  };
  const refused = (operation: string, input: object, principalArn = reader): void => {
    expect(() => ask(operation, input, { principalArn })).toThrow();
  };
  const Plaintext = Buffer.from("data").toString("base64");
  const { CiphertextBlob } = ask<{ CiphertextBlob: Uint8Array }>("Encrypt", {
    KeyId: first,
    Plaintext,
  });
  const read = { CiphertextBlob: Buffer.from(CiphertextBlob).toString("base64") };
  const stateOf = (keyId: string) => aws.kms.world.keys.get(keyId)?.state;
  return { ...deployed, allow, refused, read, Plaintext, stateOf };
}

export type Account = Awaited<ReturnType<typeof anAccount>>;

export async function findings(record: Deployed["record"]): Promise<Record<string, string>> {
  const { findings: found = [] } = (await record()) ?? {};
  return Object.fromEntries(found.map(({ code, observed }) => [code, observed]));
}

/** An operator approves of what the finding of a deletion asks for; `accepting`: also of the needs that it lists. */
export async function approve(
  { record, state, clock }: Account,
  accepting: boolean,
): Promise<void> {
  for (const finding of (await record())?.findings ?? []) {
    const { of, evidence, accepts } = requiredApproval(finding) ?? {};
    if (of !== "delete" || evidence === undefined) continue;
    const body = { kind: "approve", version: 1, of, evidence, by: "ada" };
    const more = accepting ? { accepts } : {};
    await state.ask(orders, `approval-${clock.nowMs()}`, { ...body, ...more });
  }
}
