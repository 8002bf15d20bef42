/** What synthesis says of the cost of retired versions. */
import { Annotations, Duration } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { describe, expect, test } from "vitest";
import type { KeyRotationProps } from "../../infra/key-rotation-props.ts";
import type { RotationPolicy } from "../../infra/rotation-policy.ts";
import { messagesOf, theirApp, type Theirs } from "./their-app.ts";

/** A deployment of so many managed keys, which rotate five times a year. */
function managing(
  count: number,
  policy: RotationPolicy = {},
  props: Partial<KeyRotationProps> = {},
): Theirs {
  const often = { cryptoperiod: Duration.days(73), lead: Duration.minutes(15), ...policy };
  const theirs = theirApp(() => ({ policies: { often }, ...props }));
  for (let number = 0; number < count; number += 1) {
    theirs.rotation.manage(`alias/orders-${number}`, "often");
  }
  return theirs;
}

describe("synthesis reports the cost of retired versions", () => {
  test("in one note with the path of the deployment, for all its managed keys", () => {
    const [note, ...others] = messagesOf(managing(100));
    expect(others).toEqual([]);
    expect(note).toMatchObject({ level: "info", path: "/Theirs/KeyRotation" });
    expect(note?.text).toContain(
      "100 managed keys retire about 500 a year, $500 a month after one year, $2,500 a month after five",
    );
  });

  test("also in mode plan, before the first rotation", () => {
    expect(messagesOf(managing(100, {}, { mode: "plan" }))).toHaveLength(1);
  });

  test("in a warning if these keys reach the quota of the Region within ten years", () => {
    const policy = { cryptoperiod: Duration.days(12), drainAtLeast: Duration.days(10) };
    const messages = messagesOf(managing(400, policy)).filter(({ text }) => text.includes("quota"));
    expect(messages).toEqual([
      {
        level: "warning",
        path: "/Theirs/KeyRotation",
        text: expect.stringContaining("100,000 KMS keys in year 9 (") as unknown,
      },
    ]);
  });

  test("not if it is trivial, or if the policy deletes retired versions", () => {
    expect(messagesOf(managing(3))).toEqual([]);
    expect(messagesOf(managing(100, { retire: "delete" }))).toEqual([]);
  });

  test("not if an operator acknowledged it", () => {
    const theirs = managing(100);
    Annotations.of(theirs.rotation).acknowledgeInfo("keyturn:kept-versions");
    expect(messagesOf(theirs)).toEqual([]);
  });

  test("once, however often the app is synthesised", () => {
    const theirs = managing(100);
    Template.fromStack(theirs.stack);
    expect(messagesOf(theirs)).toHaveLength(1);
  });
});
