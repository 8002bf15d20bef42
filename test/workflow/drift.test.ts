import { describe, expect, test } from "vitest";
import {
  drifted,
  neededOrDrifted,
  observeAgainAtMs,
  waitObserving,
} from "../../lambda/workflow/drift/drift.ts";
import { dayMs } from "../fixtures.ts";
import { halts, nextOf, spoken, waits } from "./decided.ts";
import {
  absent,
  aRotation,
  nowMs,
  present,
  observedKey,
  stepScene,
  type Observations,
} from "./scene.ts";

const out = { old: { state: "disabled" as const } };
const enabled = { key: { "key-1": observedKey("key-1") } };
const ofAnother = { tags: { "key-1": present({ "keyturn:owner": "globex" }) } };
const onIt = { aliases: { "key-1": present(["alias/other"]) } };

function outOfUse(observed: Observations) {
  return stepScene("revoke", { ...out, observed });
}

describe("a draining version", () => {
  test("that is Enabled is in its expected state", () => {
    expect(drifted(stepScene("drain"), "Enabled")).toBeUndefined();
  });

  test("is observed first", () => {
    const scene = stepScene("drain", { observed: { key: { "key-1": undefined } } });
    expect(drifted(scene, "Enabled")).toEqual({
      kind: "observe",
      reads: [{ kind: "key", key: "key-1" }],
    });
  });

  test("that an external actor disabled halts at once, with the command that enables it", () => {
    const observed = {
      key: { "key-1": observedKey("key-1", { state: "Disabled" }) },
      aliases: { "key-1": undefined },
      tags: { "key-1": undefined },
    };
    const scene = stepScene("drain", { observed });
    expect(spoken(drifted(scene, "Enabled"))).toMatchObject({
      kind: "halt",
      finding: { code: "DISABLED_BY_OTHERS", next: "aws kms enable-key --key-id key-1" },
    });
  });

  test("that is not in KMS is deleted, in any expected state", () => {
    const observed = { key: { "key-1": absent }, aliases: { "key-1": undefined } };
    for (const expected of ["Enabled", "Disabled"] as const) {
      expect(drifted(stepScene("drain", { observed }), expected)).toMatchObject(
        halts("VERSION_DELETED", "key-1"),
      );
    }
  });
});

describe("a version out of use that an external actor enabled", () => {
  test("has its aliases and its owner observed before a command disables it", () => {
    const unseen = { aliases: { "key-1": undefined }, tags: { "key-1": undefined } };
    expect(drifted(outOfUse({ ...enabled, ...unseen }), "Disabled")).toEqual({
      kind: "observe",
      reads: [
        { kind: "aliases", keyId: "key-1" },
        { kind: "tags", keyId: "key-1" },
      ],
    });
  });

  test("halts with the command that disables it, where no alias is on it", () => {
    for (const drift of [drifted, neededOrDrifted]) {
      expect(spoken(drift(outOfUse(enabled), "Disabled"))).toMatchObject({
        kind: "halt",
        finding: { code: "VERSION_CHANGED", next: "aws kms disable-key --key-id key-1" },
      });
    }
  });

  test("and that has another owner's tag belongs to that owner", () => {
    for (const drift of [drifted, neededOrDrifted]) {
      const found = drift(outOfUse({ ...enabled, ...ofAnother, ...onIt }), "Disabled");
      expect(spoken(found)).toMatchObject(halts("OTHER_OWNER", "key-1"));
    }
  });

  test("with an alias on it is restored, or an operator must move the alias", () => {
    const scene = outOfUse({ ...enabled, ...onIt });
    expect(spoken(drifted(scene, "Disabled"))).toMatchObject(
      halts("ALIAS_ON_OLD_VERSION", "key-1"),
    );
    const [rotation] = nextOf(neededOrDrifted(scene, "Disabled")).rotations;
    expect(rotation?.restored).toMatchObject({ because: "alias" });
  });
});

describe("a wait", () => {
  const untilMs = nowMs + 5 * dayMs;

  test("continues while the version is in its expected state", () => {
    expect(waitObserving(stepScene("drain"), "Enabled", untilMs, "in drain")).toEqual({
      kind: "wait",
      untilMs,
      reason: "in drain",
    });
  });

  test("ends where the version changed, and restores one with an alias", () => {
    expect(waitObserving(outOfUse(enabled), "Disabled", untilMs, "soak")).toMatchObject(
      halts("VERSION_CHANGED", "key-1"),
    );
    const aliased = outOfUse({ ...enabled, ...onIt });
    const [rotation] = nextOf(waitObserving(aliased, "Disabled", untilMs, "soak")).rotations;
    expect(rotation?.restored).toMatchObject({ because: "alias" });
    const disabled = stepScene("drain", {
      observed: { key: { "key-1": observedKey("key-1", { state: "Disabled" }) }, ...onIt },
    });
    expect(waitObserving(disabled, "Enabled", untilMs, "in drain")).toMatchObject(
      halts("DISABLED_BY_OTHERS", "key-1"),
    );
  });

  test("observes nothing while a call without an answer may change the version", () => {
    const observed = { key: { "key-1": undefined } };
    const scene = stepScene("revoke", { ...out, observed, rotation: { unanswered: "DisableKey" } });
    expect(waitObserving(scene, "Disabled", untilMs, "soak")).toMatchObject(waits(untilMs));
  });
});

describe("retiring versions are observed again within a day", () => {
  test.each(["drain", "revoke"] as const)("in %s", (step) => {
    const rotations = [aRotation({ step })];
    expect(observeAgainAtMs({ rotations }, nowMs)).toBe(nowMs + dayMs);
    const unenrolment = { by: "ada", atMs: nowMs };
    expect(observeAgainAtMs({ rotations, unenrolment }, nowMs)).toBe(Infinity);
  });

  test.each(["generate", "distribute", "activate"] as const)("but not in %s", (step) => {
    expect(observeAgainAtMs({ rotations: [aRotation({ step })] }, nowMs)).toBe(Infinity);
    expect(observeAgainAtMs({ rotations: [] }, nowMs)).toBe(Infinity);
  });
});
