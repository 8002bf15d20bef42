import { describe, expect, test } from "vitest";
import { decideRevoke } from "../../lambda/workflow/5-revoke.ts";
import { decideApproval } from "../../lambda/workflow/requests/approval.ts";
import { needsOf } from "../../lambda/workflow/safety/needs.ts";
import type { Approval, Grant } from "../../lambda/workflow/model/types.ts";
import { aPolicy, dayMs, hourMs } from "../fixtures.ts";
import { calls, changes, nextOf, spoken, waits } from "./decided.ts";
import {
  anApproveRequest,
  anApproval,
  lastUsedAtMs,
  nowMs,
  observedKey,
  present,
  stepScene,
  type StepSetting,
} from "./scene.ts";

const ebs: Grant = {
  grantId: "b0",
  grantee: "arn:aws:sts::000000000000:assumed-role/aws:ec2-infrastructure/i-0abc",
  operations: ["Decrypt"],
  constraints: { encryptionContextSubset: { "aws:ebs:id": "vol-0abc" } },
};
const approval: Approval = anApproval();
const evidence = {
  observedAtMs: nowMs - 20 * dayMs,
  hash: "evidence-hash",
  lastUse: { kind: "used" as const, atMs: lastUsedAtMs, operation: "Sign" },
};

const holding = (...grants: Grant[]) => ({ grants: { "key-1": present(grants) } });
const toDisable = (grants: Grant[], given?: Approval) => {
  const rotation = given === undefined ? { evidence } : { evidence, approval: given };
  return spoken(decideRevoke(stepScene("revoke", { observed: holding(...grants), rotation })));
};

function soaked(setting: StepSetting) {
  const old = { state: "disabled" as const, disabledAtMs: nowMs - 15 * dayMs, ...setting.old };
  const rotation = {
    evidence,
    soakSinceMs: nowMs - 14 * dayMs,
    lateUseReadAtMs: nowMs - 13 * dayMs,
    policy: aPolicy({ retire: "delete" }),
    ...setting.rotation,
  };
  return stepScene("revoke", { ...setting, old, rotation });
}
const toDelete = (setting: StepSetting) => spoken(decideRevoke(soaked(setting)));

describe("a grant is a need", () => {
  test.each<[what: string, changes: Partial<Grant>]>([
    ["a service, by the principal", { grantee: "ec2.amazonaws.com" }],
    [
      "a service, by the service field",
      { grantee: "dynamodb.amazonaws.com", granteeIsService: true },
    ],
    [
      "a service that retires it",
      { grantee: "arn:aws:iam::000000000000:role/app", retiring: "rds.amazonaws.com" },
    ],
    [
      "a service-linked role",
      { grantee: "arn:aws:iam::000000000000:role/aws-service-role/rds.amazonaws.com/R" },
    ],
    ["a role of AWS's own", {}],
    ["a service that may grant", { operations: ["CreateGrant", "DescribeKey"] }],
  ])("of %s", (_what, changed) => {
    expect(needsOf([{ ...ebs, ...changed }]).map(({ id }) => id)).toEqual(["grant:b0"]);
  });

  test.each<[what: string, changes: Partial<Grant>]>([
    ["of a customer's role, whose uses show", { grantee: "arn:aws:iam::000000000000:role/app" }],
    ["that only originates", { operations: ["Encrypt", "GenerateDataKey"] }],
  ])("not one %s", (_what, changed) => {
    expect(needsOf([{ ...ebs, ...changed }])).toEqual([]);
  });

  test("reported with its holder and the names of its encryption context, and no value of it", () => {
    const constraints = { ...ebs.constraints, sourceArn: "arn:aws:s3:::one-bucket" };
    const [need] = needsOf([{ ...ebs, constraints }]);
    expect(need?.state).toContain("aws:ec2-infrastructure/i-0abc for arn:aws:s3:::one-bucket");
    expect(need?.state).toContain("aws:ebs:id");
    expect(need?.state).not.toContain("vol-0abc");
  });
});

describe("before DisableKey a need blocks", () => {
  test("whatever the policy asks, and the finding has the command that accepts it", () => {
    const held = toDisable([ebs]);
    expect(held).toMatchObject(waits(nowMs + 6 * hourMs, "GRANT_HOLDS_OLD_VERSION", "key-1"));
    expect(held).toMatchObject({
      finding: {
        next: expect.stringContaining(
          "approve alias/orders --version 1 --evidence evidence-hash --accept grant:b0",
        ) as string,
      },
    });
  });

  test("until an approval accepts it; another grant blocks again", () => {
    const accepting = { ...approval, accepts: ["grant:b0"] };
    expect(toDisable([ebs], accepting)).toMatchObject(calls("DisableKey"));
    const more = toDisable([ebs, { ...ebs, grantId: "b1" }], accepting);
    expect(more).toMatchObject(waits(nowMs + 6 * hourMs, "GRANT_HOLDS_OLD_VERSION"));
  });

  test("and one that vanished voids no approval", () => {
    const accepting = { ...approval, accepts: ["grant:a9", "grant:b0"] };
    expect(toDisable([ebs], accepting)).toMatchObject(calls("DisableKey"));
  });

  test("again after another use, which voids the approval and what it accepts", () => {
    const outdated = { ...approval, evidence: "earlier-hash", accepts: ["grant:b0"] };
    expect(toDisable([ebs], outdated)).toMatchObject(
      waits(nowMs + 6 * hourMs, "GRANT_HOLDS_OLD_VERSION"),
    );
  });

  test("and of more than twenty, no approval accepts those that no finding lists", () => {
    const many = Array.from({ length: 600 }, (_, index) => ({ ...ebs, grantId: `b${index}` }));
    const held = toDisable(many);
    expect(held).toMatchObject({
      finding: {
        observed: expect.stringMatching(
          /580 more grants.{0,60}; evidence evidence-hash$/,
        ) as string,
        next: expect.stringContaining("aws kms list-grants --key-id key-1") as string,
      },
    });
    expect(JSON.stringify(held).length).toBeLessThan(20_000);
    const accepts = [...many.map(({ grantId }) => `grant:${grantId}`), "grants:others"];
    expect(toDisable(many, { ...approval, accepts })).toMatchObject(
      waits(nowMs + 6 * hourMs, "GRANT_HOLDS_OLD_VERSION"),
    );
  });

  test("unless the evidence was overridden", () => {
    const overriding = { ...approval, evidence: "", override: true };
    expect(toDisable([ebs], overriding)).toMatchObject(calls("DisableKey"));
  });
});

describe("before ScheduleKeyDeletion", () => {
  const deleting = { ...approval, of: "delete" as const };

  test("an approval must accept every grant, also those accepted before DisableKey", () => {
    const observed = holding(ebs);
    const accepted = { ...approval, accepts: ["grant:b0"] };
    const asked = toDelete({ observed, rotation: { approval: accepted } });
    expect(asked).toMatchObject(waits(nowMs + 6 * hourMs, "APPROVAL_REQUIRED"));
    expect(asked).toMatchObject({
      finding: { next: expect.stringContaining("--accept grant:b0") as string },
    });
    const both = { ...deleting, accepts: ["grant:b0"] };
    expect(toDelete({ observed, rotation: { approval: both } })).toMatchObject(
      calls("ScheduleKeyDeletion"),
    );
  });

  test("a grant that nobody accepted restores the version", () => {
    const back = toDelete({ observed: holding(ebs), rotation: { approval: deleting } });
    expect(back).toMatchObject(changes("restore-started"));
    expect(nextOf(back).rotations[0]?.restored).toMatchObject({ because: "grant" });
    const soaking = { soakSinceMs: nowMs - hourMs };
    expect(toDelete({ observed: holding(ebs), rotation: soaking })).toMatchObject(
      changes("restore-started"),
    );
  });
});

describe("in the deletion window", () => {
  const old = { state: "pending-deletion" as const, deletionAtMs: nowMs + 5 * dayMs };
  const key = { "key-1": observedKey("key-1", { state: "PendingDeletion" }) };
  const deleting = { ...approval, of: "delete" as const };
  const at = (given: Approval | undefined, grants: Grant[] = []) =>
    toDelete({
      old,
      observed: { key, ...holding(...grants) },
      rotation: { approval: given, stepSinceMs: nowMs - dayMs },
    });

  test("a grant that nobody accepted cancels the deletion and restores the version", () => {
    const back = at(deleting, [ebs]);
    expect(back).toMatchObject(changes("restore-started"));
    expect(nextOf(back).rotations[0]?.restored).toMatchObject({ because: "grant", cancel: true });
    expect(at(deleting)).toMatchObject(waits(nowMs + 5 * dayMs));
  });

  test.each([
    ["no approval", undefined],
    ["an approval of DisableKey alone", approval],
  ] as const)(
    "a deletion that an earlier version scheduled with %s is cancelled, and nothing else",
    (_what, given) => {
      expect(at(given)).toMatchObject(calls("CancelKeyDeletion"));
      const observed = { key: { "key-1": observedKey("key-1", { state: "Disabled" }) } };
      const rotation = {
        approval: given,
        stepSinceMs: nowMs - dayMs,
        unanswered: "CancelKeyDeletion" as const,
      };
      const done = toDelete({ old, observed, rotation });
      expect(done).toMatchObject(changes("deletion-cancelled"));
      expect(nextOf(done).versions[0]).toMatchObject({ state: "disabled" });
      expect(nextOf(done).versions[0]).not.toHaveProperty("deletionAtMs");
    },
  );

  test("one that keyturn did not schedule is left to who did", () => {
    const rotation = { approval: undefined, evidence: undefined, stepSinceMs: nowMs - dayMs };
    expect(toDelete({ old, observed: { key }, rotation })).toMatchObject(waits(nowMs + 5 * dayMs));
  });
});

describe("an approval", () => {
  const request = anApproveRequest;
  const given = (setting: StepSetting, more: Parameters<typeof request>[0] = {}) =>
    decideApproval(soaked(setting), request({ of: "delete", ...more }));

  test("is for the call that comes next: disable, or delete", () => {
    const draining = stepScene("revoke", { rotation: { evidence } });
    const first = nextOf(decideApproval(draining, request()));
    expect(first.rotations[0]?.approval).toMatchObject({ of: "disable", accepts: [] });
    const second = nextOf(given({}, { accepts: ["grant:z", "grant:b0", "grant:b0"] }));
    expect(second.rotations[0]?.approval).toMatchObject({
      of: "delete",
      accepts: ["grant:b0", "grant:z"],
    });
  });

  test("that leaves a need out is rejected, and says which", () => {
    const left = given({ observed: holding(ebs) });
    expect(left).toMatchObject(changes("request-rejected"));
    expect(nextOf(left).rejected).toMatchObject([{ why: "the request does not accept grant:b0" }]);
    const all = given({ observed: holding(ebs) }, { accepts: ["grant:b0"] });
    expect(all).toMatchObject(changes("approved", { of: "delete", accepts: "grant:b0" }));
  });

  test("of a version that was disabled on overridden evidence is rejected: it is never deleted", () => {
    expect(given({ old: { overriddenBy: "ada" } })).toMatchObject(changes("request-rejected"));
  });

  test("of a deletion that is scheduled already is rejected", () => {
    const old = { state: "pending-deletion" as const };
    expect(given({ old })).toMatchObject(changes("request-rejected"));
  });
});
