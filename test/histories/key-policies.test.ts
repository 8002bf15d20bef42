/** Whole histories of keys by their key policies: from enrolment until the first version is deleted. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { policyBytesMax } from "../../lambda/workflow/model/limits.ts";
import type { Policy } from "../../lambda/workflow/model/types.ts";
import { short } from "./short-policy.ts";
import { aWorld, type World } from "../world.ts";

const orders = "alias/orders";
const root = "arn:aws:iam::000000000000:root";
const delegate = { Effect: "Allow", Principal: { AWS: root }, Action: "kms:*", Resource: "*" };

function documentOf(...statements: object[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: [delegate, ...statements] });
}

/** Many short statements, for which KMS needs much white space; `letter` fills up the rest. */
function ofBytes(bytes: number, letter = "x"): string {
  const statements = Array.from({ length: 150 }, (_, index) => ({
    Sid: `s${index}`,
    Effect: "Allow",
    Principal: { AWS: [root] },
    Action: ["kms:DescribeKey"],
    Resource: "*",
  }));
  const left = bytes - Buffer.byteLength(documentOf(...statements, { ...delegate, Sid: "" }));
  const Sid =
    letter.repeat(left / Buffer.byteLength(letter)) + "x".repeat(left % Buffer.byteLength(letter));
  return documentOf(...statements, { ...delegate, Sid });
}

function withPolicy(Policy: string, policy: Partial<Policy> = {}): Promise<World> {
  return aWorld({ policy: { ...short, ...policy }, keys: { [orders]: { Policy } } });
}

async function policyOf(world: World, KeyId: string): Promise<string> {
  return (await world.ask<{ Policy: string }>("GetKeyPolicy", { KeyId })).Policy;
}

/** The first version is replaced, and deleted; nothing is reported. */
async function rotates(world: World): Promise<string> {
  const first = await world.targetOf(orders);
  await world.passDays(42);
  const second = await world.targetOf(orders);
  expect(second).not.toBe(first);
  expect(await world.stateOf(first)).toBe("deleted");
  expect(await world.findings()).toEqual([]);
  return second;
}

/** keyturn reports it within a day of enrolment, creates no key, and enrols nothing. */
async function isReported(world: World, code: string): Promise<string> {
  await world.passDays(1);
  const { findings, enrolledAtMs } = await world.record();
  expect(findings.map((one) => one.code)).toEqual([code]);
  expect(enrolledAtMs).toBeUndefined();
  await world.passDays(30);
  expect(await world.findings()).toEqual([code]);
  expect(world.kms.world.keys.size).toBe(1);
  return findings[0]?.observed ?? "";
}

describe("a key policy of nearly 32 KB", () => {
  test.each([
    ["at the limit", ofBytes(policyBytesMax)],
    ["at the limit, with characters of two bytes", ofBytes(policyBytesMax, "\u00e9")],
    ["a little below it", ofBytes(policyBytesMax - 8)],
  ])("is returned longer than KMS accepts, and the key rotates: %s", async (_, document) => {
    const world = await withPolicy(document);
    const first = await policyOf(world, await world.targetOf(orders));
    expect(Buffer.byteLength(first)).toBeGreaterThan(policyBytesMax);
    expect(await policyOf(world, await rotates(world))).toBe(first);
  });

  const statement = { originate: "alias-only" } as const;
  /** The bytes that keyturn's own statement adds, for this alias. */
  const added = 221;

  test("has room for keyturn's own statement, and the key rotates", async () => {
    const document = ofBytes(policyBytesMax - added);
    const world = await withPolicy(document, statement);
    const second = await policyOf(world, await rotates(world));
    expect(Buffer.byteLength(JSON.stringify(JSON.parse(second)))).toBe(policyBytesMax);
  });

  test.each([
    ["by a byte", ofBytes(policyBytesMax - added + 1), policyBytesMax + 1],
    ["in bytes, not in characters", ofBytes(policyBytesMax, "\u00e9"), policyBytesMax + added],
  ])("has no room for it, which keyturn reports at enrolment: %s", async (_, document, bytes) => {
    const world = await withPolicy(document, statement);
    const observed = await isReported(world, "ALIAS_ONLY_UNFIT");
    expect(observed).toContain(`its key policy would have ${bytes} bytes`);
  });
});

describe("a key policy with unusual text", () => {
  test.each([
    [
      "characters that KMS accepts only as escapes",
      documentOf({ ...delegate, Sid: "?" }).replace("?", "\\u4e2d \\ud83d\\udd11"),
    ],
    [
      "the text KeyturnAliasOnly in a Sid",
      documentOf({ ...delegate, Sid: "NotKeyturnAliasOnlyish" }),
    ],
    [
      "the text KeyturnAliasOnly in a condition",
      documentOf({
        ...delegate,
        Condition: { StringEquals: { "aws:PrincipalTag/KeyturnAliasOnly": "a" } },
      }),
    ],
    [
      "the text KeyturnAliasOnly in a principal",
      documentOf({
        ...delegate,
        Principal: { AWS: "arn:aws:iam::000000000000:role/KeyturnAliasOnly" },
      }),
    ],
  ])("is copied: %s", async (_, document) => {
    const world = await withPolicy(document);
    const first = await policyOf(world, await world.targetOf(orders));
    expect(await policyOf(world, await rotates(world))).toBe(first);
  });

  test("is not copied if KMS returns two members of one name", async () => {
    const world = await withPolicy(documentOf());
    const key = world.kms.world.keys.get(await world.targetOf(orders));
    if (key === undefined) throw new Error("a key was expected");
    key.policy.text = key.policy.text.replace("{", '{ "Statement" : [ ],');
    expect(await isReported(world, "POLICY_NOT_CARRIED")).toContain("two members of one name");
  });
});

describe("a key that AWS services use, by its key policy", () => {
  const used = (statement: object): string =>
    documentOf({ ...delegate, Sid: "Used", Action: ["kms:Encrypt", "kms:Decrypt"], ...statement });
  const everybody = { Principal: { AWS: "*" } };
  const folder = join(import.meta.dirname, "../cases");
  const onlyViaS3 = readFileSync(join(folder, "key-policy-deny-unless-via-service.json"), "utf8");

  test.each([
    [
      "Deny unless kms:ViaService",
      onlyViaS3,
      "OnlyViaS3 of its key policy has the condition key kms:ViaService",
    ],
    [
      "aws:SourceArn",
      used({
        Principal: { Service: "cloudtrail.amazonaws.com" },
        Condition: { ArnLike: { "aws:SourceArn": "arn:aws:cloudtrail:*:000000000000:trail/*" } },
      }),
      "Used of its key policy names the service cloudtrail.amazonaws.com",
    ],
    [
      "the encryption context of S3",
      used({
        ...everybody,
        Condition: { StringLike: { "kms:EncryptionContext:aws:s3:arn": "*" } },
      }),
      "Used of its key policy has the condition key kms:EncryptionContext:aws:s3:arn",
    ],
    [
      "grants for resources of AWS",
      used({ Sid: "", Condition: { Bool: { "kms:GrantIsForAWSResource": "true" } } }),
      "statement 2 of its key policy has the condition key kms:GrantIsForAWSResource",
    ],
  ])("keeps alias-only from enrolling it: %s", async (_, document, why) => {
    const world = await withPolicy(document, { originate: "alias-only" });
    expect(await isReported(world, "ALIAS_ONLY_UNFIT")).toContain(why);
    const observing = { ...world.configuration.policies.quarterly, originate: "observe" };
    world.configuration = { ...world.configuration, policies: { quarterly: observing as Policy } };
    await world.tick();
    await rotates(world);
  });
});
