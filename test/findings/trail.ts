/** Refused uses in an account of the embedded AWS, and the trail that delivers them to the second function. */
import { expect } from "vitest";
import { createTable } from "../../lambda/aws/dynamodb.ts";
import { Trail } from "../histories/refused-trail.ts";
import { Collector } from "../../lambda/refusals/collect.ts";
import type { Account } from "../infra/account.ts";
import { account as accountId, region, tableName } from "../infra/role.ts";

/** From now on the account has a trail, and the second function, without its role: other tests prove its rights. */
export function startTrail(account: Account): void {
  const collector = new Collector(
    createTable(tableName, account.sdk("operator")),
    () => account.clock.nowMs(),
    (alias) => alias,
  );
  account.trail = new Trail(account.aws, (events) => {
    const messages = events.map((event, at) => ({ id: String(at), body: JSON.stringify(event) }));
    return collector.collect(messages, { accountId, region });
  });
}

/** A caller that has only this right calls KMS, which refuses it. */
export function refused(
  { aws, policies }: Account,
  principalArn: string,
  right: object,
  operation: string,
  input: object,
): void {
  const Statement = [{ Effect: "Allow", Action: "kms:*", Resource: "*", ...right }];
  policies.attach(principalArn, [JSON.stringify({ Version: "2012-10-17", Statement })]);
  expect(() => aws.kms.call(operation, input, { principalArn })).toThrow();
}
