import { describe, expect, test } from "vitest";
import { finding, type Finding } from "../../lambda/workflow/model/findings.ts";
import type { Call, Decision, Matter } from "../../lambda/workflow/model/types.ts";
import { decide } from "../../lambda/workflow/workflow.ts";
import { hourMs } from "../fixtures.ts";
import { halts, ofRotation, spoken } from "./decided.ts";
import {
  alias,
  aRotation,
  aScene,
  aVersion,
  blockedMs,
  nowMs,
  retiredAtMs,
  present,
  observedKey,
  type Setting,
  unsettled,
} from "./scene.ts";

const read: Decision = { kind: "observe", reads: [{ kind: "tags", keyId: "key-1" }] };
const halt: Decision = {
  kind: "halt",
  finding: finding("VERSION_DELETED", "key-1", "it is deleted", "aws cloudtrail", nowMs),
};
const retry: Decision = { kind: "retry", reason: "reads have not settled" };
const wait = (untilMs: number): Decision => ({ kind: "wait", untilMs, reason: "the soak" });
const called = (call: Call, matter = ofRotation as Matter): Decision => ({
  kind: "call",
  call,
  matter,
  reason: "it is time",
});
const enable = called({ kind: "EnableKey", keyId: "key-1" });
const untag = called({ kind: "UntagResource", keyId: "key-1", names: [] });
const changed = (event: "restore-started" | "drained"): Decision => ({
  kind: "change",
  next: aScene().record,
  entry: { event, reason: "it is so", detail: {} },
});

const versions = [
  aVersion(1, { state: "draining", retiredAtMs, label: "r1" }),
  aVersion(2, { state: "draining", retiredAtMs, label: "r2" }),
  aVersion(3, { activatedAtMs: retiredAtMs }),
];
const rotations = [
  aRotation({ id: "r1", from: 1, to: 2 }),
  aRotation({ id: "r2", from: 2, to: 3 }),
];

/** One decision for each matter: two rotations, and the active version. */
function verdictOn(matters: Decision[], { record, context, observed }: Setting = {}) {
  const [r1 = wait(Infinity), r2 = wait(Infinity), active = wait(Infinity)] = matters;
  const scene = aScene({
    record: { versions, rotations, lastNumber: 3, ...record },
    context: { parked: { r1, r2, active }, ...context },
    ...(observed === undefined ? {} : { observed }),
  });
  const verdict = decide(scene.record, scene.observed, scene.context);
  [verdict.decision, ...verdict.findings].forEach(spoken);
  return verdict;
}
const of = (matters: Decision[], setting?: Setting) => verdictOn(matters, setting).decision;

describe("among several decisions", () => {
  test.each<[what: string, Decision]>([
    ["enabling it", enable],
    ["cancelling its deletion", called({ kind: "CancelKeyDeletion", keyId: "key-1" })],
    ["recording a restore", changed("restore-started")],
  ])("a restore comes first: %s", (_what, restore) => {
    expect(of([read, halt, restore])).toEqual(restore);
  });

  test("all reads come before anything other", () => {
    const other: Decision = { kind: "observe", reads: [{ kind: "grants", keyId: "key-3" }] };
    expect(of([read, halt, other])).toEqual({
      kind: "observe",
      reads: [
        { kind: "tags", keyId: "key-1" },
        { kind: "grants", keyId: "key-3" },
      ],
    });
    expect(of([changed("drained"), untag, read])).toEqual(read);
  });

  test("a halt stops everything, a change comes before a call, and a retry comes last", () => {
    expect(of([retry, changed("drained"), halt])).toEqual(halt);
    expect(of([retry, untag, changed("drained")])).toEqual(changed("drained"));
    expect(of([wait(5), retry, untag])).toEqual(untag);
    expect(of([wait(5), retry])).toEqual(retry);
  });

  test("a retry comes first during a restore", () => {
    const restored = { because: "use", cancel: true, relabelled: false } as const;
    const back = {
      record: { rotations: [...rotations.slice(0, 1), { ...rotations[1], restored }] },
    };
    expect(of([halt, retry, untag], back as Setting)).toEqual(retry);
    expect(of([wait(7), wait(5), halt], back as Setting)).toEqual(halt);
  });

  test("the earliest wait counts", () => {
    expect(of([wait(7), wait(5), wait(9)])).toEqual(wait(5));
    expect(of([wait(5), wait(7), wait(9)])).toEqual(wait(5));
    expect(of([wait(9), wait(7), wait(5)])).toEqual(wait(5));
  });
});

describe("a changing call", () => {
  test("waits until no earlier one can land", () => {
    expect(of([untag], { record: { unsettled } })).toEqual({
      kind: "blocked",
      untilMs: blockedMs,
      reason: "an earlier call may still take effect; UntagResource waits",
    });
    expect(of([untag], { record: { unsettled: [{ epoch: 7, untilMs: blockedMs }] } })).toEqual(
      untag,
    );
  });

  test("that restores a key never waits", () => {
    expect(of([enable], { record: { unsettled } })).toEqual(enable);
  });

  test("requires a record that is not behind KMS", () => {
    const its = { "keyturn:owner": "acme", "keyturn:alias": alias, "keyturn:version": "4" };
    const observed = {
      lineage: { [alias]: present([{ keyId: "key-4", tags: its }]) },
      key: { "key-4": observedKey("key-4") },
      tags: { "key-4": present(its) },
    };
    expect(of([untag], { observed })).toMatchObject(halts("STATE_BEHIND_KMS", alias));
    expect(of([wait(5)], { observed })).toEqual(wait(5));
    expect(of([untag])).toEqual(untag);
  });
});

describe("a restore, where a call of this pass has no answer", () => {
  const unanswered = (kind: Call["kind"]) => [
    { ...aRotation({ id: "r1", from: 1, to: 2 }), unanswered: kind },
    ...rotations.slice(1),
  ];
  const unsure = { record: { rotations: unanswered("EnableKey") }, context: { uncertain: true } };
  const at = (decision: Decision, { record }: Setting, uncertain: boolean) => {
    const parked = { r1: decision, r2: wait(9), active: wait(9) };
    return of([], { ...(record ? { record } : {}), context: { parked, uncertain } });
  };
  const again = { kind: "retry", reason: "EnableKey gave no answer" };

  test("waits for the next pass, where it was that call", () => {
    expect(at(enable, unsure, true)).toEqual(again);
    expect(at(enable, unsure, false)).toEqual(enable);
  });

  test("continues, where it was another", () => {
    expect(at(enable, { record: { rotations: unanswered("DisableKey") } }, true)).toEqual(enable);
    expect(at(enable, {}, true)).toEqual(enable);
  });

  test("waits for the next pass where no rotation has that version", () => {
    const call: Call = { kind: "EnableKey", keyId: "key-1" };
    const ofActive = called(call, { kind: "active" });
    expect(at(ofActive, {}, true)).toEqual(again);
    expect(at(ofActive, {}, false)).toEqual(ofActive);
  });
});

describe("findings", () => {
  const deleted = (subject: string, sinceMs: number): Finding =>
    finding("VERSION_DELETED", subject, "it is deleted", "aws cloudtrail", sinceMs);
  const reported = (what: Finding): Decision => ({ kind: "halt", finding: what });
  const waiting = (what: Finding): Decision => ({
    kind: "wait",
    untilMs: nowMs + hourMs,
    reason: "it waits",
    finding: what,
  });
  const found = (matters: Decision[], setting?: Setting) => verdictOn(matters, setting).findings;

  test("come from every matter, independent of the next decision", () => {
    const both = [reported(deleted("key-1", nowMs)), waiting(deleted("key-2", nowMs)), untag];
    expect(found(both)).toEqual([deleted("key-1", nowMs), deleted("key-2", nowMs)]);
    expect(found([untag, wait(5), retry])).toEqual([]);
  });

  test("appear once for one subject", () => {
    const twice = [
      reported(deleted("key-1", nowMs)),
      reported({ ...deleted("key-1", nowMs), observed: "again" }),
    ];
    expect(found(twice)).toEqual([deleted("key-1", nowMs)]);
  });

  test("keep the time of their first report", () => {
    const findings = [deleted("key-3", 3), deleted("key-1", 5)];
    const both = [reported(deleted("key-1", nowMs)), waiting(deleted("key-2", nowMs))];
    expect(found(both, { record: { findings } })).toEqual([
      deleted("key-1", 5),
      deleted("key-2", nowMs),
    ]);
  });

  test("include the record's own findings", () => {
    const unlistedAliases = ["alias/other"];
    expect(found([halt], { record: { unlistedAliases } })).toMatchObject([
      { code: "UNLISTED_ALIAS", subject: "alias/other" },
      { code: "VERSION_DELETED" },
    ]);
  });

  test("exclude the record's own findings where it is not configured", () => {
    const record = { unlistedAliases: ["alias/other"], unenrolment: { by: "ada", atMs: 5 } };
    const parked = { "un-enrolment": halt };
    const unnamed = { home: undefined, parked };
    expect(found([], { record, context: unnamed })).toMatchObject([{ code: "VERSION_DELETED" }]);
    expect(found([], { record, context: { parked } })).toHaveLength(2);
  });
});
