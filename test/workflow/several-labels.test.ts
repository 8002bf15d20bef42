/** Labels where several versions or rotations are on record. */
import { describe, expect, test } from "vitest";
import { lineageFirst, wrongLabel } from "../../lambda/workflow/safety/lineage.ts";
import { halts, spoken } from "./decided.ts";
import { alias, aRotation, aScene, aVersion, present, retiredAtMs, stepScene } from "./scene.ts";

const ours = { "keyturn:owner": "acme", "keyturn:alias": alias };
const odd = { ...ours, "keyturn:retired": "r9" };

describe("a search that finds odd labels", () => {
  test("is confirmed on each key: the first may be right by now, and the second wrong", () => {
    const lineage = {
      [alias]: present([
        { keyId: "key-1", tags: odd },
        { keyId: "key-2", tags: odd },
      ]),
    };
    const wrong = { lineage, tags: { "key-2": present(odd) } };
    expect(spoken(lineageFirst(stepScene("drain", { observed: wrong })))).toMatchObject(
      halts("STATE_BEHIND_KMS", alias),
    );
    expect(lineageFirst(stepScene("drain", { observed: { lineage } }))).toBeUndefined();
  });
});

describe("a label that a call without an answer set", () => {
  const retired = { state: "draining" as const, retiredAtMs };
  const versions = [aVersion(1, retired), aVersion(2, retired), aVersion(3)];
  const tags = { "key-1": present({ ...ours, "keyturn:retired": "r1" }) };
  const at = (unanswered: "TagResource" | undefined) => {
    const rotations = [
      aRotation(unanswered === undefined ? {} : { unanswered }),
      aRotation({ id: "r2", from: 2, to: 3 }),
    ];
    const scene = aScene({ record: { versions, rotations }, observed: { tags } });
    return wrongLabel(scene, aVersion(1, retired));
  };

  test("is no sign of a later state, whatever the other rotations do", () => {
    expect(at("TagResource")).toBeUndefined();
    expect(at(undefined)).toMatchObject(halts("STATE_BEHIND_KMS", alias));
  });
});
