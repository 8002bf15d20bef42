import { describe, expect, test } from "vitest";
import { applyDone } from "../../lambda/workflow/apply-outcome.ts";
import { decideInspection } from "../../lambda/workflow/drift/inspection.ts";
import { deletionCancelled } from "../../lambda/workflow/revoke/deletion.ts";
import type { Decision, ManagedKey, Rotation } from "../../lambda/workflow/model/types.ts";
import { dayMs } from "../fixtures.ts";
import { calls, changes, halts, readsOf, sentencesOf } from "./decided.ts";
import {
  deletionAtMs,
  first,
  inspect,
  type Old,
  ours,
  retired,
  second,
  type Shown,
  shows,
  suspectedAtMs,
  waitsFor,
  withOld,
} from "./inspected.ts";
import {
  absent,
  alias,
  allObserved,
  aContext,
  aRecord,
  aRotation,
  aVersion,
  type Changes,
  denied,
  nowMs,
  observedKey,
  type Observations,
  present,
} from "./scene.ts";

describe("the state of a version that is", () => {
  const byOthers: Record<Shown, string | undefined> = {
    Enabled: undefined,
    Disabled: "DISABLED_BY_OTHERS",
    PendingDeletion: "DELETION_SCHEDULED_BY_OTHERS",
    absent: "VERSION_DELETED",
  };
  const ofDisabled = { ...byOthers, Enabled: "VERSION_CHANGED", Disabled: undefined };
  const ofScheduled = {
    ...ofDisabled,
    Disabled: "VERSION_CHANGED",
    PendingDeletion: undefined,
  };
  const nothing = {
    Enabled: undefined,
    Disabled: undefined,
    PendingDeletion: undefined,
    absent: undefined,
  };
  const reported: [Old, Record<Shown, string | undefined>][] = [
    ["draining", byOthers],
    ["retained", byOthers],
    ["disabled", ofDisabled],
    ["pending-deletion", ofScheduled],
    ["pending-activation", nothing],
    ["reactivating", nothing],
  ];
  const cases = reported.flatMap(([state, codes]) =>
    (Object.keys(codes) as Shown[]).map((shown) => [state, shown, codes[shown]] as const),
  );

  test.each(cases)("%s, where KMS shows %s: %s", (state, shown, code) => {
    const expected = code === undefined ? [] : [waitsFor(code, "key-1")];
    expect(inspect(withOld(state), shows("key-1", shown))).toMatchObject(expected);
  });

  test.each(Object.entries(byOthers) as [Shown, string | undefined][])(
    "active, where KMS shows %s: %s, which halts the managed key",
    (shown, code) => {
      const record = aRecord({ suspectedAtMs });
      const expected = code === undefined ? [] : [halts(code, "key-1")];
      expect(inspect(record, shows("key-1", shown))).toMatchObject(expected);
    },
  );

  test("active, where its key store is not connected", () => {
    const key = { "key-1": observedKey("key-1", { state: "Unavailable" }) };
    expect(inspect(aRecord({ suspectedAtMs }), { key })).toMatchObject([
      halts("KEY_NOT_ENABLED", "key-1"),
    ]);
  });

  test.each<[Old, Shown, next: string]>([
    ["retained", "Disabled", "aws kms enable-key --key-id key-1"],
    [
      "retained",
      "PendingDeletion",
      "aws kms cancel-key-deletion --key-id key-1 && aws kms enable-key --key-id key-1",
    ],
    ["disabled", "PendingDeletion", "aws kms cancel-key-deletion --key-id key-1"],
    ["disabled", "Enabled", "aws kms disable-key --key-id key-1"],
  ])("%s, where KMS shows %s, is restored with %s", (state, shown, next) => {
    const [found] = inspect(withOld(state), shows("key-1", shown));
    expect(found).toMatchObject({ finding: { next } });
  });

  test("pending deletion, where an external actor brought the date forward", () => {
    const at = (ms: number): Observations => ({
      key: { "key-1": observedKey("key-1", { state: "PendingDeletion", deletionAtMs: ms }) },
    });
    const [found] = inspect(withOld("pending-deletion"), at(deletionAtMs - dayMs - 1));
    expect(found).toMatchObject(waitsFor("DELETION_SCHEDULED_BY_OTHERS", "key-1"));
    expect(sentencesOf(found as Decision).join()).toMatch(
      /KMS deletes it at 1972-09-30T23:59:59.*cancel-key-deletion .* && aws kms schedule-key-deletion .*30/,
    );
    expect(inspect(withOld("pending-deletion"), at(deletionAtMs - dayMs))).toEqual([]);
    expect(inspect(withOld("pending-deletion"), at(deletionAtMs + 5 * dayMs))).toEqual([]);
  });

  test.each(["Enabled", "Disabled", "PendingDeletion", "absent"] as const)(
    "pending deletion, on its date: KMS shows it as %s, and its own step reads it",
    (shown) => {
      const versions = [retired("pending-deletion", { deletionAtMs: nowMs }), aVersion(2)];
      expect(inspect(withOld("retained", { versions }), shows("key-1", shown))).toEqual([]);
    },
  );
});

describe("the loss of the active version", () => {
  const lost = { key: { "key-2": absent, [alias]: absent } };
  const commandOf = (changesOf: Changes<ManagedKey> = {}, observed: Observations = {}) =>
    sentencesOf(
      inspect(withOld("retained", changesOf), {
        ...lost,
        ...observed,
        key: { ...lost.key, ...observed.key },
      }).find((one) => one.kind === "halt") as Decision,
    ).join();

  test("is reported with the commands that bring its alias to the newest version left", () => {
    expect(commandOf()).toMatch(
      /create-alias --alias-name alias.orders --target-key-id key-1 && aws kms tag-resource .* && npx keyturn reconcile/,
    );
  });

  test("is reported although the key policy of another version denies keyturn to read it", () => {
    const hidden = { key: { "key-1": denied }, tags: { "key-1": denied } };
    expect(commandOf({}, hidden)).toContain("npx keyturn explain VERSION_DELETED");
  });

  test("has these commands although a proposal of long ago is on record", () => {
    const proposal = { revision: 3, lines: [] } as unknown as ManagedKey["proposal"];
    expect(commandOf({ proposal })).toContain("create-alias");
  });
});

describe("a deletion that an external actor scheduled is reported", () => {
  const pending = shows("key-1", "PendingDeletion");
  const dated = waitsFor("DELETION_SCHEDULED_BY_OTHERS", "key-1");

  test.each([true, false])("for a restored version, labelled again: %s", (relabelled) => {
    const restored = { because: "attempt", cancel: true, relabelled } as const;
    const record = withOld("draining", { rotations: [aRotation({ step: "drain", restored })] });
    expect(inspect(record, pending)).toMatchObject([dated]);
  });

  test("for a version out of use that has an alias, and no owner tag", () => {
    const observed = {
      ...pending,
      aliases: { "key-1": present(["alias/other"]) },
      tags: { "key-1": present({}) },
    };
    const found = inspect(withOld("disabled"), observed);
    const owner = waitsFor("OTHER_OWNER", "key-1");
    expect(found).toMatchObject([owner, dated, owner]);
  });
});

describe("the inspection reports nothing about a version", () => {
  const disabled = shows("key-1", "Disabled");
  const others: Observations = { key: { ...disabled.key, ...shows("key-2", "Disabled").key } };
  test.each<[what: string, Changes<Rotation>]>([
    ["with a call without an answer", { step: "revoke", unanswered: "DisableKey" }],
    [
      "that keyturn restores",
      { step: "drain", restored: { because: "use", cancel: false, relabelled: false } },
    ],
  ])("%s, and the remaining matters continue", (_what, rotation) => {
    const record = withOld("draining", { rotations: [aRotation(rotation)] });
    expect(inspect(record, disabled)).toEqual([]);
    expect(inspect(record, others)).toMatchObject([halts("DISABLED_BY_OTHERS", "key-2")]);
  });

  test("while reads may not show the EnableKey of a version without a rotation", () => {
    const record = withOld("disabled");
    const call = { kind: "EnableKey", keyId: "key-1" } as const;
    const decision = { kind: "call", call, matter: { kind: "active" }, reason: "needed" } as const;
    const { next } = applyDone(record, decision, { kind: "done" }, aContext());
    expect(next.versions[0]).toMatchObject({ state: "retained" });
    expect(inspect(next, disabled)).toEqual([]);
  });

  test("while reads may not show the CancelKeyDeletion that closed its rotation", () => {
    const versions = [
      retired("pending-deletion", { disabledAtMs: nowMs - 20 * dayMs }),
      aVersion(2),
    ];
    const rotation = aRotation({ step: "revoke", evidence: undefined });
    const record = withOld("pending-deletion", { versions, rotations: [rotation] });
    const { next } = deletionCancelled(record, rotation, "refused", nowMs);
    expect(next.rotations).toEqual([]);
    expect(inspect(next, shows("key-1", "PendingDeletion"))).toEqual([]);
  });
});

describe("the read of an old version that KMS denies", () => {
  test.each<Old>(["draining", "retained", "disabled", "pending-deletion"])(
    "does not halt the managed key, nor hide another version: %s",
    (state) => {
      for (const kind of ["key", "aliases", "tags"] as const) {
        const hidden = { [kind]: { "key-1": denied } };
        const found = inspect(withOld(state), hidden);
        expect(found.map((one) => one.kind)).not.toContain("halt");
        const active = shows("key-2", "Disabled").key;
        const both = inspect(withOld(state), { ...hidden, key: { ...hidden["key"], ...active } });
        expect(both.at(-1)).toMatchObject(halts("DISABLED_BY_OTHERS", "key-2"));
      }
    },
  );

  test.each<Old>(["draining", "retained", "disabled", "pending-deletion"])(
    "is reported: %s",
    (state) => {
      const found = inspect(withOld(state), { key: { "key-1": denied } });
      expect(found).toMatchObject([waitsFor("ACCESS_DENIED", "key-1")]);
    },
  );

  test("halts it where the version is active", () => {
    for (const kind of ["key", "aliases", "tags"] as const) {
      expect(inspect(withOld("draining"), { [kind]: { "key-2": denied } })).toMatchObject([
        halts("ACCESS_DENIED", "key-2"),
      ]);
    }
  });
});

describe("the reads of an inspection", () => {
  const record = withOld("draining");
  const lineage = (tagsOfOld: Record<string, string>) => ({
    [alias]: present([
      { keyId: "key-1", tags: tagsOfOld },
      { keyId: "key-2", tags: second },
    ]),
  });
  const three = (keyId: string) => [`key ${keyId}`, `aliases ${keyId}`, `policy ${keyId}`];
  const each = [`lineage ${alias}`, ...three("key-1"), ...three("key-2")];
  const asked = (of: ManagedKey, tagsOfOld: Record<string, string> = first) =>
    readsOf(
      (observed) => decideInspection({ record: of, observed, context: aContext() })[0],
      allObserved(of, { lineage: lineage(tagsOfOld) }),
    );

  test("after an event include every version and its tags", () => {
    expect(asked(record)).toEqual([...each, "tags key-1", "tags key-2"]);
  });

  test.each<Old>(["draining", "retained", "disabled", "pending-deletion"])(
    "once a day are three a version, where the search shows the tags of the record: %s",
    (state) => {
      expect(asked(withOld(state, { suspectedAtMs: undefined }))).toEqual(each);
    },
  );

  test.each([
    ["has lost its version", { ...ours, "keyturn:retired": "r1" }],
    ["has another label", { ...first, "keyturn:retired": "r7" }],
  ])("once a day include the tags of a version that %s", (_what, tags) => {
    const daily = withOld("draining", { suspectedAtMs: undefined });
    expect(asked(daily, tags)).toEqual([...each, "tags key-1"]);
  });

  test("once a day come last, and after an event with the others", () => {
    const unread = allObserved(record, { policy: { "key-1": undefined } });
    const of = (one: ManagedKey) =>
      decideInspection({ record: one, observed: unread, context: aContext() });
    const reads = [{ kind: "policy", keyId: "key-1" }];
    expect(of(record)).toEqual([{ kind: "observe", reads }]);
    const daily = withOld("draining", { suspectedAtMs: undefined });
    expect(of(daily)).toEqual([{ kind: "observe", reads, last: true }]);
  });
});

test("a version out of use with an alias on it is restored", () => {
  const observed = { aliases: { "key-1": present(["alias/other"]) } };
  expect(inspect(withOld("disabled"), observed)).toMatchObject([
    calls("EnableKey", { keyId: "key-1" }, { kind: "active" }),
  ]);
  const rotations = [aRotation({ step: "revoke" })];
  expect(inspect(withOld("disabled", { rotations }), observed)).toMatchObject([
    changes("restore-started", { version: 1 }),
  ]);
});
