import { describe, expect, test } from "vitest";
import type { Decision, Extra, Request, UseAttempt } from "../../lambda/workflow/model/types.ts";
import { decide } from "../../lambda/workflow/workflow.ts";
import { aHome, aPolicy, dayMs, hourMs } from "../fixtures.ts";
import { calls, changes, halts, readsOf, spoken, waits } from "./decided.ts";
import {
  anApproveRequest,
  alias,
  aRotation,
  aScene,
  aVersion,
  blockedMs,
  nowMs,
  observedKey,
  present,
  retiredAtMs,
  type Setting,
  stepScene,
  type StepSetting,
  unsettled,
} from "./scene.ts";

const asked = { by: "ada", reason: "" };
const pause: Request = { ...asked, id: "p", kind: "pause" };
const resume: Request = { ...asked, id: "e", kind: "resume" };
const approve = anApproveRequest();
const held = { kind: "pause", atMs: 5, by: "ada", reason: "an incident" } as const;
const attempt: UseAttempt = {
  eventId: "event-1",
  keyId: "key-1",
  atMs: nowMs,
  operation: "Decrypt",
  principal: "arn:app",
  encryptionContextKeys: [],
};
const soon: Decision = { kind: "wait", untilMs: nowMs + 5, reason: "until soon" };
const later: Decision = { kind: "wait", untilMs: nowMs + 9, reason: "until later" };
const verdictOn = ({ record, observed, context }: ReturnType<typeof aScene>) => {
  const verdict = decide(record, observed, context);
  [verdict.decision, ...verdict.findings].forEach(spoken);
  return verdict;
};
const inRevoke = (setting: StepSetting) =>
  verdictOn(stepScene("revoke", { old: { state: "disabled" }, ...setting }));
const at = (setting: Setting = {}) => verdictOn(aScene(setting)).decision;

describe("an attempt to use a version that is out of use", () => {
  test("comes before all requests", () => {
    const { decision, findings } = inRevoke({ context: { attempt, requests: [pause] } });
    expect(decision).toMatchObject(changes("restore-started", { eventId: "event-1" }));
    expect(findings).toEqual([]);
  });

  test("creates a hold that an earlier resume does not end", () => {
    const context = { attempt, requests: [pause, resume] };
    const { decision, findings } = inRevoke({ context, record: { holds: [held] } });
    expect(decision).toMatchObject(changes("resumed", { request: "e" }));
    expect(findings).toEqual([]);
  });

  test("that is already known continues the restore, and leaves requests to another run", () => {
    const context = { attempt: { ...attempt, keyId: "key-9" }, requests: [pause] };
    expect(at({ context: { ...context, parked: { active: soon } } })).toEqual(soon);
  });
});

describe("a request", () => {
  test("comes before all open matters, in order", () => {
    const rotate: Request = { ...asked, id: "r", kind: "rotate" };
    const record = { unenrolment: { by: "ada", atMs: 5 } };
    const scene = aScene({ record, context: { requests: [rotate, pause] } });
    const { decision, findings } = verdictOn(scene);
    expect(decision).toMatchObject(changes("request-rejected", { request: "r" }));
    expect(findings).toEqual([]);
  });

  test("does not wait for an approval, which needs a read of KMS", () => {
    expect(at({ context: { requests: [approve, pause] } })).toMatchObject(changes("paused"));
    const alone = at({ context: { requests: [approve] } });
    expect(alone).toMatchObject({ kind: "change", entry: { detail: { request: "a" } } });
  });
});

describe("a managed key", () => {
  const unenrolment = { by: "ada", atMs: 5 };
  const policy = aPolicy({ name: "yearly" });

  test("that is being un-enrolled has its tags removed, paused or not", () => {
    const record = { unenrolment, holds: [held] };
    expect(at({ record })).toMatchObject(
      calls("UntagResource", { keyId: "key-1" }, { kind: "un-enrolment" }),
    );
    expect(at({ record, context: { parked: { "un-enrolment": soon } } })).toEqual(soon);
  });

  test("that is held is not observed again after it was rebuilt", () => {
    const rebuilt = { reconciledAtMs: 5, unsettled };
    expect(at({ record: { ...rebuilt, holds: [held] } })).toMatchObject({
      finding: { code: "PAUSED" },
    });
    expect(at({ record: rebuilt })).toMatchObject({
      ...waits(blockedMs),
      reason: "a call from before the restore may still take effect",
    });
  });

  test("that was rebuilt is observed again before its configuration applies", () => {
    const context = { home: aHome({ alias, policy }) };
    const rebuilt = { reconciledAtMs: 5, unsettled };
    expect(at({ context, record: rebuilt })).toMatchObject(waits(blockedMs));
    expect(at({ context })).toMatchObject(changes("configured"));
  });

  test("that is not enrolled yet is only enrolled", () => {
    const record = { enrolledAtMs: undefined, versions: [] };
    expect(at({ record, observed: { key: { [alias]: undefined } } })).toEqual({
      kind: "observe",
      reads: [{ kind: "key", key: alias }],
    });
    expect(at({ record, context: { parked: { enrolment: soon, active: later } } })).toEqual(soon);
  });
});

describe("the open matters of a managed key", () => {
  const extra: Extra = { keyId: "key-9", rotationId: "r0", madeAfterMs: 0, foundAtMs: nowMs };
  const versions = [
    aVersion(1, { state: "draining", retiredAtMs, label: "r1" }),
    aVersion(2, { activatedAtMs: retiredAtMs }),
  ];
  const open = (parked: Record<string, Decision>, extras = [extra]) => {
    const rotations = [aRotation({ drainSinceMs: nowMs, labelledAtMs: nowMs })];
    return at({ record: { versions, rotations, extras }, context: { parked } });
  };

  test("include every rotation, the active version, and every excess key", () => {
    expect(open({})).toMatchObject({ ...waits(nowMs + 65 * 60_000) });
    expect(open({}, [])).toMatchObject(waits(nowMs + 30 * dayMs));
    expect(open({ r1: { ...later, untilMs: Infinity } }, [])).toMatchObject({
      ...waits(retiredAtMs + 83 * dayMs),
      reason: "within cryptoperiod",
    });
  });

  test("keep the decision about a call that KMS refused in this pass", () => {
    expect(open({ r1: soon })).toEqual(soon);
    expect(open({ active: soon })).toEqual(soon);
    expect(open({ "key-9": soon })).toEqual(soon);
    expect(open({ "key-9": later, r1: soon })).toEqual(soon);
  });

  test("exclude an excess key that is out of use", () => {
    const quarantined = { ...extra, quarantinedAtMs: 5 };
    expect(open({ "key-9": soon }, [quarantined])).toMatchObject(waits(nowMs + 30 * dayMs));
  });

  test("are read only as far as decided", () => {
    const readsSince = (inspectedAtMs: number | undefined) => {
      const { record, context, observed } = stepScene("drain", { record: { inspectedAtMs } });
      return readsOf((some) => decide(record, some, context).decision, observed);
    };
    const ofStep = ["key key-1", "aliases key-1", "last-use key-1"];
    expect(readsSince(nowMs)).toEqual(ofStep);
    // The drain ends with a change of the record: the daily inspection waits.
    expect(readsSince(undefined)).toEqual(ofStep);
  });
});

describe("an old version that an external actor changed", () => {
  const disabled = { key: { "key-1": observedKey("key-1", { state: "Disabled" }) } };
  const wanted = { by: "ada", reason: "an incident", atMs: nowMs, urgent: false };
  const inDrain = (setting: StepSetting) => {
    const { record, ...rest } = setting;
    return verdictOn(stepScene("drain", { ...rest, record: { inspectedAtMs: nowMs, ...record } }));
  };

  test("waits for an operator, and the next rotation opens", () => {
    const { decision, findings } = inDrain({ observed: disabled });
    expect(decision).toMatchObject(waits(nowMs + hourMs, "DISABLED_BY_OTHERS", "key-1"));
    expect(findings).toMatchObject([{ code: "DISABLED_BY_OTHERS" }]);
    const next = inDrain({ observed: disabled, record: { wanted } });
    expect(next.decision).toMatchObject(changes("opened", { from: 2, to: 3 }));
    expect(next.findings).toMatchObject([{ code: "DISABLED_BY_OTHERS" }]);
  });

  test("halts the managed key where its label shows that the record is behind KMS", () => {
    const tags = { "keyturn:owner": "acme", "keyturn:retired": "r7" };
    const observed = { tags: { "key-1": present(tags) } };
    const unlabelled = { old: { label: undefined }, rotation: { labelledAtMs: undefined } };
    const { decision } = inDrain({ ...unlabelled, observed, record: { wanted } });
    expect(decision).toMatchObject(halts("STATE_BEHIND_KMS", alias));
  });

  test("that is active halts it", () => {
    const key = { "key-2": observedKey("key-2", { state: "Disabled" }) };
    const { decision } = inDrain({ observed: { key }, record: { wanted } });
    expect(decision).toMatchObject(halts("DISABLED_BY_OTHERS", "key-2"));
  });
});

describe("an open rotation", () => {
  const untilOf = (changesOf: StepSetting, atLeastMs: number) => {
    const drain = { atLeastMs, quietForMs: 14 * dayMs, evidence: "required" as const };
    const policy = aPolicy({ drain });
    const home = aHome({ alias, policy });
    const rotation = { drainSinceMs: nowMs, ...changesOf.rotation };
    const scene = stepScene("drain", { rotation, record: { policy }, context: { home } });
    return verdictOn(scene).decision;
  };

  test("adopts the milder parts of the present policy", () => {
    expect(untilOf({}, 31 * dayMs)).toMatchObject(waits(nowMs + 31 * dayMs));
    expect(untilOf({}, 29 * dayMs)).toMatchObject(waits(nowMs + 30 * dayMs));
  });

  test("from a compromised version waits no longer than KMS needs", () => {
    expect(untilOf({ rotation: { urgent: true } }, 30 * dayMs)).toMatchObject(
      waits(nowMs + 2 * hourMs),
    );
  });
});
