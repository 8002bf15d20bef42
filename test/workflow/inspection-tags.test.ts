/** The tags and the aliases of a version, as an inspection finds them. */
import { describe, expect, test } from "vitest";
import type { Decision, ManagedKey } from "../../lambda/workflow/model/types.ts";
import { halts } from "./decided.ts";
import {
  first,
  inspect,
  type Old,
  ours,
  retired,
  second,
  suspectedAtMs,
  waitsFor,
  withOld,
} from "./inspected.ts";
import {
  absent,
  alias,
  aRecord,
  aRotation,
  aVersion,
  observedKey,
  type Observations,
  present,
} from "./scene.ts";

const without = (tags: Record<string, string>, ...names: string[]) =>
  present(Object.fromEntries(Object.entries(tags).filter(([name]) => !names.includes(name))));
const tagged = (tags: ReturnType<typeof without>, keyId = "key-1"): Observations => ({
  tags: { [keyId]: tags },
});
const nextOf = (decision: Decision | undefined): string => {
  if (decision?.kind !== "wait" && decision?.kind !== "halt") return "";
  return decision.finding?.next ?? "";
};
/** The tags that a printed command sets. */
const setsTags = (command: string): Record<string, string> => {
  const [, keyId, json] = /^aws kms tag-resource --key-id (\S+) --tags '(.*)'$/.exec(command) ?? [];
  const list = JSON.parse(json ?? "[]") as { TagKey: string; TagValue: string }[];
  return Object.fromEntries([
    ["key", keyId ?? ""],
    ...list.map(({ TagKey, TagValue }) => [TagKey, TagValue]),
  ]) as Record<string, string>;
};
const inUse: Old[] = ["draining", "retained", "disabled"];

describe("the owner tag", () => {
  const owner = "keyturn:owner";

  test.each(inUse)("that a version lost is set again with all of its tags: %s", (state) => {
    const [found, ...others] = inspect(withOld(state), tagged(without(first, owner)));
    expect(found).toMatchObject(waitsFor("OTHER_OWNER", "key-1"));
    expect(setsTags(nextOf(found))).toEqual({ key: "key-1", ...first });
    expect(others).toEqual([]);
  });

  test("that the active version lost halts the managed key", () => {
    const [found] = inspect(withOld("retained"), tagged(without(second, owner), "key-2"));
    expect(found).toMatchObject(halts("OTHER_OWNER", alias));
    expect(setsTags(nextOf(found))).toEqual({ key: "key-2", ...second });
  });

  test("that names another owner is shown, and never set", () => {
    const theirs = present({ ...first, [owner]: "globex" });
    const [found] = inspect(withOld("retained"), tagged(theirs));
    expect(found).toMatchObject(waitsFor("OTHER_OWNER", "key-1"));
    expect(nextOf(found)).toBe("aws kms list-resource-tags --key-id key-1");
  });

  test("of a version whose label the record does not know leaves that label as it is", () => {
    const versions = [retired("retained", { label: "unknown" }), aVersion(2)];
    const [found] = inspect(withOld("retained", { versions }), tagged(without(first, owner)));
    expect(setsTags(nextOf(found))).not.toHaveProperty("keyturn:retired");
  });
});

describe("a tag that rights may rest on", () => {
  test.each(["keyturn:alias", "keyturn:version"])("is missing: %s", (name) => {
    for (const [keyId, tags] of [
      ["key-1", first],
      ["key-2", second],
    ] as const) {
      const [found, ...others] = inspect(withOld("retained"), tagged(without(tags, name), keyId));
      expect(found).toMatchObject(waitsFor("ACCESS_TAG_GONE", keyId));
      expect(found).toMatchObject({
        finding: { observed: expect.stringMatching(new RegExp(`lacks ${name}$`)) as string },
      });
      const { [name as "keyturn:alias"]: wanted } = tags;
      expect(setsTags(nextOf(found))).toMatchObject({ key: keyId, [name]: wanted });
      expect(others).toEqual([]);
    }
  });

  test("has another value", () => {
    const other = present({ ...first, "keyturn:version": "7" });
    expect(inspect(withOld("retained"), tagged(other))).toMatchObject([
      waitsFor("ACCESS_TAG_GONE", "key-1"),
    ]);
  });

  test("is one of several that are missing, in one finding", () => {
    const lost = tagged(without(first, "keyturn:alias", "keyturn:version"));
    expect(inspect(withOld("retained"), lost)).toMatchObject([
      { finding: { observed: "version 1, key-1, lacks keyturn:alias and keyturn:version" } },
    ]);
  });

  test("of a key pending deletion cannot be set: KMS changes none of its tags", () => {
    expect(inspect(withOld("pending-deletion"), tagged(present({})))).toEqual([]);
  });

  test("is missing together with a label that is not on record: both are reported", () => {
    const found = inspect(withOld("retained"), tagged(present(ours)));
    expect(found).toMatchObject([
      waitsFor("ACCESS_TAG_GONE", "key-1"),
      halts("STATE_BEHIND_KMS", alias),
    ]);
  });
});

test.each(inUse)("a label that is not on record halts the managed key: %s", (state) => {
  const relabelled = present({ ...first, "keyturn:retired": "r7" });
  expect(inspect(withOld(state), tagged(relabelled))).toMatchObject([
    halts("STATE_BEHIND_KMS", alias),
  ]);
});

describe("an alias of the managed key", () => {
  const onAnotherKey = (key: Observations["key"]): Observations => ({
    aliases: { "key-2": present([]) },
    key: { ...key },
  });

  test.each([
    ["key-9, a key that keyturn does not manage", "key-9"],
    ["key-1, a retired version", "key-1"],
  ])("is on %s", (_what, keyId) => {
    const on = onAnotherKey({ [alias]: observedKey(keyId) });
    expect(inspect(withOld("draining"), on)).toMatchObject([halts("ALIAS_MOVED", alias)]);
  });

  test("is deleted", () => {
    expect(inspect(withOld("draining"), onAnotherKey({ [alias]: absent }))).toMatchObject([
      halts("ALIAS_NOT_FOUND", alias),
    ]);
  });

  test("is read by its name where the list of its key does not show it", () => {
    const unread = inspect(withOld("draining"), onAnotherKey({ [alias]: undefined }));
    expect(unread).toEqual([{ kind: "observe", reads: [{ kind: "key", key: alias }] }]);
    // Lists and names show a move at different times.
    expect(inspect(withOld("draining"), onAnotherKey({}))).toEqual([]);
  });

  test("counts, also where it is not the first", () => {
    const aliases = [alias, "alias/b"];
    const observed = {
      aliases: { "key-2": present([alias]) },
      key: { "alias/b": observedKey("key-9") },
    };
    expect(inspect(withOld("draining", { aliases }), observed)).toMatchObject([
      halts("ALIAS_MOVED", "alias/b"),
    ]);
  });

  test.each([
    ["activate", []],
    ["distribute", [halts("ALIAS_MOVED", alias)]],
  ] as const)("may be on the next version only while it moves there: %s", (step, expected) => {
    const record = aRecord({
      versions: [aVersion(1), aVersion(2, { state: "pending-activation" })],
      rotations: [aRotation({ step })],
      suspectedAtMs,
    });
    const on = {
      aliases: { "key-1": present([]), "key-2": present([alias]) },
      key: { [alias]: observedKey("key-2") },
    };
    expect(inspect(record, on)).toMatchObject(expected);
  });
});

describe("an alias of an external actor", () => {
  const other = "alias/other";
  const onOld = { aliases: { "key-1": present([other]) } };
  const next = `aws kms update-alias --alias-name ${other} --target-key-id key-2`;

  test("on a draining version is in the way of its retirement", () => {
    const [found] = inspect(withOld("draining"), onOld);
    expect(found).toMatchObject(waitsFor("ALIAS_ON_OLD_VERSION", "key-1"));
    expect(nextOf(found)).toBe(next);
  });

  test("on a retained version is reported as unlisted", () => {
    const [found] = inspect(withOld("retained"), onOld);
    expect(found).toMatchObject(waitsFor("UNLISTED_ALIAS", other));
    expect(nextOf(found)).toBe(next);
  });

  test("that the record already reports is not reported twice", () => {
    const unlistedAliases = [other];
    expect(inspect(withOld("retained", { unlistedAliases }), onOld)).toEqual([]);
  });

  test("on the active version is no change", () => {
    const onActive = { aliases: { "key-2": present([alias, other]) } };
    expect(inspect(withOld("retained"), onActive)).toEqual([]);
  });
});

test("each version is reported", () => {
  const versions: ManagedKey["versions"] = [retired("retained"), aVersion(2)];
  const lost = { ...tagged(without(first, "keyturn:version")).tags };
  const found = inspect(withOld("retained", { versions }), {
    tags: { ...lost, "key-2": without(second, "keyturn:version") },
  });
  expect(found).toMatchObject([
    waitsFor("ACCESS_TAG_GONE", "key-1"),
    waitsFor("ACCESS_TAG_GONE", "key-2"),
  ]);
});
