/** Which requests to KMS share a connection: Lambda freezes idle ones, and KMS closes them meanwhile. */
import { expect, test } from "vitest";
import type { KeyServiceConfig } from "../../lambda/aws/kms.ts";
import type { Call } from "../../lambda/workflow/model/types.ts";
import { aWireLab, timesCalled, type WireLab } from "./sides.ts";

const handlers: [what: string, config: KeyServiceConfig][] = [
  ["by default", {}],
  ["with the limits of the deployed function", { requestHandler: { requestTimeout: 10_000 } }],
];

const changing = ["TagResource", "UntagResource", "DisableKey", "EnableKey"] as const;

async function changeAll({ keys, guard }: WireLab, keyId: string): Promise<string[]> {
  const calls: Call[] = [
    { kind: "TagResource", keyId, tags: { a: "b" } },
    { kind: "UntagResource", keyId, names: ["a"] },
    { kind: "DisableKey", keyId },
    { kind: "EnableKey", keyId },
  ];
  const outcomes: string[] = [];
  for (const call of calls) {
    await keys.describe(keyId);
    outcomes.push((await keys.change(call, guard())).kind);
  }
  return outcomes;
}

test.each(handlers)(
  "%s each changing call has its own connection, and reads share one",
  async (_, config) => {
    const lab = await aWireLab({}, config);
    const keyId = lab.aKey();
    const numbers: Record<string, number[]> = {};
    lab.aws.fault = (_service, operation, _input, { number }) => {
      (numbers[operation] ??= []).push(number);
      return undefined;
    };
    await changeAll(lab, keyId);
    const own = changing.flatMap((operation) => numbers[operation] ?? []);
    const [shared, ...others] = new Set(numbers["DescribeKey"]);
    expect(numbers["DescribeKey"]).toHaveLength(changing.length);
    expect(others).toEqual([]);
    expect(new Set([shared, ...own]).size).toBe(changing.length + 1);
  },
);

test.each(handlers)(
  "%s a connection that KMS closed between two calls leaves none without an answer",
  async (_, config) => {
    const lab = await aWireLab({}, config);
    const keyId = lab.aKey();
    lab.aws.fault = (_service, _operation, _input, { requests }) =>
      requests > 1 ? { kind: "drop" } : undefined;
    expect(await changeAll(lab, keyId)).toEqual(changing.map(() => "done"));
    expect(changing.map((operation) => timesCalled(lab.aws, operation))).toEqual([1, 1, 1, 1]);
    // A read is made again, on a new connection.
    expect(timesCalled(lab.aws, "DescribeKey")).toBeGreaterThan(changing.length);
  },
);
