/** A refusal after the approval of a deletion: keyturn cancels it, and the version stays disabled. */
import { describe, expect, test } from "vitest";
import { applyDone } from "../../lambda/workflow/apply-outcome.ts";
import { decideRevoke } from "../../lambda/workflow/5-revoke.ts";
import { decide } from "../../lambda/workflow/workflow.ts";
import { nothingObserved } from "../../lambda/workflow/safety/observations.ts";
import type { RefusedUse } from "../../lambda/workflow/model/types.ts";
import { dayMs, minuteMs } from "../fixtures.ts";
import { calls, changes, halts, nextOf, readsOf, spoken, waits } from "./decided.ts";
import {
  accepting,
  aUse,
  othersOf,
  reader,
  soaked,
  usesOf,
  type On,
  type RefusedSetting,
} from "./refused.ts";
import { anApproval, nowMs, observedKey, present } from "./scene.ts";

const deletionAtMs = nowMs + 5 * dayMs;
const id = `refused:1|${reader}|Decrypt|AccessDenied`;
const approved = anApproval({ of: "delete", atMs: nowMs - 3 * dayMs });
const stateOf = (state: "Enabled" | "Disabled" | "PendingDeletion") => ({
  key: { "key-1": observedKey("key-1", { state, deletionAtMs }) },
});

function scene({ rotation, old, observed, ...setting }: RefusedSetting = {}) {
  return soaked({
    ...setting,
    old: { state: "pending-deletion", deletionAtMs, ...old },
    rotation: { approval: approved, stepSinceMs: nowMs - dayMs, ...rotation },
    ...(observed === undefined ? {} : { observed }),
  });
}
const decided = (setting: RefusedSetting) => spoken(decideRevoke(scene(setting)));
const refused = (use: Partial<RefusedUse> = {}, subject = "key-1"): On => ({
  [subject]: usesOf(aUse(use)),
});
const cancels = calls("CancelKeyDeletion", { keyId: "key-1" });

describe("a deletion that is scheduled", () => {
  test("goes on where nobody is refused", () => {
    expect(decided({})).toMatchObject(waits(deletionAtMs));
  });

  test.each<[what: string, on: On]>([
    ["a reader of the version", refused()],
    ["a caller that the move locked out", refused({ operation: "Encrypt" }, "key-2")],
    ["a reader by the alias", refused({ error: "IncorrectKeyException" }, "alias")],
    ["further uses beyond the first twenty", { "key-1": othersOf() }],
  ])("is cancelled by a refusal of %s", (_whom, on) => {
    expect(decided({ on })).toMatchObject(cancels);
  });

  test("is cancelled with the id of the caller as the reason", () => {
    expect(decided({ on: refused() })).toMatchObject({
      reason: `refused after the approval: ${id}, once, at 1972-09-26T00:00:00Z`,
    });
  });

  test("goes on where the approval, or the configuration, accepts the caller", () => {
    const approval = { ...approved, accepts: [id] };
    expect(decided({ on: refused(), rotation: { approval } })).toMatchObject(waits(deletionAtMs));
    const context = { acceptedRefusals: [accepting()] };
    expect(decided({ on: refused(), context })).toMatchObject(waits(deletionAtMs));
    const both = refused();
    both["key-1"] = usesOf(aUse(), aUse({ principal: "another" }));
    expect(decided({ on: both, rotation: { approval } })).toMatchObject(cancels);
  });

  test("goes on where a caller only originates", () => {
    expect(decided({ on: refused({ operation: "Encrypt" }) })).toMatchObject(waits(deletionAtMs));
  });

  test("is cancelled where callers joined the others since the approval that accepts them", () => {
    const approval = { ...approved, accepts: ["refused:1|others"] };
    const joined = (joinedAtMs: number) =>
      decided({ on: { "key-1": othersOf({ joinedAtMs }) }, rotation: { approval } });
    expect(joined(approved.atMs - dayMs)).toMatchObject(waits(deletionAtMs));
    expect(joined(approved.atMs - dayMs + 1)).toMatchObject(cancels);
    expect(joined(nowMs)).toMatchObject(cancels);
  });

  test("is left to the actor that scheduled it where no evidence is on record, and nobody is refused", () => {
    const rotation = { evidence: undefined, approval: undefined };
    expect(decided({ rotation })).toMatchObject(waits(deletionAtMs));
  });

  test("is cancelled by a refusal without evidence on record, too, and the version stays disabled", () => {
    const rotation = { evidence: undefined, approval: undefined };
    const given = scene({ on: refused(), rotation, old: { disabledAtMs: undefined } });
    const decision = spoken(decideRevoke(given));
    expect(decision).toMatchObject(cancels);
    if (decision.kind !== "call") throw new Error("no call");
    const { next } = applyDone(given.record, decision, { kind: "done" }, given.context);
    expect(next.rotations).toEqual([]);
    expect(next.versions[0]).toMatchObject({ state: "disabled", disabledAtMs: nowMs });
  });

  test("of a key with another owner's tag is not touched", () => {
    const tags = { "key-1": present({ "keyturn:owner": "other" }) };
    const given = scene({ on: refused() });
    const observed = { ...given.observed, tags };
    expect(spoken(decideRevoke({ ...given, observed }))).toMatchObject(
      halts("OTHER_OWNER", "key-1"),
    );
  });

  test("is cancelled once its key and its tags were observed, in two reads", () => {
    const full = scene({ on: refused() });
    const { refusals } = full.observed;
    const asked = readsOf(
      (observed) => decideRevoke({ ...full, observed: { ...observed, refusals } }),
      full.observed,
    );
    expect(asked).toEqual(["key key-1", "tags key-1"]);
  });
});

describe("whatever else the managed key does, the deletion is cancelled", () => {
  const decision = (setting: RefusedSetting) => {
    const { record, observed, context } = scene(setting);
    return decide(record, observed, context).decision;
  };
  const hold = (kind: "pause" | "restored") => [
    { kind, atMs: 0, by: "ada", reason: "", version: 1 },
  ];

  test.each<[what: string, setting: RefusedSetting]>([
    ["it does nothing else", {}],
    ["it is paused", { record: { holds: hold("pause") } }],
    ["a use attempt holds it", { record: { holds: hold("restored") } }],
    ["it is no longer configured", { context: { home: undefined } }],
    [
      "an earlier call may still land",
      { record: { unsettled: [{ epoch: 3, untilMs: nowMs + minuteMs }] } },
    ],
  ])("where %s", (_what, setting) => {
    expect(decision({ on: refused(), ...setting })).toMatchObject(cancels);
  });

  test("not before the policies show whether the refusal is exempt", () => {
    const on = refused({ operation: "Encrypt", byKeyPolicy: true }, "key-2");
    const full = scene({ on });
    const { refusals, key } = full.observed;
    const observed = { ...nothingObserved(), refusals, key, tags: full.observed.tags };
    const first = decide(full.record, observed, full.context).decision;
    expect(first.kind).toBe("observe");
    expect(decision({ on })).toMatchObject(waits(deletionAtMs));
  });
});

describe("a CancelKeyDeletion without an answer", () => {
  const unanswered = "CancelKeyDeletion" as const;
  const after = (state: "Enabled" | "Disabled" | "PendingDeletion", on: On = refused()) => {
    const given = scene({ on, rotation: { unanswered } });
    const observed = { ...given.observed, key: { ...given.observed.key, ...stateOf(state).key } };
    return spoken(decideRevoke({ ...given, observed }));
  };

  test("is sent again while the key is pending deletion", () => {
    expect(after("PendingDeletion")).toMatchObject(cancels);
  });

  test("is sent again even where no refusal is left", () => {
    expect(after("PendingDeletion", {})).toMatchObject(cancels);
    expect(after("PendingDeletion", {})).toMatchObject({ reason: "keyturn had to cancel it" });
  });

  test("is on record once the key is disabled: the soak and the approval begin anew", () => {
    const done = after("Disabled");
    expect(done).toMatchObject(changes("deletion-cancelled", { version: 1, keyId: "key-1" }));
    const { versions, rotations } = nextOf(done);
    expect(versions[0]).toMatchObject({ state: "disabled" });
    expect(versions[0]).not.toHaveProperty("deletionAtMs");
    expect(rotations[0]).toMatchObject({ soakSinceMs: nowMs, stepSinceMs: nowMs });
    for (const field of ["approval", "unanswered"]) expect(rotations[0]).not.toHaveProperty(field);
  });

  test("is no reason to touch a key that somebody enabled", () => {
    expect(after("Enabled")).toMatchObject(halts("VERSION_CHANGED", "key-1"));
  });
});
