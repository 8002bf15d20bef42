/** The second function with only its role's rights: they suffice, and each one is needed. */
import { describe, expect, onTestFinished, test } from "vitest";
import { AwsError } from "../../embedded-aws/http/aws-error.ts";
import { IdentityPolicies } from "../../embedded-aws/iam/identity-policies.ts";
import { authorizeService } from "../../embedded-aws/iam/service-requests.ts";
import { Account } from "./account.ts";
import { deployed, end, play, type Ended } from "./collector-account.ts";
import {
  account,
  actionsOf,
  collectorArn,
  collectorRoleStatements,
  policyOf,
  region,
  roleStatements,
  tableName,
  type RoleStatement,
} from "./role.ts";

const leadingKeys = "dynamodb:LeadingKeys";
const likeAll = "ForAllValues:StringLike";

/** The final state with these rights of the second role, and the requests that they do not allow. */
async function withRights(
  statements: RoleStatement[],
): Promise<{ ended: Ended; refused: string[] }> {
  const there = await Account.deployed(deployed, roleStatements(deployed));
  onTestFinished(() => there.close());
  there.policies.attach(collectorArn, [policyOf(statements)]);
  const ended = await play(there);
  return { ended, refused: there.policies.refused };
}

function partitionsOf({ Condition }: RoleStatement): string[] {
  return [Condition?.[likeAll]?.[leadingKeys] ?? []].flat() as string[];
}

/** Each statement without one of its actions, or one of its partitions. */
function lesser(statements: RoleStatement[]): [what: string, statements: RoleStatement[]][] {
  return statements.flatMap((statement) => {
    const instead = (changes: Partial<RoleStatement>): RoleStatement[] =>
      statements.map((one) => (one === statement ? { ...one, ...changes } : one));
    const actions = actionsOf(statement);
    const partitions = partitionsOf(statement);
    return [
      ...actions.map((action): [string, RoleStatement[]] => {
        return [action, instead({ Action: actions.filter((one) => one !== action) })];
      }),
      ...partitions.map((partition): [string, RoleStatement[]] => {
        const kept = { [leadingKeys]: partitions.filter((one) => one !== partition) };
        const Condition = { ...statement.Condition, [likeAll]: kept };
        return [`${actions.join()} of ${partition}`, instead({ Condition })];
      }),
    ];
  });
}

test("with the rights of both roles no request is denied, and refused uses are reported", async () => {
  const { ended, refused } = await withRights(collectorRoleStatements(deployed));
  expect(refused).toEqual([]);
  expect(ended).toEqual(end);
});

test("removing any one action, or any one partition, fails it", async () => {
  const unneeded: string[] = [];
  const each = lesser(collectorRoleStatements(deployed));
  for (const [what, statements] of each) {
    const { ended } = await withRights(statements);
    if (JSON.stringify(ended) === JSON.stringify(end)) unneeded.push(what);
  }
  expect(unneeded).toEqual([]);
  expect(each.map(([what]) => what)).toHaveLength(7 + 4);
});

describe("the second role", () => {
  function mayDo(operation: string, input: object): boolean {
    const identityPolicies = new IdentityPolicies();
    identityPolicies.attach(collectorArn, [policyOf(collectorRoleStatements(deployed))]);
    const request = { service: "dynamodb", operation, principalArn: collectorArn, input } as const;
    try {
      authorizeService({ identityPolicies, region, account }, request);
      return true;
    } catch (error) {
      if (error instanceof AwsError && error.code === "AccessDeniedException") return false;
      throw error;
    }
  }

  const of = (pk: string) => ({ pk: { S: pk }, sk: { S: "record" } });
  const read = (pk: string) => ({ TableName: tableName, Key: of(pk) });
  const write = (pk: string) => ({ TableName: tableName, Item: of(pk) });
  const ours = ["key#alias/orders", "kms#1234", "refused#alias/orders", "refused#"];
  const others = ["request#alias/orders", "canary", "run", "audit", "configuration#1"];

  test("reads bindings, records and refused uses, and nothing else", () => {
    expect([...ours, ...others].filter((pk) => mayDo("GetItem", read(pk)))).toEqual(ours);
  });

  test("writes refused uses and their watch, and nothing else", () => {
    const writable = [...ours, ...others].filter((pk) => mayDo("PutItem", write(pk)));
    expect(writable).toEqual(["refused#alias/orders", "refused#"]);
    expect(mayDo("UpdateItem", read("refused#alias/orders"))).toBe(false);
    expect(mayDo("DeleteItem", read("refused#alias/orders"))).toBe(false);
  });

  test("reads and writes no item without naming it", () => {
    const { Item } = write("key#alias/orders");
    const batch = { RequestItems: { [tableName]: [{ PutRequest: { Item } }] } };
    const keys = { RequestItems: { [tableName]: { Keys: [of("key#alias/orders")] } } };
    expect(mayDo("PutItem", { TableName: tableName })).toBe(false);
    expect(mayDo("GetItem", { TableName: tableName })).toBe(false);
    expect(mayDo("BatchWriteItem", batch)).toBe(false);
    expect(mayDo("BatchGetItem", keys)).toBe(false);
    expect(mayDo("Query", { TableName: tableName })).toBe(false);
    expect(mayDo("Scan", { TableName: tableName })).toBe(false);
    const put = { TableName: tableName, Item: of("key#alias/orders") };
    expect(mayDo("TransactWriteItems", { TransactItems: [{ Put: put }] })).toBe(false);
  });
});
