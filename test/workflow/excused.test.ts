/** The refusals of the active version that the move cannot have caused. */
import { describe, expect, test } from "vitest";
import { excused, predecessorOf } from "../../lambda/workflow/safety/excused.ts";
import { needsOfRefusals, readsOfRefusals } from "../../lambda/workflow/safety/refusals.ts";
import { nothingObserved } from "../../lambda/workflow/safety/observations.ts";
import type {
  Grant,
  ObservedState,
  RefusedUse,
  Version,
} from "../../lambda/workflow/model/types.ts";
import { dayMs } from "../fixtures.ts";
import { aUse, reader, refusalsOf, settledAtMs, soaked, usesOf } from "./refused.ts";
import {
  absent,
  aRecord,
  aVersion,
  denied,
  nowMs,
  present,
  retiredAtMs,
  type Observations,
} from "./scene.ts";

const scanner = aUse({ byKeyPolicy: true });
const policyOf = (document: string, hash = "policy-hash") => present({ document, hash });
const bothPolicies = (document: string): Observations => ({
  policy: { "key-1": policyOf(document), "key-2": policyOf(document) },
});

/** Whether a refusal of version 2 blocks the deletion of version 1. */
function blocks(use: RefusedUse, observed: Observations = {}): boolean {
  const on = { "key-2": usesOf(use) };
  const scene = soaked({ on, observed: { ...refusalsOf(on), ...observed } });
  const needs = needsOfRefusals(scene, scene.old, scene.rotation);
  expect(needs.length).toBe(excused(scene, aVersion(2), use) ? 0 : 1);
  return needs.length > 0;
}

const grantTo = (grantee: string, changes: Partial<Grant> = {}): Observations => {
  const grant: Grant = { grantId: "g", grantee, operations: ["Decrypt"], ...changes };
  return { grants: { "key-1": present([grant]) } };
};

describe("a refusal of the active version by its key policy alone", () => {
  test("blocks nothing where the predecessor has the same policy", () => {
    expect(blocks(scanner)).toBe(false);
  });

  test.each<[why: string, use: RefusedUse, observed: Observations]>([
    ["another policy denies it", aUse(), {}],
    ["the policies differ", scanner, { policy: { "key-1": policyOf("{}", "another-hash") } }],
    [
      "the policy names the aliases of the key",
      scanner,
      bothPolicies('{"Condition":{"ForAnyValue:StringEquals":{"kms:ResourceAliases":"a"}}}'),
    ],
    [
      "the policy names the alias of the request, in whatever case",
      scanner,
      bothPolicies('{"Condition":{"StringEquals":{"KMS:requestalias":"alias/orders"}}}'),
    ],
    [
      "the policy names the predecessor's ARN",
      scanner,
      bothPolicies(`{"Resource":"${aVersion(1).arn}"}`),
    ],
    ["the policy names its own ARN", scanner, bothPolicies(`{"Resource":"${aVersion(2).arn}"}`)],
    ["the caller has a grant on the predecessor", scanner, grantTo(reader)],
    [
      "a session of the caller has one",
      scanner,
      grantTo("arn:aws:sts::000000000000:assumed-role/reader/a-session"),
    ],
    [
      "the role of the caller has one, by its path",
      scanner,
      grantTo("arn:aws:iam::000000000000:role/team/reader"),
    ],
    ["its account has one", scanner, grantTo("arn:aws:iam::000000000000:root")],
    ["its account has one, by its number", scanner, grantTo("000000000000")],
    ["a grant shows the id of a principal alone", scanner, grantTo("AROAEXAMPLEID")],
    ["its own policy cannot be read", scanner, { policy: { "key-2": denied } }],
    ["the predecessor's policy cannot be read", scanner, { policy: { "key-1": denied } }],
    ["the predecessor's grants cannot be read", scanner, { grants: { "key-1": denied } }],
    ["the predecessor's key is deleted", scanner, { policy: { "key-1": absent } }],
  ])("blocks where %s", (_why, use, observed) => {
    expect(blocks(use, observed)).toBe(true);
  });

  test.each([
    ["another role", "arn:aws:iam::000000000000:role/reader2"],
    ["the same role of another account", "arn:aws:iam::111122223333:role/reader"],
    ["another account", "arn:aws:iam::111122223333:root"],
    ["an AWS service", "ec2.amazonaws.com"],
  ])("blocks nothing for a grant to %s", (_whom, grantee) => {
    expect(blocks(scanner, grantTo(grantee))).toBe(false);
  });

  test("blocks nothing for a grant to a service of another partition", () => {
    const grants = grantTo("s3.c2s.ic.gov", { granteeIsService: true });
    expect(blocks(scanner, grants)).toBe(false);
  });

  test("blocks on a retired version: there only the alias may have allowed it", () => {
    const scene = soaked({ on: { "key-1": usesOf(scanner) } });
    expect(needsOfRefusals(scene, scene.old, scene.rotation)).toHaveLength(1);
  });

  test("does not block either once the version is retired, while both policies can be read", () => {
    const versions = [
      aVersion(1, { state: "disabled", retiredAtMs }),
      aVersion(2, { state: "draining", activatedAtMs: retiredAtMs, retiredAtMs: nowMs }),
      aVersion(3, { activatedAtMs: nowMs }),
    ];
    const scene = soaked({ on: { "key-2": usesOf(scanner) }, record: { versions } });
    expect(needsOfRefusals(scene, scene.old, scene.rotation)).toEqual([]);
    const unread = { ...scene, observed: { ...scene.observed, policy: {} } };
    expect(needsOfRefusals(unread, scene.old, scene.rotation)).toHaveLength(1);
    expect(readsOfRefusals(unread)).toEqual([
      { kind: "policy", keyId: "key-2" },
      { kind: "policy", keyId: "key-1" },
    ]);
  });
});

describe("the policies and grants of the exemption", () => {
  const reads = (use: RefusedUse, observed: Observations = {}) => {
    const scene = soaked({ on: { "key-2": usesOf(use) } });
    const { refusals } = scene.observed;
    const known = { ...nothingObserved(), refusals, ...observed } as ObservedState;
    return readsOfRefusals({ ...scene, observed: known });
  };

  test("are read where a refusal may be exempt, and nothing else", () => {
    expect(reads(scanner)).toEqual([
      { kind: "policy", keyId: "key-2" },
      { kind: "policy", keyId: "key-1" },
      { kind: "grants", keyId: "key-1" },
    ]);
    expect(reads(aUse())).toEqual([]);
    expect(reads({ ...scanner, lastAtMs: settledAtMs - 1 })).toEqual([]);
  });

  test("are read once", () => {
    const policy = { "key-1": policyOf("{}"), "key-2": denied };
    expect(reads(scanner, { policy })).toEqual([{ kind: "grants", keyId: "key-1" }]);
  });

  test("come after the refused uses, and those before everything that decides on them", () => {
    const scene = soaked();
    const all = readsOfRefusals({ ...scene, observed: nothingObserved() });
    expect(all.map(({ kind }) => kind)).toEqual(["refusals", "refusals-watch"]);
    const context = { ...scene.context, refusalsWatch: "none" as const };
    expect(readsOfRefusals({ ...scene, context, observed: nothingObserved() })).toEqual([]);
  });
});

describe("the predecessor of the active version", () => {
  const of = (...versions: Version[]) => predecessorOf(aRecord({ versions }))?.number;
  const retired = (number: number, atMs: number) =>
    aVersion(number, { state: "draining", retiredAtMs: atMs });

  test("is the version that was retired last", () => {
    expect(of(retired(1, retiredAtMs - dayMs), retired(2, retiredAtMs), aVersion(3))).toBe(2);
    expect(of(aVersion(1), retired(2, retiredAtMs))).toBe(2);
    expect(of(aVersion(1))).toBeUndefined();
  });

  test("is no version that never was active: its rotation was rolled back before", () => {
    const cancelled = { ...retired(3, nowMs - dayMs) };
    delete cancelled.activatedAtMs;
    expect(of(retired(1, retiredAtMs), aVersion(2), cancelled)).toBe(1);
  });
});
