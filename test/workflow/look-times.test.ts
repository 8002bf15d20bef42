/** When a look is due, and what the record has after it. */
import { describe, expect, test } from "vitest";
import { lookEveryMs } from "../../lambda/workflow/drift/look-times.ts";
import { afterLook, isLookDue, lookDueAtMs } from "../../lambda/workflow/drift/look.ts";
import { lookAtLeastEveryMs, lookAtMostEveryMs } from "../../lambda/workflow/model/limits.ts";
import type { ManagedKey, Rotation, Version } from "../../lambda/workflow/model/types.ts";
import { decide } from "../../lambda/workflow/workflow.ts";
import { dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { halts } from "./decided.ts";
import { look, retired, shows, withOld } from "./looked.ts";
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
/** Looked at an hour ago, and nothing is suspected. */
const looked = (changes: Changes<ManagedKey> = {}): ManagedKey =>
  aRecord({ lookedAtMs: nowMs - hourMs, ...changes });
const finding = (code: "DISABLED_BY_OTHERS" | "OVERDUE") => ({
  code,
  subject: "key-1",
  observed: "version 1, key-1, is Disabled; expected Enabled",
  next: "aws kms enable-key --key-id key-1",
  sinceMs: nowMs - hourMs,
});

describe("a look is due", () => {
  test("about daily, at an interval of its own for each managed key", () => {
    const aliases = Array.from({ length: 200 }, (_, at) => `alias/key-${at}`);
    const intervals = aliases.map((name) => {
      const record = looked({ alias: name });
      return lookDueAtMs(record) - (record.lookedAtMs ?? 0);
    });
    for (const interval of intervals) {
      expect(interval).toBeGreaterThanOrEqual(lookAtMostEveryMs);
      expect(interval).toBeLessThan(lookAtLeastEveryMs);
    }
    expect(lookAtLeastEveryMs).toBeLessThan(dayMs);
    expect(new Set(intervals).size).toBe(aliases.length);
    expect(intervals).toEqual(aliases.map(lookEveryMs));
    const quarterMs = (lookAtLeastEveryMs - lookAtMostEveryMs) / 4;
    for (const quarter of [0, 1, 2, 3]) {
      const fromMs = lookAtMostEveryMs + quarter * quarterMs;
      const within = intervals.filter((one) => one >= fromMs && one < fromMs + quarterMs);
      expect(within.length).toBeGreaterThan(intervals.length / 10);
    }
  });

  test.each<[what: string, Changes<ManagedKey>, due: string]>([
    ["for a record of an earlier version", { lookedAtMs: undefined }, "daily"],
    ["not an hour after the last one", {}, "no"],
    ["a day after the last one", { lookedAtMs: nowMs - dayMs }, "daily"],
    ["after an event", { suspectedAtMs: nowMs }, "suspected"],
    [
      "while a finding of a look is open",
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
    expect(isLookDue(looked(changes), nowMs)).toBe(due);
  });

  test.each<[what: string, Changes<ManagedKey>]>([
    ["before enrolment", { enrolledAtMs: undefined }],
    ["while it is un-enrolled", { unenrolment: { by: "ada", atMs: nowMs } }],
  ])("never %s", (_what, changes) => {
    const findings = [finding("DISABLED_BY_OTHERS")];
    expect(lookDueAtMs(looked({ ...changes, findings, suspectedAtMs: nowMs }))).toBe(Infinity);
  });
});

describe("keyturn does not look while reads may not show its own change:", () => {
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
    expect(look(recent, disabled)).toEqual([]);
    expect(lookDueAtMs(recent)).toBe(nowMs + 1);
    const before = withOld("retained", at(nowMs - consistencyMs));
    expect(look(before, disabled).at(-1)).toMatchObject(halts("DISABLED_BY_OTHERS", "key-2"));
  });

  test("what an earlier look reported stays open in the meantime", () => {
    const record = withOld("retained", {
      suspectedAtMs: undefined,
      lookedAtMs: nowMs - hourMs,
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
  const suspected = looked({ suspectedAtMs: eventAtMs });
  const lookAt = (record: ManagedKey, atMs: number): ManagedKey =>
    afterLook(record, allObserved(record), atMs);

  test("a first look follows at once, a second one when reads are consistent, and no third", () => {
    expect(lookDueAtMs(suspected)).toBe(eventAtMs);
    const once = lookAt(suspected, eventAtMs);
    expect(once).toMatchObject({ suspectedAtMs: eventAtMs, lookedAtMs: eventAtMs });
    expect(lookDueAtMs(once)).toBe(eventAtMs + consistencyMs);
    expect(isLookDue(once, eventAtMs + consistencyMs - 1)).toBe("no");
    expect(lookAt(once, eventAtMs + consistencyMs - 1)).toEqual(once);
    const twice = lookAt(once, eventAtMs + consistencyMs);
    expect(twice).not.toHaveProperty("suspectedAtMs");
    expect(twice.lookedAtMs).toBe(eventAtMs + consistencyMs);
    expect(lookDueAtMs(twice)).toBe(eventAtMs + consistencyMs + lookEveryMs(alias));
  });

  test("one look suffices where it comes late", () => {
    expect(lookAt(suspected, eventAtMs + consistencyMs)).not.toHaveProperty("suspectedAtMs");
  });

  test("a second event begins anew", () => {
    const once = lookAt(suspected, eventAtMs);
    const again = { ...once, suspectedAtMs: eventAtMs + minuteMs };
    expect(lookDueAtMs(again)).toBe(eventAtMs + minuteMs);
    const twice = lookAt(again, eventAtMs + minuteMs);
    expect(lookDueAtMs(twice)).toBe(eventAtMs + minuteMs + consistencyMs);
  });

  test("the suspicion stays until every version was read, and keyturn's own changes settled", () => {
    const partly = allObserved(suspected, { policy: { "key-1": undefined } });
    const atMs = eventAtMs + consistencyMs;
    expect(afterLook(suspected, partly, atMs)).toEqual(suspected);
    const changed = { ...suspected, authorizationChangedAtMs: atMs - minuteMs };
    expect(lookAt(changed, atMs)).toEqual(changed);
  });

  test("a read that KMS denies was made", () => {
    const observed = allObserved(suspected, { policy: { "key-1": denied } });
    const seen = afterLook(suspected, observed, eventAtMs + consistencyMs);
    expect(seen).not.toHaveProperty("suspectedAtMs");
  });

  test("a pass that makes the reads without a look due is no look", () => {
    const idle = looked();
    expect(lookAt(idle, nowMs)).toEqual(idle);
  });
});

describe("the key policy of a version", () => {
  const hashed = (hash: string): Observations => ({
    policy: { "key-1": present({ document: "{}", hash }) },
  });
  const seen = (record: ManagedKey, observed: Observations): ManagedKey =>
    afterLook(record, allObserved(record, observed), nowMs);
  const due = (record: ManagedKey): ManagedKey => ({ ...record, lookedAtMs: nowMs - dayMs });
  const before = due(aRecord());
  const once = due(seen(before, hashed("a")));
  const changed = due(seen(once, hashed("b")));

  test("goes on record at the first look", () => {
    expect(before.versions[0]).not.toHaveProperty("policyHash");
    expect(once.versions).toMatchObject([{ policyHash: "a" }]);
    expect(once.versions[0]).not.toHaveProperty("policyChangedTo");
    expect(seen(once, hashed("a")).versions).toEqual(once.versions);
  });

  test("is reported as changed at a later one, and no longer once it is back", () => {
    expect(changed.versions).toMatchObject([{ policyHash: "a", policyChangedTo: "b" }]);
    const again = seen(changed, hashed("c"));
    expect(again.versions).toMatchObject([{ policyHash: "a", policyChangedTo: "c" }]);
    expect(seen(changed, hashed("a")).versions).toEqual(once.versions);
  });

  test("stays on record where KMS denies its read", () => {
    const hidden = { policy: { "key-1": denied } };
    expect(seen(changed, hidden).versions).toEqual(changed.versions);
    expect(seen(before, hidden).versions).toEqual(before.versions);
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
