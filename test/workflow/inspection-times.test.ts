/** When an inspection is due, and what the record has after it. */
import { describe, expect, test } from "vitest";
import { inspectionEveryMs } from "../../lambda/workflow/drift/inspection-times.ts";
import {
  afterInspection,
  isInspectionDue,
  inspectionDueAtMs,
} from "../../lambda/workflow/drift/inspection.ts";
import { longestInspectionMs, shortestInspectionMs } from "../../lambda/workflow/model/limits.ts";
import type { ManagedKey, Rotation, Version } from "../../lambda/workflow/model/types.ts";
import { decide } from "../../lambda/workflow/workflow.ts";
import { dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { halts } from "./decided.ts";
import { inspect, retired, shows, withOld } from "./inspected.ts";
import {
  alias,
  allObserved,
  aContext,
  aRecord,
  aRotation,
  aVersion,
  type Changes,
  denied,
  nowMs,
  type Observations,
  present,
} from "./scene.ts";

const consistencyMs = 5 * minuteMs;
/** Inspected an hour ago, and nothing is suspected. */
const inspected = (changes: Changes<ManagedKey> = {}): ManagedKey =>
  aRecord({ inspectedAtMs: nowMs - hourMs, ...changes });
const finding = (code: "DISABLED_BY_OTHERS" | "OVERDUE") => ({
  code,
  subject: "key-1",
  observed: "version 1, key-1, is Disabled; expected Enabled",
  next: "aws kms enable-key --key-id key-1",
  sinceMs: nowMs - hourMs,
});

describe("an inspection is due", () => {
  test("about daily, at an interval of its own for each managed key", () => {
    const aliases = Array.from({ length: 200 }, (_, at) => `alias/key-${at}`);
    const intervals = aliases.map((name) => {
      const record = inspected({ alias: name });
      return inspectionDueAtMs(record) - (record.inspectedAtMs ?? 0);
    });
    for (const interval of intervals) {
      expect(interval).toBeGreaterThanOrEqual(shortestInspectionMs);
      expect(interval).toBeLessThan(longestInspectionMs);
    }
    expect(longestInspectionMs).toBeLessThan(dayMs);
    expect(new Set(intervals).size).toBe(aliases.length);
    expect(intervals).toEqual(aliases.map(inspectionEveryMs));
    const quarterMs = (longestInspectionMs - shortestInspectionMs) / 4;
    for (const quarter of [0, 1, 2, 3]) {
      const fromMs = shortestInspectionMs + quarter * quarterMs;
      const within = intervals.filter((one) => one >= fromMs && one < fromMs + quarterMs);
      expect(within.length).toBeGreaterThan(intervals.length / 10);
    }
  });

  test.each<[what: string, Changes<ManagedKey>, due: string]>([
    ["for a record of an earlier version", { inspectedAtMs: undefined }, "daily"],
    ["not an hour after the last one", {}, "no"],
    ["a day after the last one", { inspectedAtMs: nowMs - dayMs }, "daily"],
    ["after an event", { suspectedAtMs: nowMs }, "suspected"],
    [
      "while a finding of an inspection is open",
      { findings: [finding("DISABLED_BY_OTHERS")] },
      "suspected",
    ],
    ["not for another finding", { findings: [finding("OVERDUE")] }, "no"],
    ["not before enrolment", { enrolledAtMs: undefined, suspectedAtMs: nowMs }, "no"],
    [
      "not while it is un-enrolled",
      { unenrolment: { by: "ada", atMs: nowMs }, suspectedAtMs: nowMs },
      "no",
    ],
    [
      "not before a rebuilt record is observed again",
      { reconciledAtMs: nowMs, suspectedAtMs: nowMs },
      "no",
    ],
  ])("%s", (_what, changes, due) => {
    expect(isInspectionDue(inspected(changes), nowMs)).toBe(due);
  });

  test.each<[what: string, Changes<ManagedKey>]>([
    ["before enrolment", { enrolledAtMs: undefined }],
    ["while it is un-enrolled", { unenrolment: { by: "ada", atMs: nowMs } }],
  ])("never %s", (_what, changes) => {
    const findings = [finding("DISABLED_BY_OTHERS")];
    expect(inspectionDueAtMs(inspected({ ...changes, findings, suspectedAtMs: nowMs }))).toBe(
      Infinity,
    );
  });
});

describe("keyturn does not inspect while reads may not show its own change:", () => {
  const version = (changes: Changes<Version>) => ({
    versions: [retired("retained", changes), aVersion(2)],
  });
  const rotation = (changes: Changes<Rotation>) => ({ rotations: [aRotation(changes)] });
  const restored = { because: "use", cancel: true, relabelled: false } as const;
  test.each<[what: string, at: (ms: number) => Changes<ManagedKey>]>([
    ["a tag", (ms) => ({ authorizationChangedAtMs: ms })],
    ["an activation", (ms) => version({ activatedAtMs: ms })],
    ["a retirement", (ms) => version({ retiredAtMs: ms })],
    ["DisableKey", (ms) => version({ disabledAtMs: ms })],
    ["a step", (ms) => rotation({ stepSinceMs: ms })],
    ["an alias that moved", (ms) => rotation({ movedAtMs: { [alias]: ms } })],
    ["a restore", (ms) => rotation({ restored: { ...restored, enabledAtMs: ms } })],
    ["a cancelled deletion", (ms) => rotation({ restored: { ...restored, cancelledAtMs: ms } })],
    ["a rollback's EnableKey", (ms) => rotation({ reactivation: { enabledAtMs: ms } })],
    ["a rollback's CancelKeyDeletion", (ms) => rotation({ reactivation: { cancelledAtMs: ms } })],
    ["a rollback's UntagResource", (ms) => rotation({ reactivation: { unlabelledAtMs: ms } })],
  ])("%s", (_what, at) => {
    const recent = withOld("retained", at(nowMs - consistencyMs + 1));
    const disabled = shows("key-2", "Disabled");
    expect(inspect(recent, disabled)).toEqual([]);
    expect(inspectionDueAtMs(recent)).toBe(nowMs + 1);
    const before = withOld("retained", at(nowMs - consistencyMs));
    expect(inspect(before, disabled).at(-1)).toMatchObject(halts("DISABLED_BY_OTHERS", "key-2"));
  });

  test("what an earlier inspection reported stays open in the meantime", () => {
    const record = withOld("retained", {
      suspectedAtMs: undefined,
      inspectedAtMs: nowMs - hourMs,
      authorizationChangedAtMs: nowMs - minuteMs,
      findings: [finding("DISABLED_BY_OTHERS")],
    });
    const observed = allObserved(record, shows("key-1", "Disabled"));
    const codes = decide(record, observed, aContext()).findings.map(({ code }) => code);
    expect(codes).toContain("DISABLED_BY_OTHERS");
  });
});

describe("after an event", () => {
  const eventAtMs = nowMs;
  const suspected = inspected({ suspectedAtMs: eventAtMs });
  const inspectedAt = (record: ManagedKey, atMs: number): ManagedKey =>
    afterInspection(record, allObserved(record), atMs);

  test("a first inspection follows at once, a second one when reads are consistent, and no third", () => {
    expect(inspectionDueAtMs(suspected)).toBe(eventAtMs);
    const once = inspectedAt(suspected, eventAtMs);
    expect(once).toMatchObject({ suspectedAtMs: eventAtMs, inspectedAtMs: eventAtMs });
    expect(inspectionDueAtMs(once)).toBe(eventAtMs + consistencyMs);
    expect(isInspectionDue(once, eventAtMs + consistencyMs - 1)).toBe("no");
    expect(inspectedAt(once, eventAtMs + consistencyMs - 1)).toEqual(once);
    const twice = inspectedAt(once, eventAtMs + consistencyMs);
    expect(twice).not.toHaveProperty("suspectedAtMs");
    expect(twice.inspectedAtMs).toBe(eventAtMs + consistencyMs);
    expect(inspectionDueAtMs(twice)).toBe(eventAtMs + consistencyMs + inspectionEveryMs(alias));
  });

  test("one inspection suffices where it comes late", () => {
    expect(inspectedAt(suspected, eventAtMs + consistencyMs)).not.toHaveProperty("suspectedAtMs");
  });

  test("a second event begins anew", () => {
    const once = inspectedAt(suspected, eventAtMs);
    const again = { ...once, suspectedAtMs: eventAtMs + minuteMs };
    expect(inspectionDueAtMs(again)).toBe(eventAtMs + minuteMs);
    const twice = inspectedAt(again, eventAtMs + minuteMs);
    expect(inspectionDueAtMs(twice)).toBe(eventAtMs + minuteMs + consistencyMs);
  });

  test("the suspicion stays until every version was read, and keyturn's own changes settled", () => {
    const partly = allObserved(suspected, { policy: { "key-1": undefined } });
    const atMs = eventAtMs + consistencyMs;
    expect(afterInspection(suspected, partly, atMs)).toEqual(suspected);
    const changed = { ...suspected, authorizationChangedAtMs: atMs - minuteMs };
    expect(inspectedAt(changed, atMs)).toEqual(changed);
  });

  test("a read that KMS denies was made", () => {
    const observed = allObserved(suspected, { policy: { "key-1": denied } });
    const after = afterInspection(suspected, observed, eventAtMs + consistencyMs);
    expect(after).not.toHaveProperty("suspectedAtMs");
  });

  test("a pass that makes the reads without an inspection due is no inspection", () => {
    const idle = inspected();
    expect(inspectedAt(idle, nowMs)).toEqual(idle);
  });
});

describe("the key policy of a version", () => {
  const hashed = (hash: string): Observations => ({
    policy: { "key-1": present({ document: "{}", hash }) },
  });
  const after = (record: ManagedKey, observed: Observations): ManagedKey =>
    afterInspection(record, allObserved(record, observed), nowMs);
  const due = (record: ManagedKey): ManagedKey => ({ ...record, inspectedAtMs: nowMs - dayMs });
  const before = due(aRecord());
  const once = due(after(before, hashed("a")));
  const changed = due(after(once, hashed("b")));

  test("goes on record at the first inspection", () => {
    expect(before.versions[0]).not.toHaveProperty("policyHash");
    expect(once.versions).toMatchObject([{ policyHash: "a" }]);
    expect(once.versions[0]).not.toHaveProperty("policyChangedTo");
    expect(after(once, hashed("a")).versions).toEqual(once.versions);
  });

  test("is reported as changed at a later one, and no longer once it is back", () => {
    expect(changed.versions).toMatchObject([{ policyHash: "a", policyChangedTo: "b" }]);
    const again = after(changed, hashed("c"));
    expect(again.versions).toMatchObject([{ policyHash: "a", policyChangedTo: "c" }]);
    expect(after(changed, hashed("a")).versions).toEqual(once.versions);
  });

  test("stays on record where KMS denies its read", () => {
    const hidden = { policy: { "key-1": denied } };
    expect(after(changed, hidden).versions).toEqual(changed.versions);
    expect(after(before, hidden).versions).toEqual(before.versions);
  });

  test("that changed is a finding in the pass that saw it", () => {
    const context = aContext();
    const { findings } = decide(once, allObserved(once, hashed("b")), context);
    expect(findings).toContainEqual(
      expect.objectContaining({
        code: "KEY_POLICY_CHANGED",
        subject: "key-1",
        next: expect.stringMatching(/accept-policy alias\/orders --version 1 --policy b/) as string,
      }) as object,
    );
    const back = decide(changed, allObserved(changed, hashed("a")), context).findings;
    expect(back.map(({ code }) => code)).not.toContain("KEY_POLICY_CHANGED");
  });
});
