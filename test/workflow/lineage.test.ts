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

describe("a key that a search by our tags finds, and the record does not know", () => {
  const shown = (
    its: Tags,
    key: Observations["key"] = { "key-3": observedKey("key-3") },
  ): Observations => ({
    ...found("key-3", tags("3")),
    key,
    tags: { "key-3": present(its) },
  });

  test("is looked at: the search may lag", () => {
    const scene = stepScene("drain", { observed: found("key-3", tags("3")) });
    const asked = readsOf((observed) => lineageFirst({ ...scene, observed }), scene.observed);
    expect(asked).toEqual([`lineage ${alias}`, "key key-3", "tags key-3"]);
  });

  test("is a newer version, by its own tags: the record is behind KMS", () => {
    const halt = first(shown(tags("3")));
    expect(halt).toMatchObject(halts("STATE_BEHIND_KMS", alias));
    expect(halt).toMatchObject({
      finding: { observed: "key-3 says it is version 3; the record knows none beyond 2" },
    });
  });

  test.each<[what: string, observed: Observations]>([
    ["is no newer than the record", shown(tags("2"))],
    ["says no number", shown(tags("many"))],
    ["is another owner's", shown(tags("3", { "keyturn:owner": "x" }))],
    ["is another managed key's", shown(tags("3", { "keyturn:alias": "alias/x" }))],
    ["is gone", shown(tags("3"), { "key-3": absent })],
    ["has tags that may not be seen", { ...shown({}), tags: { "key-3": denied } }],
    ["is a version on record", found("key-2", tags("9"))],
    ["was not found at all", { lineage: { [alias]: absent } }],
  ])("%s", (_what, observed) => {
    expect(first(observed)).toBeUndefined();
  });

  test("is an extra key on record", () => {
    const extras = [{ keyId: "key-3", rotationId: "r0", madeAfterMs: 0, foundAtMs: 0 }];
    expect(first(shown(tags("3")), { record: { extras } })).toBeUndefined();
  });
});

describe("a version whose label a search shows to be another", () => {
  const odd = found("key-1", tags("1", { "keyturn:retired": "r5" }));
  const itself = (its: Tags): Observations => ({ ...odd, tags: { "key-1": present(its) } });

  test("is looked at, and believed itself", () => {
    const scene = stepScene("drain", { observed: odd });
    const asked = readsOf((observed) => lineageFirst({ ...scene, observed }), scene.observed);
    expect(asked).toEqual([`lineage ${alias}`, "tags key-1"]);
    expect(first(odd)).toBeUndefined();
    const halt = first(itself(tags("1", { "keyturn:retired": "r5" })));
    expect(halt).toMatchObject(halts("STATE_BEHIND_KMS", alias));
    expect(halt).toMatchObject({
      finding: { observed: "version 1, key-1, is labelled r5; on record is r1" },
    });
  });

  test("is not looked at where the search shows what is on record", () => {
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
    ["is another", "r2", {}, false],
    ["is missing", undefined, {}, false],
    ["is none, and none is on record", undefined, { old: { label: undefined } }, true],
    ["is one that nobody put there", "r1", { old: { label: undefined } }, false],
    ["is not known", "r9", { old: { label: "unknown" } }, true],
    [
      "is what a call without an answer puts there",
      "r1",
      { old: { label: undefined }, rotation: { unanswered: "TagResource" } },
      true,
    ],
    [
      "is what it puts there when it came back",
      "r1.2",
      { rotation: { unanswered: "TagResource" } },
      true,
    ],
    [
      "is not what that call puts there",
      "r1.3",
      { rotation: { unanswered: "TagResource" } },
      false,
    ],
    [
      "is nothing, as that call leaves nothing",
      undefined,
      { rotation: { unanswered: "TagResource" } },
      false,
    ],
    [
      "is what another call cannot have put there",
      "r1.2",
      { rotation: { unanswered: "EnableKey" } },
      false,
    ],
    [
      "is that of another version's rotation",
      "r1.2",
      { rotation: { unanswered: "TagResource", from: 2 } },
      false,
    ],
    [
      "is off, as a call without an answer may have taken it",
      undefined,
      { rotation: { unanswered: "UntagResource", to: 1 } },
      true,
    ],
    [
      "is off, and that call was for another",
      undefined,
      { rotation: { unanswered: "UntagResource" } },
      false,
    ],
    [
      "is another, which that call cannot have put there",
      "r7",
      { rotation: { unanswered: "UntagResource", to: 1 } },
      false,
    ],
  ])("%s", (_what, label, setting, right) => {
    if (right) expect(wrong(label, setting)).toBeUndefined();
    else expect(wrong(label, setting)).toMatchObject(halts("STATE_BEHIND_KMS", alias));
  });

  test("that was put on within five minutes may not show yet", () => {
    const at = (ms: number) => ({ record: { authorizationChangedAtMs: nowMs - ms } });
    expect(wrong(undefined, at(5 * minuteMs - 1))).toMatchObject(waits(nowMs + 1));
    expect(wrong(undefined, at(5 * minuteMs))).toMatchObject({
      finding: { observed: "version 1, key-1, is labelled nothing; on record is r1" },
    });
    const none = wrong("r1", { old: { label: undefined } });
    expect(none).toMatchObject({
      finding: { observed: expect.stringMatching(/record is nothing$/) as string },
    });
  });

  test("that cannot be seen is not wrong, and neither is that of no version of ours", () => {
    const scene = stepScene("drain", { observed: { tags: { "key-1": absent } } });
    expect(wrongLabel(scene, scene.old)).toBeUndefined();
    const observed = { tags: { "key-9": present({ "keyturn:retired": "r9" }) } };
    const other = { ...scene.old, number: 9, keyId: "key-9" };
    expect(wrongLabel(stepScene("drain", { observed }), other)).toBeUndefined();
  });

  test("tells for the how manieth time its version drains", () => {
    expect([labelOf("r1", 1), labelOf("r1", 2)]).toEqual(["r1", "r1.2"]);
  });
});

describe("putting the label on", () => {
  const put = (setting: StepSetting, episode = 1) =>
    spoken(labelAs(stepScene("drain", setting), episode, "it came back"));

  test("is a call, once for each time", () => {
    const call = calls("TagResource", { keyId: "key-1", tags: { "keyturn:retired": "r1" } });
    expect(put({ old: { label: undefined } })).toMatchObject({ ...call, reason: "it came back" });
    expect(put({}, 2)).toMatchObject(calls("TagResource", { tags: { "keyturn:retired": "r1.2" } }));
    expect(put({})).toMatchObject(call);
    const blind = { old: { label: undefined }, observed: { tags: { "key-1": absent } } };
    expect(put(blind)).toMatchObject(call);
  });

  test("is done where a call without an answer had done it", () => {
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

  test("of a version that came back begins its next episode", () => {
    const restored = { because: "use" as const, cancel: true, relabelled: false };
    const { record, rotation } = stepScene("drain", { rotation: { restored } });
    expect(labelled(record, rotation, nowMs).next).toMatchObject({
      versions: [{ label: "r1.2" }, {}],
      rotations: [{ episode: 2, restored: { because: "use", cancel: true, relabelled: true } }],
    });
  });

  test("without an answer leaves the label unknown, and so does taking it off", () => {
    const version = aVersion(1, { label: "r1" });
    expect(unsureOfLabel(version, { unanswered: "TagResource" }).label).toBe("unknown");
    expect(unsureOfLabel(version, { unanswered: "UntagResource" }).label).toBe("unknown");
    expect(unsureOfLabel(version, { unanswered: "EnableKey" })).toEqual(version);
    expect(unsureOfLabel(version)).toEqual(version);
  });
});

describe("a record that is behind KMS", () => {
  test("is not that of another table", () => {
    const { record } = stepScene("drain");
    expect(otherTable(record, aContext())).toBeUndefined();
    expect(spoken(otherTable(record, aContext({ tableId: "copy" })))).toMatchObject({
      code: "STATE_BEHIND_KMS",
      observed: "the record was written in table table; this is copy",
    });
  });

  test("says what reconciling would write, once that was shown, and how to have it written", () => {
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

  test("knows a key of its own by owner and alias, and its number by a tag", () => {
    expect(isOurs(aRecord(), tags("1"))).toBe(true);
    expect(isOurs(aRecord(), tags("1", { "keyturn:owner": "x" }))).toBe(false);
    expect(isOurs(aRecord(), tags("1", { "keyturn:alias": "x" }))).toBe(false);
    const numbers = ["1", "42", "999999999"];
    const others = ["0", "01", "1x", "x1", "", "-1", "1000000000"];
    const read = (text: string): number => numberOf({ "keyturn:version": text });
    expect([...numbers, ...others].map(read)).toEqual([1, 42, 999999999, ...others.map(() => 0)]);
  });
});
