import { expect, test } from "vitest";
import { afterRefusal } from "../../lambda/workflow/apply-outcome.ts";
import type { Call, Decision } from "../../lambda/workflow/model/types.ts";
import { stepScene } from "./scene.ts";

type CallDecision = Extract<Decision, { kind: "call" }>;

const disable: Call = { kind: "DisableKey", keyId: "key-1" };
const schedule: Call = { kind: "ScheduleKeyDeletion", keyId: "key-1", windowDays: 7 };
const policy = "aws kms get-key-policy --key-id key-1 --policy-name default --output text";

/** The next command of the finding where KMS denies this call on a version. */
function nextAfter(call: Call, overriddenBy: string | undefined): string | undefined {
  const { record, context } = stepScene("revoke", { old: { overriddenBy } });
  const matter = { kind: "rotation", rotationId: "r1" } as const;
  const decision: CallDecision = { kind: "call", call, matter, reason: "it is time" };
  const outcome = { kind: "refused", refusal: "AccessDenied", message: "no" } as const;
  const after = afterRefusal(record, decision, outcome, context);
  return after.kind === "wait" ? after.finding?.next : undefined;
}

test("an operator with sufficient rights disables a version whose evidence was overridden", () => {
  expect(nextAfter(disable, "ada")).toBe("aws kms disable-key --key-id key-1");
});

test("without an override, or where a deletion is denied, the key policy is shown", () => {
  expect(nextAfter(disable, undefined)).toBe(policy);
  expect(nextAfter(schedule, "ada")).toBe(policy);
  expect(nextAfter({ ...disable, keyId: "key-2" }, "ada")).toContain("get-key-policy");
});

test("the key policy is shown also of an excess key, which is no version", () => {
  expect(nextAfter({ ...disable, keyId: "key-9" }, "ada")).toContain("--key-id key-9");
});
