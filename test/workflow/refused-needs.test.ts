/** What a refused use means for the deletion of version 1: it blocks, or it is only reported. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseRequest } from "../../lambda/inbound/requests.ts";
import { requiredApproval } from "../../lambda/workflow/requests/required-approval.ts";
import { approvalRequired } from "../../lambda/workflow/requests/approval.ts";
import { allNeeds, canBeAccepted } from "../../lambda/workflow/safety/needs.ts";
import { needsOfRefusals } from "../../lambda/workflow/safety/refusals.ts";
import type { AcceptedRefusal, RefusedUse } from "../../lambda/workflow/model/types.ts";
import { dayMs, minuteMs } from "../fixtures.ts";
import {
  accepting,
  aUse,
  evidence,
  othersOf,
  reader,
  settledAtMs,
  soaked,
  usesOf,
  type On,
  type RefusedSetting,
} from "./refused.ts";
import { aRotation, aVersion, nowMs, retiredAtMs, stepScene } from "./scene.ts";

function needs(on: On, setting: RefusedSetting = {}) {
  const scene = soaked({ ...setting, on });
  return needsOfRefusals(scene, scene.old, scene.rotation);
}
const ids = (on: On, setting?: RefusedSetting) => needs(on, setting).map(({ id }) => id);
const on = (subject: string, changes: Partial<RefusedUse> = {}): On => ({
  [subject]: usesOf(aUse(changes)),
});
const idOf = (prefix: string, operation: string, error = "AccessDenied") => [
  `refused:${prefix}|${reader}|${operation}|${error}`,
];

describe("a refusal of the retired version", () => {
  test.each([
    ...["Decrypt", "ReEncryptFrom", "ReEncrypt", "Verify", "VerifyMac", "DeriveSharedSecret"],
    ...["Decapsulate", "CreateGrant", "GetPublicKey"],
  ])("blocks its deletion: %s reads what exists, or lets a service read it", (operation) => {
    expect(ids(on("key-1", { operation }))).toEqual(idOf("1", operation));
  });

  test.each([
    ...["Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "Sign", "GenerateMac"],
    ...["ReEncryptTo", "Encapsulate"],
  ])("does not block its deletion where it originates: %s", (operation) => {
    expect(ids(on("key-1", { operation }))).toEqual([]);
  });

  test("counts from its retirement on: before, the move had locked nobody out", () => {
    expect(ids(on("key-1", { lastAtMs: retiredAtMs - 1 }))).toEqual([]);
    const spanning = { firstAtMs: 0, lastAtMs: retiredAtMs };
    expect(ids(on("key-1", spanning))).toHaveLength(1);
  });

  test("counts however long ago: a yearly job is refused once", () => {
    expect(ids(on("key-1", { lastAtMs: retiredAtMs + minuteMs }))).toHaveLength(1);
  });
});

describe("a refusal of the version that replaced it", () => {
  test.each(["Encrypt", "Sign", "Decrypt", "GetPublicKey"])("blocks: %s", (operation) => {
    expect(ids(on("key-2", { operation }))).toEqual(idOf("2", operation));
  });

  test("counts from ten minutes after the activation on", () => {
    const at = (lastAtMs: number) => ids(on("key-2", { lastAtMs }));
    expect(at(settledAtMs - 1)).toEqual([]);
    expect(at(settledAtMs)).toHaveLength(1);
  });

  test("counts while that version was active, also once it is retired", () => {
    const secondRetiredAtMs = nowMs - 10 * dayMs;
    const versions = [
      aVersion(1, { state: "disabled", retiredAtMs }),
      aVersion(2, {
        state: "draining",
        activatedAtMs: retiredAtMs,
        retiredAtMs: secondRetiredAtMs,
      }),
      aVersion(3, { activatedAtMs: secondRetiredAtMs }),
    ];
    const at = (firstAtMs: number) =>
      ids(on("key-2", { firstAtMs }), { record: { versions, lastNumber: 3 } });
    expect(at(secondRetiredAtMs - 1)).toHaveLength(1);
    expect(at(secondRetiredAtMs)).toEqual([]);
  });

  test("still counts once a rollback has brought that version back", () => {
    const backAtMs = nowMs - 2 * dayMs;
    const versions = [
      aVersion(1, { state: "disabled", retiredAtMs }),
      aVersion(2, { activatedAtMs: retiredAtMs }),
      aVersion(3, {
        state: "draining",
        activatedAtMs: nowMs - 5 * dayMs,
        retiredAtMs: backAtMs,
      }),
    ];
    const back = aRotation({ id: "r2", direction: "back", from: 3, to: 2 });
    const { rotations } = stepScene("revoke").record;
    const record = { versions, lastNumber: 3, rotations: [...rotations, back] };
    const at = (lastAtMs: number) => ids(on("key-2", { lastAtMs }), { record });
    expect(at(settledAtMs - 1)).toEqual([]);
    expect(at(settledAtMs)).toHaveLength(1);
    expect(at(backAtMs - dayMs)).toHaveLength(1);
  });

  test("counts after a rollback from when it was active again", () => {
    const versions = [
      aVersion(1, { activatedAtMs: nowMs - 400 * dayMs }),
      aVersion(2, { state: "disabled", retiredAtMs, disabledAtMs: nowMs - 15 * dayMs }),
    ];
    const rotation = { direction: "back" as const, from: 2, to: 1 };
    const at = (lastAtMs: number) => {
      const setting = { record: { versions }, rotation, on: on("key-1", { lastAtMs }) };
      const scene = soaked(setting);
      const [, old = scene.old] = versions;
      return needsOfRefusals(scene, old, scene.rotation);
    };
    expect(at(retiredAtMs - dayMs)).toEqual([]);
    expect(at(settledAtMs - 1)).toEqual([]);
    expect(at(settledAtMs)).toHaveLength(1);
  });
});

describe("a call that names the alias for data of another version", () => {
  test.each(["IncorrectKeyException", "KMSInvalidMacException"])("blocks: %s", (error) => {
    expect(ids(on("alias", { error }))).toEqual(idOf("alias", "Decrypt", error));
    expect(ids(on("alias", { error, lastAtMs: retiredAtMs - 1 }))).toEqual([]);
  });
});

describe("the further uses beyond the first twenty", () => {
  test.each([
    ["the retired version", "key-1", "1", retiredAtMs],
    ["the version that replaced it", "key-2", "2", settledAtMs],
    ["the alias", "alias", "alias", retiredAtMs],
  ])("of %s block by one id", (_what, subject, prefix, fromMs) => {
    const at = (lastAtMs: number) => ids({ [subject]: othersOf({ lastAtMs }) });
    expect(at(fromMs)).toEqual([`refused:${prefix}|others`]);
    expect(at(fromMs - 1)).toEqual([]);
  });

  test("can be accepted a day after the last one joined, and not before", () => {
    const growing = (joinedAtMs: number) => needs({ "key-1": othersOf({ joinedAtMs }) });
    const [before, after] = [growing(nowMs - dayMs + 1), growing(nowMs - dayMs)];
    expect([canBeAccepted(before), canBeAccepted(after)]).toEqual([false, true]);
    expect(before[0]?.state).toContain("; no approval accepts them while more join");
    expect(after).toMatchObject([{ changedAtMs: nowMs }]);
    expect(after[0]?.state).toBe("further uses, 7 times since 1972-09-25T00:00:00Z");
  });
});

describe("the configuration accepts a refusal", () => {
  const all: On = { ...on("key-1"), ...on("key-2"), ...on("alias") };
  const left = (...acceptedRefusals: AcceptedRefusal[]) =>
    ids(all, { context: { acceptedRefusals } });

  test("of a principal, on every version and by the alias", () => {
    expect(left()).toHaveLength(3);
    expect(left(accepting())).toEqual([]);
    expect(left(accepting({ operation: "Decrypt", error: "AccessDenied" }))).toEqual([]);
  });

  test.each<[what: string, changes: Partial<AcceptedRefusal>]>([
    ["principal", { principal: `${reader}2` }],
    ["operation", { operation: "Verify" }],
    ["error", { error: "IncorrectKeyException" }],
  ])("and not of another %s", (_what, changes) => {
    expect(left(accepting(changes))).toHaveLength(3);
  });

  test("of a principal as findings show it, where its name has other characters", () => {
    const principal = "AWSAccount 444455556666";
    const setting = (shown: string) => ({
      context: { acceptedRefusals: [accepting({ principal: shown })] },
    });
    const refused = on("key-1", { principal });
    expect(ids(refused)).toEqual(["refused:1|AWSAccount%20444455556666|Decrypt|AccessDenied"]);
    expect(ids(refused, setting("AWSAccount%20444455556666"))).toEqual([]);
    expect(ids(refused, setting(principal))).toEqual([]);
  });
});

describe("the ids", () => {
  test("have no times and no counts: a repetition voids no approval", () => {
    const first = ids(on("key-1"));
    expect(ids(on("key-1", { count: 100, lastAtMs: nowMs, firstAtMs: 7 }))).toEqual(first);
  });

  test("are in the order of their texts", () => {
    const principals = ["c", "a", "b"].map((name) => aUse({ principal: name }));
    const sorted = ids({ "key-1": usesOf(...principals) });
    expect(sorted).toEqual(sorted.toSorted());
  });

  test("pass from a finding into a request, whatever the principal's name is", () => {
    const name = fc.string({ minLength: 1, maxLength: 90, unit: "grapheme" });
    fc.assert(
      fc.property(name, name, (one, two) => {
        const scene = soaked({
          on: { "key-1": usesOf(aUse({ principal: one }), aUse({ principal: two })) },
        });
        const wanted = allNeeds(scene, scene.old, scene.rotation, "delete").map(({ id }) => id);
        const hash = "0".repeat(64);
        const asked = approvalRequired(scene, { ...evidence, hash }, "delete");
        if (asked.kind !== "wait" || asked.finding === undefined) throw new Error("no finding");
        const required = requiredApproval(asked.finding);
        expect(required?.accepts).toEqual(wanted);
        const { of = "", accepts = [] } = required ?? {};
        const fields = { kind: "approve", by: "ada", version: 1, evidence: hash, of, accepts };
        expect(parseRequest({ id: "request-1", body: fields }).kind).toBe("approve");
      }),
      { numRuns: 200 },
    );
  });

  test("fit into one approval, as many as there can be", () => {
    const twenty = (operation: string) =>
      usesOf(...Array.from({ length: 20 }, (_, n) => aUse({ operation, principal: `r${n}` })));
    const { others } = othersOf();
    const full = (operation: string) => ({ ...twenty(operation), ...(others ? { others } : {}) });
    const all = { "key-1": full("Decrypt"), "key-2": full("Sign"), alias: full("Verify") };
    const accepts = ids(all);
    expect(accepts).toHaveLength(63);
    const grants = Array.from({ length: 20 }, (_, n) => `grant:${n}`);
    const fields = { kind: "approve", by: "ada", version: 1, evidence: "0".repeat(64) };
    const body = { ...fields, accepts: [...grants, ...accepts] };
    expect(parseRequest({ id: "request-1", body }).kind).toBe("approve");
  });
});
