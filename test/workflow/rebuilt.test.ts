import { describe, expect, test } from "vitest";
import { rebuild } from "../../lambda/workflow/requests/rebuilt.ts";
import type { KeyState, Rotation, Scene } from "../../lambda/workflow/model/types.ts";
import { aHome, aPolicy, minuteMs } from "../fixtures.ts";
import { absent, alias, aVersion, nowMs, observedKey, unsettled } from "./scene.ts";
import { done, shows, two, type Shown } from "./shown.ts";

function why(scene: Scene): string {
  const rebuilt = rebuild(scene);
  if (!("why" in rebuilt)) throw new Error("it was rebuilt");
  return rebuilt.why;
}

describe("a record rebuilt from KMS", () => {
  test("has the version that the alias is on, and earlier ones drain again", () => {
    const { next, lines } = done(shows(two));
    expect(next.versions).toEqual([
      {
        ...aVersion(1),
        state: "draining",
        retiredAtMs: nowMs,
        label: "r1",
      },
      { ...aVersion(2, { publicKey: undefined }), activatedAtMs: aVersion(2).createdAtMs },
    ]);
    expect(next.rotations).toMatchObject([
      { id: "r-new-1", from: 1, to: 2, step: "drain", labelledAtMs: nowMs },
    ]);
    expect(lines).toEqual([
      "version 1, key-1, drains anew, labelled retired",
      "version 2, key-2, is active",
    ]);
  });

  test("has no deletion date and no label where KMS shows none", () => {
    const [old, active] = done(shows(two)).next.versions;
    expect(old).not.toHaveProperty("deletionAtMs");
    expect(active).not.toHaveProperty("label");
    expect(active).not.toHaveProperty("deletionAtMs");
  });

  test("keeps the known facts of a version, and drops open rotations", () => {
    const versions = [
      aVersion(1, { activatedAtMs: 3, retiredAtMs: 4, aliasOnly: true, state: "draining" }),
      aVersion(2, { activatedAtMs: 4 }),
    ];
    const old = { id: "r1" } as Rotation;
    const extras = [{ keyId: "key-9", rotationId: "r0", madeAfterMs: 0, foundAtMs: 0 }];
    const record = {
      versions,
      closed: [{ id: "r0" } as Rotation],
      rotations: [old],
      extras,
      unlistedAliases: ["alias/x"],
      lastNumber: 7,
      enrolledAtMs: 9,
    };
    const { next } = done(shows(two, { record, context: { tableId: "copy" } }));
    expect(next.versions).toMatchObject([
      { activatedAtMs: 3, retiredAtMs: 4, aliasOnly: true, publicKey: "its public key" },
      { activatedAtMs: 4, state: "active", publicKey: "its public key" },
    ]);
    expect(next.versions[1]).not.toHaveProperty("retiredAtMs");
    expect(next).toMatchObject({
      closed: [{ id: "r0" }, { id: "r1" }],
      extras: [],
      unlistedAliases: [],
      lastNumber: 7,
      enrolledAtMs: 9,
      tableId: "copy",
    });
  });

  test("is enrolled from now on where it was not, and has the highest number", () => {
    const { next } = done(shows(two, { record: { versions: [], enrolledAtMs: undefined } }));
    expect(next).toMatchObject({ enrolledAtMs: nowMs, lastNumber: 2 });
  });

  test("has a mark for unknown runs, as long as one can last", () => {
    const { next } = done(shows(two, { record: { unsettled } }));
    const untilMs = nowMs + 15 * minuteMs + 10_000 + 6 * minuteMs;
    expect(next.unsettled).toEqual([...unsettled, { epoch: 0, untilMs }]);
  });

  test.each<[KeyState, state: string, step: string | undefined]>([
    ["Enabled", "draining", "drain"],
    ["Creating", "draining", "drain"],
    ["PendingImport", "draining", "drain"],
    ["Unavailable", "draining", "drain"],
    ["Updating", "draining", "drain"],
    ["Disabled", "disabled", undefined],
    ["PendingDeletion", "pending-deletion", "revoke"],
    ["PendingReplicaDeletion", "pending-deletion", "revoke"],
  ])("an old version that is %s is %s", (keyState, state, step) => {
    const { next, lines } = done(shows([{ keyId: "key-2" }, { keyId: "key-1", state: keyState }]));
    expect(next.versions[0]).toMatchObject({ state });
    expect(next.rotations.map((one) => one.step)).toEqual(step === undefined ? [] : [step]);
    for (const one of next.rotations) expect(one).not.toHaveProperty("labelledAtMs");
    if (keyState === "Disabled") expect(next.versions[0]).toMatchObject({ disabledAtMs: nowMs });
    else expect(next.versions[0]).not.toHaveProperty("disabledAtMs");
    const does = { draining: "drains anew", disabled: "stays disabled" }[state];
    expect(lines[0]).toBe(`version 1, key-1, ${does ?? "is pending deletion"}`);
  });

  test("has the deletion date of a version", () => {
    const pending: Shown = { keyId: "key-1", state: "PendingDeletion", deletionAtMs: 77 };
    expect(done(shows([{ keyId: "key-2" }, pending])).next.versions).toMatchObject([
      { deletionAtMs: 77 },
      {},
    ]);
  });

  test("reports the versions that KMS no longer shows", () => {
    const { lines } = done(shows([{ keyId: "key-2" }], { record: { versions: [aVersion(1)] } }));
    expect(lines).toEqual([
      "version 2, key-2, is active",
      "version 1, key-1, is no longer counted: KMS shows no such version",
    ]);
  });

  test("takes the aliases and the policy from the configuration", () => {
    const policy = aPolicy({ name: "yearly" });
    const home = aHome({ alias, aliases: [alias, "alias/b"], policy });
    const observed = { key: { "alias/b": observedKey("key-2") } };
    const { next } = done(shows(two, { context: { home }, observed }));
    expect(next).toMatchObject({ aliases: [alias, "alias/b"], policy: { name: "yearly" } });
    expect(next.rotations).toMatchObject([{ policy: { name: "yearly" } }]);
    const unnamed = done(shows(two, { context: { home: undefined } })).next;
    expect(unnamed).toMatchObject({ aliases: [alias], policy: { name: "quarterly" } });
  });
});

describe("of several keys with the tags of one version", () => {
  const first = { keyId: "key-1", number: "1" };
  const numbers = (scene: Scene) => done(scene).next.versions.map(({ keyId }) => keyId);

  test("the active one counts", () => {
    const older = { keyId: "key-3", number: "2", createdAtMs: 1 };
    expect(numbers(shows([{ keyId: "key-2" }, older]))).toEqual(["key-2"]);
    const known = { record: { versions: [aVersion(3)] } };
    expect(numbers(shows([{ keyId: "key-2" }, older], known))).toEqual(["key-2"]);
  });

  test("otherwise the one on record, then the oldest, then the one with the first id", () => {
    const active = { keyId: "key-9" };
    const a = { keyId: "key-3", number: "1", createdAtMs: 1 };
    const known = { record: { versions: [aVersion(1)] } };
    const none = { record: { versions: [] } };
    expect(numbers(shows([active, a, first], known))).toEqual(["key-1", "key-9"]);
    expect(numbers(shows([active, first, a], none))).toEqual(["key-3", "key-9"]);
    const same = { createdAtMs: 1, number: "1" };
    const twins = [
      { keyId: "key-5", ...same },
      { keyId: "key-4", ...same },
    ];
    expect(numbers(shows([active, ...twins], none))).toEqual(["key-4", "key-9"]);
    expect(numbers(shows([active, ...twins.reverse()], none))).toEqual(["key-4", "key-9"]);
  });

  test("only keys with our tags and a number count, in the order of their numbers", () => {
    const others: Shown[] = [
      { keyId: "key-3", tags: { "keyturn:owner": "x" } },
      { keyId: "key-4", tags: { "keyturn:alias": "x" } },
      { keyId: "key-5", number: "many" },
    ];
    const found = shows([{ keyId: "key-2" }, ...others, { keyId: "key-7", number: "10" }, first]);
    expect(numbers(found)).toEqual(["key-1", "key-2", "key-7"]);
    const deleted = shows([{ keyId: "key-2" }, first], { observed: { key: { "key-1": absent } } });
    expect(numbers(deleted)).toEqual(["key-2"]);
    const untagged = shows([{ keyId: "key-2" }, first], {
      observed: { tags: { "key-1": absent } },
    });
    expect(numbers(untagged)).toEqual(["key-2"]);
  });
});

describe("a record cannot be rebuilt", () => {
  const hidden = { kind: "denied" as const, message: "no" };
  test.each<[because: string, scene: Scene, words: RegExp]>([
    ["the alias is deleted", shows([]), /alias\/orders does not exist/],
    ["the alias may not be read", shows(two, { observed: { key: { [alias]: hidden } } }), /no/],
    [
      "its tags may not be read",
      shows(two, { observed: { tags: { "key-1": hidden } } }),
      /^KMS denies reading key-1$/,
    ],
    [
      "the active key is not Enabled",
      shows([{ keyId: "key-2", state: "Disabled" }]),
      /points at key-2, which is Disabled$/,
    ],
    [
      "the active key is not tagged",
      shows([{ keyId: "key-2", number: "" }]),
      /key-2, which is not tagged/,
    ],
    [
      "denials may be temporary",
      shows(two, {
        observed: { key: { [alias]: hidden } },
        record: { authorizationChangedAtMs: nowMs },
      }),
      /^the aliases cannot be read$/,
    ],
  ])("where %s", (_because, scene, words) => {
    expect(why(scene)).toMatch(words);
  });
});
