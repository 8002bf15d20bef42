/** The faults of the wire: a call is lost, its answer is lost, it is delayed, or sent too late. */
import { expect, test } from "vitest";
import type { Fault } from "../../embedded-aws/http/faults.ts";
import type { Call } from "../../lambda/workflow/model/types.ts";
import { minuteMs } from "../fixtures.ts";
import { aWireLab, policyFor, timesCalled, type WireLab } from "./sides.ts";

const create: Call = {
  kind: "CreateKey",
  shape: {
    spec: "SYMMETRIC_DEFAULT",
    usage: "ENCRYPT_DECRYPT",
    origin: "AWS_KMS",
    multiRegion: false,
  },
  policy: policyFor("kms:*"),
  description: "",
  tags: {},
};

/** Every call, by its prerequisites. */
const changes: [kind: Call["kind"], call: (keyId: string) => Call][] = [
  ["CreateKey", () => create],
  [
    "CreateGrant",
    (keyId) => ({
      kind: "CreateGrant",
      keyId,
      grant: { grantee: "arn:aws:iam::000000000000:role/a", operations: ["Decrypt"] },
    }),
  ],
  ["UpdateAlias", (keyId) => ({ kind: "UpdateAlias", alias: "alias/orders", keyId })],
  ["TagResource", (keyId) => ({ kind: "TagResource", keyId, tags: { a: "b" } })],
  ["UntagResource", (keyId) => ({ kind: "UntagResource", keyId, names: ["a"] })],
  ["EnableKey", (keyId) => ({ kind: "EnableKey", keyId })],
  ["DisableKey", (keyId) => ({ kind: "DisableKey", keyId })],
  ["ScheduleKeyDeletion", (keyId) => ({ kind: "ScheduleKeyDeletion", keyId, windowDays: 7 })],
  ["CancelKeyDeletion", (keyId) => ({ kind: "CancelKeyDeletion", keyId })],
];

/** The call on a key that allows it. */
function arranged(lab: WireLab, callOn: (keyId: string) => Call): Call {
  const keyId = lab.aKey();
  lab.ask("CreateAlias", { AliasName: "alias/orders", TargetKeyId: lab.aKey() });
  const call = callOn(keyId);
  if (call.kind === "CancelKeyDeletion") lab.ask("ScheduleKeyDeletion", { KeyId: keyId });
  return call;
}

/** Breaks every request of an operation; `applied` counts the requests that reached KMS. */
function breakAll(lab: WireLab, operation: string, fault: Fault): { applied: () => number } {
  let applied = 0;
  lab.kms.onCall = (call) => {
    if (call.operation === operation) applied += 1;
  };
  lab.aws.fault = (_service, name) => (name === operation ? fault : undefined);
  return { applied: () => applied };
}

test.each(changes)("%s whose answer is lost is made once, and is unknown", async (kind, callOn) => {
  const lab = await aWireLab();
  const call = arranged(lab, callOn);
  const { applied } = breakAll(lab, kind, { kind: "lost" });
  expect(await lab.keys.change(call, lab.guard())).toMatchObject({ kind: "unknown" });
  expect([timesCalled(lab.aws, kind), applied()]).toEqual([1, 1]);
});

test.each(changes)("%s that never arrives is tried once, and is unknown", async (kind, callOn) => {
  const lab = await aWireLab();
  const call = arranged(lab, callOn);
  const { applied } = breakAll(lab, kind, { kind: "drop" });
  expect(await lab.keys.change(call, lab.guard())).toMatchObject({ kind: "unknown" });
  expect([timesCalled(lab.aws, kind), applied()]).toEqual([1, 0]);
});

test.each(changes)("%s that fails in KMS is tried once, and is unknown", async (kind, callOn) => {
  for (const status of [500, 503]) {
    const lab = await aWireLab();
    const call = arranged(lab, callOn);
    breakAll(lab, kind, { kind: "before", code: "KMSInternalException", status });
    expect(await lab.keys.change(call, lab.guard())).toMatchObject({ kind: "unknown" });
    expect(timesCalled(lab.aws, kind)).toBe(1);
  }
});

test.each(changes)("%s that is throttled is tried once, and is refused", async (kind, callOn) => {
  const lab = await aWireLab();
  const call = arranged(lab, callOn);
  breakAll(lab, kind, { kind: "before", code: "ThrottlingException", status: 400 });
  expect(await lab.keys.change(call, lab.guard())).toMatchObject({
    kind: "refused",
    refusal: "Throttled",
  });
  expect(timesCalled(lab.aws, kind)).toBe(1);
});

test.each(changes)("%s past its run's deadline is never sent", async (kind, callOn) => {
  const lab = await aWireLab();
  const call = arranged(lab, callOn);
  const guard = lab.guard();
  lab.clock.moveTo(guard.deadlineMs + 1);
  expect(await lab.keys.change(call, guard)).toMatchObject({
    kind: "refused",
    refusal: "PastDeadline",
  });
  expect(timesCalled(lab.aws, kind)).toBe(0);
});

test("a call that hangs ends at its limit, is unknown, and may still take effect", async () => {
  const lab = await aWireLab();
  const keyId = lab.aKey();
  breakAll(lab, "DisableKey", { kind: "delay", ms: 150 });
  const guard = { ...lab.guard(), limitMs: 50 };
  const startedMs = performance.now();
  const outcome = await lab.keys.change({ kind: "DisableKey", keyId }, guard);
  expect(performance.now() - startedMs).toBeLessThan(140);
  expect(outcome).toMatchObject({ kind: "unknown" });
  expect(timesCalled(lab.aws, "DisableKey")).toBe(1);
  expect(await lab.keys.describe(keyId)).toMatchObject({ value: { state: "Enabled" } });
  await expect.poll(() => lab.keys.describe(keyId)).toMatchObject({ value: { state: "Disabled" } });
});

test("a call that is frozen after its decision until past its deadline is never sent", async () => {
  const frozen = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  // The SDK's last wait before it signs and sends.
  const credentials = async () => {
    reached.resolve();
    await frozen.promise;
    return { accessKeyId: "keyturn", secretAccessKey: "any" };
  };
  const lab = await aWireLab({}, { credentials });
  const guard = lab.guard();
  const outcome = lab.keys.change(create, guard);
  await reached.promise;
  lab.clock.moveTo(guard.deadlineMs + 15 * minuteMs);
  frozen.resolve();
  expect(await outcome).toMatchObject({ kind: "refused", refusal: "PastDeadline" });
  expect(timesCalled(lab.aws, "CreateKey")).toBe(0);
});

test("concurrent calls each have their own deadline", async () => {
  const lab = await aWireLab();
  const [late, timely] = [lab.aKey(), lab.aKey()];
  const outcomes = await Promise.all([
    lab.keys.change({ kind: "DisableKey", keyId: late }, { ...lab.guard(), deadlineMs: 0 }),
    lab.keys.change({ kind: "DisableKey", keyId: timely }, lab.guard()),
  ]);
  expect(outcomes).toMatchObject([{ kind: "refused", refusal: "PastDeadline" }, { kind: "done" }]);
  expect(timesCalled(lab.aws, "DisableKey")).toBe(1);
});

const passing: [what: string, fault: Fault][] = [
  ["a 500", { kind: "before", code: "KMSInternalException", status: 500 }],
  ["a throttling", { kind: "before", code: "ThrottlingException", status: 400 }],
  ["a lost answer", { kind: "lost" }],
  ["a dropped connection", { kind: "drop" }],
];

test.each(passing)("a read is retried after %s", async (_what, fault) => {
  const lab = await aWireLab();
  const keyId = lab.aKey();
  let left = 1;
  lab.aws.fault = () => (left-- > 0 ? fault : undefined);
  expect(await lab.keys.describe(keyId)).toMatchObject({ kind: "observed" });
  expect(timesCalled(lab.aws, "DescribeKey")).toBe(2);
});

test("a read that never succeeds is an error, neither absent nor denied", async () => {
  const lab = await aWireLab();
  breakAll(lab, "DescribeKey", { kind: "before", code: "KMSInternalException", status: 500 });
  await expect(lab.keys.describe(lab.aKey())).rejects.toMatchObject({
    name: "RotationError",
    code: "KMS_FAILED",
  });
  expect(timesCalled(lab.aws, "DescribeKey")).toBe(3);
});

test("a last use is unknown if the operation is not supported", async () => {
  const lab = await aWireLab();
  breakAll(lab, "GetKeyLastUsage", {
    kind: "before",
    code: "UnknownOperationException",
    status: 400,
  });
  expect(await lab.keys.lastUseOf(lab.aKey())).toEqual({
    kind: "observed",
    value: { kind: "unknown", why: "GetKeyLastUsage is unavailable" },
  });
});

test("a denied list of the account's aliases is an error: the audit cannot continue", async () => {
  const lab = await aWireLab();
  breakAll(lab, "ListAliases", { kind: "before", code: "AccessDeniedException", status: 400 });
  await expect(lab.keys.allAliases()).rejects.toMatchObject({ code: "KMS_FAILED" });
});
