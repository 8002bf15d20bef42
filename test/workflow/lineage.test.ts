import { describe, expect, test } from "vitest";
import {
  behind,
  isOurs,
  labelOf,
  lineageFirst,
  numberOf,
  otherTable,
  wrongLabel,
} from "../../lambda/workflow/safety/lineage.ts";
import { labelAs, labelled, unsureOfLabel } from "../../lambda/workflow/safety/label.ts";
import type { Tags } from "../../lambda/workflow/model/types.ts";
import { minuteMs } from "../fixtures.ts";
import { calls, changes, halts, readsOf, nextOf, spoken, waits } from "./decided.ts";
import {
  absent,
  alias,
  aContext,
  aRecord,
  aVersion,
  denied,
  nowMs,
  present,
  observedKey,
  type Observations,
  stepScene,
  type StepSetting,
} from "./scene.ts";

const tags = (number: string, more: Tags = {}): Tags => ({
  "keyturn:owner": "acme",
  "keyturn:alias": alias,
  "keyturn:version": number,
  ...more,
});
const found = (keyId: string, its: Tags): Observations => ({
  lineage: { [alias]: present([{ keyId, tags: its }]) },
});
const first = (observed: Observations, setting: StepSetting = {}) =>
  spoken(lineageFirst(stepScene("drain", { ...setting, observed })));

describe("a key that a search by our tags finds, and that is not on record", () => {
  const shown = (
    its: Tags,
    key: Observations["key"] = { "key-3": observedKey("key-3") },
  ): Observations => ({
    ...found("key-3", tags("3")),
    key,
    tags: { "key-3": present(its) },
  });

  test("is read: the search may lag", () => {
    const scene = stepScene("drain", { observed: found("key-3", tags("3")) });
    const asked = readsOf((observed) => lineageFirst({ ...scene, observed }), scene.observed);
    expect(asked).toEqual([`lineage ${alias}`, "key key-3", "tags key-3"]);
  });

  test("is a newer version, by its own tags: the record is behind KMS", () => {
    const halt = first(shown(tags("3")));
    expect(halt).toMatchObject(halts("STATE_BEHIND_KMS", alias));
    expect(halt).toMatchObject({
      finding: { observed: "key-3 is tagged as version 3; the last one on record is 2" },
    });
  });

  test.each<[what: string, observed: Observations]>([
    ["is no newer than the record", shown(tags("2"))],
    ["has no number", shown(tags("many"))],
    ["is another owner's", shown(tags("3", { "keyturn:owner": "x" }))],
    ["is another managed key's", shown(tags("3", { "keyturn:alias": "alias/x" }))],
    ["is deleted", shown(tags("3"), { "key-3": absent })],
    ["has tags that may not be read", { ...shown({}), tags: { "key-3": denied } }],
    ["is a version on record", found("key-2", tags("9"))],
    ["was not found at all", { lineage: { [alias]: absent } }],
  ])("%s", (_what, observed) => {
    expect(first(observed)).toBeUndefined();
  });

  test("is an excess key on record", () => {
    const extras = [{ keyId: "key-3", rotationId: "r0", madeAfterMs: 0, foundAtMs: 0 }];
    expect(first(shown(tags("3")), { record: { extras } })).toBeUndefined();
  });
});

describe("a version with another label in a search", () => {
  const odd = found("key-1", tags("1", { "keyturn:retired": "r5" }));
  const itself = (its: Tags): Observations => ({ ...odd, tags: { "key-1": present(its) } });

  test("is read, and its own tags decide", () => {
    const scene = stepScene("drain", { observed: odd });
    const asked = readsOf((observed) => lineageFirst({ ...scene, observed }), scene.observed);
    expect(asked).toEqual([`lineage ${alias}`, "tags key-1"]);
    expect(first(odd)).toBeUndefined();
    const halt = first(itself(tags("1", { "keyturn:retired": "r5" })));
    expect(halt).toMatchObject(halts("STATE_BEHIND_KMS", alias));
    expect(halt).toMatchObject({
      finding: { observed: "version 1, key-1: its label is r5; the record has r1" },
    });
  });

  test("is not read where the search agrees with the record", () => {
    const scene = stepScene("drain", {
      observed: found("key-1", tags("1", { "keyturn:retired": "r1" })),
    });
    const asked = readsOf((observed) => lineageFirst({ ...scene, observed }), scene.observed);
    expect(asked).toEqual([`lineage ${alias}`]);
  });
});

describe("the label on a version", () => {
  const wrong = (label: string | undefined, setting: StepSetting = {}) => {
    const retired = label === undefined ? {} : { "keyturn:retired": label };
    const scene = stepScene("drain", {
      ...setting,
      observed: { tags: { "key-1": present(tags("1", retired)) } },
    });
    return spoken(wrongLabel(scene, scene.old));
  };

  test.each<[what: string, label: string | undefined, setting: StepSetting, right: boolean]>([
    ["is as on record", "r1", {}, true],
    ["differs", "r2", {}, false],
    ["is missing", undefined, {}, false],
    ["is absent, and none is on record", undefined, { old: { label: undefined } }, true],
    ["is not on record", "r1", { old: { label: undefined } }, false],
    ["is unknown", "r9", { old: { label: "unknown" } }, true],
    [
      "matches a call without an answer",
      "r1",
      { old: { label: undefined }, rotation: { unanswered: "TagResource" } },
      true,
    ],
    [
      "matches that call after a restore",
      "r1.2",
      { rotation: { unanswered: "TagResource" } },
      true,
    ],
    ["does not match that call", "r1.3", { rotation: { unanswered: "TagResource" } }, false],
    [
      "is absent, as before that call",
      undefined,
      { rotation: { unanswered: "TagResource" } },
      false,
    ],
    [
      "does not match a call of another kind",
      "r1.2",
      { rotation: { unanswered: "EnableKey" } },
      false,
    ],
    [
      "belongs to another version's rotation",
      "r1.2",
      { rotation: { unanswered: "TagResource", from: 2 } },
      false,
    ],
    [
      "is absent, as after a call without an answer",
      undefined,
      { rotation: { unanswered: "UntagResource", to: 1 } },
      true,
    ],
    [
      "is absent, and that call was for another version",
      undefined,
      { rotation: { unanswered: "UntagResource" } },
      false,
    ],
    [
      "differs, and that call cannot have set it",
      "r7",
      { rotation: { unanswered: "UntagResource", to: 1 } },
      false,
    ],
  ])("%s", (_what, label, setting, right) => {
    if (right) expect(wrong(label, setting)).toBeUndefined();
    else expect(wrong(label, setting)).toMatchObject(halts("STATE_BEHIND_KMS", alias));
  });

  test("that was set within five minutes may not be visible yet", () => {
    const at = (ms: number) => ({ record: { authorizationChangedAtMs: nowMs - ms } });
    expect(wrong(undefined, at(5 * minuteMs - 1))).toMatchObject(waits(nowMs + 1));
    expect(wrong(undefined, at(5 * minuteMs))).toMatchObject({
      finding: { observed: "version 1, key-1: its label is missing; the record has r1" },
    });
    const none = wrong("r1", { old: { label: undefined } });
    expect(none).toMatchObject({
      finding: { observed: expect.stringMatching(/record has none$/) as string },
    });
  });

  test("that cannot be read is not wrong, nor is one of a key that is no version", () => {
    const scene = stepScene("drain", { observed: { tags: { "key-1": absent } } });
    expect(wrongLabel(scene, scene.old)).toBeUndefined();
    const observed = { tags: { "key-9": present({ "keyturn:retired": "r9" }) } };
    const other = { ...scene.old, number: 9, keyId: "key-9" };
    expect(wrongLabel(stepScene("drain", { observed }), other)).toBeUndefined();
  });

  test("has the count of its version's drains", () => {
    expect([labelOf("r1", 1), labelOf("r1", 2)]).toEqual(["r1", "r1.2"]);
  });
});

describe("setting the label", () => {
  const put = (setting: StepSetting, episode = 1) =>
    spoken(labelAs(stepScene("drain", setting), episode, "it was restored"));

  test("is one call for each episode", () => {
    const call = calls("TagResource", { keyId: "key-1", tags: { "keyturn:retired": "r1" } });
    expect(put({ old: { label: undefined } })).toMatchObject({
      ...call,
      reason: "it was restored",
    });
    expect(put({}, 2)).toMatchObject(calls("TagResource", { tags: { "keyturn:retired": "r1.2" } }));
    expect(put({})).toMatchObject(call);
    const blind = { old: { label: undefined }, observed: { tags: { "key-1": absent } } };
    expect(put(blind)).toMatchObject(call);
  });

  test("is complete where a call without an answer did it", () => {
    const observed = { tags: { "key-1": present(tags("1", { "keyturn:retired": "r1" })) } };
    const done = put({
      old: { label: undefined },
      rotation: { unanswered: "TagResource" },
      observed,
    });
    expect(done).toMatchObject(changes("labelled", { version: 1, keyId: "key-1" }));
    expect(nextOf(done).rotations[0]).not.toHaveProperty("unanswered");
    expect(nextOf(done).versions[0]).toMatchObject({ label: "r1" });
  });

  test("is on record, and authorization may lag it", () => {
    const { record, rotation } = stepScene("drain", { old: { label: undefined } });
    const { next, entry } = labelled(record, rotation, nowMs);
    expect(entry).toMatchObject({ rotationId: "r1", step: "drain", event: "labelled" });
    expect(entry.reason).not.toBe("");
    expect(next).toMatchObject({
      authorizationChangedAtMs: nowMs,
      versions: [{ label: "r1" }, {}],
      rotations: [{ labelledAtMs: nowMs, episode: 1 }],
    });
    expect(next.rotations[0]).not.toHaveProperty("restored");
  });

  test("on a restored version begins its next episode", () => {
    const restored = { because: "use" as const, cancel: true, relabelled: false };
    const { record, rotation } = stepScene("drain", { rotation: { restored } });
    expect(labelled(record, rotation, nowMs).next).toMatchObject({
      versions: [{ label: "r1.2" }, {}],
      rotations: [{ episode: 2, restored: { because: "use", cancel: true, relabelled: true } }],
    });
  });

  test("without an answer leaves the label unknown, and so does removing it", () => {
    const version = aVersion(1, { label: "r1" });
    expect(unsureOfLabel(version, { unanswered: "TagResource" }).label).toBe("unknown");
    expect(unsureOfLabel(version, { unanswered: "UntagResource" }).label).toBe("unknown");
    expect(unsureOfLabel(version, { unanswered: "EnableKey" })).toEqual(version);
    expect(unsureOfLabel(version)).toEqual(version);
  });
});

describe("a record that is behind KMS", () => {
  test("may be from another table", () => {
    const { record } = stepScene("drain");
    expect(otherTable(record, aContext())).toBeUndefined();
    expect(spoken(otherTable(record, aContext({ tableId: "copy" })))).toMatchObject({
      code: "STATE_BEHIND_KMS",
      observed: "the record was written in table table; this table is copy",
    });
  });

  test("reports what reconciling would write, once shown, and the command to write it", () => {
    const plain = spoken(behind(aRecord(), "a key is newer", nowMs));
    expect(plain).toMatchObject({ subject: alias, observed: "a key is newer", sinceMs: nowMs });
    expect(plain.next).not.toMatch(/proposal/);
    const proposal = { revision: 12, lines: ["version 1 serves", "version 2 drains"] };
    const shown = behind(aRecord({ proposal }), "a key is newer", nowMs);
    expect(shown.observed).toBe(
      "a key is newer. Reconciling would write: version 1 serves; version 2 drains",
    );
    expect(shown.next).toBe(`npx keyturn reconcile ${alias} --proposal 12 --confirm ${alias}`);
    const long = behind(aRecord(), "x".repeat(3000), nowMs);
    expect(long.observed).toHaveLength(2000);
  });

  test("recognises its own key by owner and alias, and its number by a tag", () => {
    expect(isOurs(aRecord(), tags("1"))).toBe(true);
    expect(isOurs(aRecord(), tags("1", { "keyturn:owner": "x" }))).toBe(false);
    expect(isOurs(aRecord(), tags("1", { "keyturn:alias": "x" }))).toBe(false);
    const numbers = ["1", "42", "999999999"];
    const others = ["0", "01", "1x", "x1", "", "-1", "1000000000"];
    const read = (text: string) => numberOf({ "keyturn:version": text });
    expect(numbers.map(read)).toEqual([1, 42, 999999999]);
    expect([...others.map(read), numberOf({})].filter((one) => one !== 0)).toEqual([]);
  });
});
