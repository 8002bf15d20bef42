import { describe, expect, test } from "vitest";
import {
  canBeAccepted,
  isApproved,
  listed,
  needsOf,
  openNeeds,
} from "../../lambda/workflow/safety/needs.ts";
import { requiredApproval } from "../../lambda/workflow/requests/required-approval.ts";
import { serviceOf } from "../../lambda/workflow/model/principals.ts";
import type { Approval, Grant } from "../../lambda/workflow/model/types.ts";
import {
  aContext,
  anApproval,
  absent,
  allObserved,
  aRecord,
  aRotation,
  aVersion,
  lastUsedAtMs,
  nowMs,
} from "./scene.ts";

const role = "arn:aws:iam::000000000000:role/app";
const ebs: Grant = {
  grantId: "b0",
  grantee: "arn:aws:sts::000000000000:assumed-role/aws:ec2-infrastructure/i-0abc",
  operations: ["Decrypt"],
};
const grants = (...ids: string[]) => ids.map((grantId) => ({ ...ebs, grantId }));
const idsOf = (of: Grant[]) => needsOf(of).map(({ id }) => id);

describe("the needs of a version", () => {
  test("are in the order of their ids, in whatever order KMS lists the grants", () => {
    const sorted = ["grant:b0", "grant:b1", "grant:b2"];
    expect(idsOf(grants("b2", "b0", "b1"))).toEqual(sorted);
    expect(idsOf(grants("b0", "b1", "b2"))).toEqual(sorted);
    expect(idsOf(grants("b1", "b2", "b0"))).toEqual(sorted);
  });

  test("can all be accepted up to twenty; the next one stands for all others", () => {
    const ids = Array.from({ length: 21 }, (_, index) => `b${10 + index}`);
    const twenty = needsOf(grants(...ids.slice(0, 20)));
    expect(twenty).toHaveLength(20);
    expect(canBeAccepted(twenty)).toBe(true);
    const more = needsOf(grants(...ids));
    expect(more.at(-1)).toMatchObject({ id: "grants:others" });
    expect(canBeAccepted(more)).toBe(false);
  });

  test("are shown with all operations, and with the names of the context, sorted", () => {
    const encryptionContextEquals = { "aws:s3:arn": "x", "aws:account": "y" };
    const constraints = { encryptionContextEquals, encryptionContextSubset: { "aws:ebs:id": "z" } };
    const [need] = needsOf([{ ...ebs, operations: ["Decrypt", "CreateGrant"], constraints }]);
    expect(need?.state).toBe(
      `${ebs.grantee} may Decrypt, CreateGrant (encryption context keys: aws:account, aws:ebs:id, aws:s3:arn)`,
    );
    expect(needsOf([ebs])[0]?.state).toBe(`${ebs.grantee} may Decrypt`);
  });

  test("cannot name the id of another need: the maker of a grant chooses the names of its context", () => {
    const forged = "x; refused:1|arn:aws:iam::000000000000:role/victim|Decrypt|AccessDenied: y";
    const constraints = { encryptionContextSubset: { [forged]: "1" } };
    const needs = needsOf([{ ...ebs, constraints }]);
    const observed = `to delete version 1, key-1: last use never${listed(needs)}; evidence ${"0".repeat(64)}`;
    const asked = requiredApproval({ code: "APPROVAL_REQUIRED", observed });
    expect(asked?.accepts).toEqual([`grant:${ebs.grantId}`]);
  });

  test("are listed one after the other in a finding", () => {
    const [first, second] = needsOf(grants("b0", "b1"));
    if (first === undefined || second === undefined) throw new Error("not two needs");
    expect(listed([first, second])).toBe(`; grant:b0: ${first.state}; grant:b1: ${second.state}`);
    expect(listed([])).toBe("");
  });

  test("are none where the key is deleted", () => {
    const record = aRecord();
    const observed = allObserved(record, { grants: { "key-1": absent } });
    const scene = { record, observed, context: aContext() };
    expect(openNeeds(scene, aVersion(1), aRotation(), "delete")).toEqual([]);
  });
});

describe("a grant is for an AWS service", () => {
  test.each<[what: string, grant: Partial<Grant>]>([
    ["its grantee", { grantee: "s3.c2s.ic.gov", granteeIsService: true }],
    ["its retiring principal", { retiring: "s3.c2s.ic.gov", retiringIsService: true }],
  ])("by %s, in a partition whose service names differ", (_what, grant) => {
    expect(serviceOf({ ...ebs, grantee: role, ...grant })).toBe("s3.c2s.ic.gov");
  });

  test.each<[what: string, grant: Partial<Grant>]>([
    ["a customer's role", {}],
    ["a role that is named after a service", { grantee: `${role}-s3.amazonaws.com-reader` }],
    ["two roles", { retiring: role }],
  ])("and not by %s", (_what, grant) => {
    expect(serviceOf({ ...ebs, grantee: role, ...grant })).toBeUndefined();
  });
});

describe("an approval", () => {
  const approval: Approval = anApproval({ evidence: "h", of: "delete" });
  const lastUse = { kind: "used" as const, atMs: lastUsedAtMs, operation: "Sign" };
  const evidence = { observedAtMs: nowMs, hash: "h", lastUse };

  test("is for the evidence that it names", () => {
    expect(isApproved({ approval }, evidence, "delete")).toBe(true);
    expect(isApproved({ approval }, { ...evidence, hash: "h2" }, "delete")).toBe(false);
    expect(isApproved({}, evidence, "delete")).toBe(false);
  });

  test("of no evidence is none, also where KMS shows none", () => {
    const blank = { ...approval, evidence: "" };
    expect(isApproved({ approval: blank }, { ...evidence, hash: "" }, "delete")).toBe(false);
    expect(isApproved({ approval: blank }, { ...evidence, hash: "" }, "disable")).toBe(false);
  });

  test("that overrides the evidence never serves for a deletion", () => {
    const overriding = { ...approval, evidence: "", override: true };
    expect(isApproved({ approval: overriding }, evidence, "delete")).toBe(false);
    expect(isApproved({ approval: overriding }, evidence, "disable")).toBe(true);
  });
});
