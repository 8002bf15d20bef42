import { describe, expect, test } from "vitest";
import { linesOf } from "../../lambda/workflow/requests/rebuilt.ts";
import { decideReconcile, decideReconciled } from "../../lambda/workflow/requests/reconcile.ts";
import type { Scene } from "../../lambda/workflow/model/types.ts";
import { aHome } from "../fixtures.ts";
import { changes, halts, readsOf, nextOf, spoken, waits } from "./decided.ts";
import { absent, alias, aVersion, blockedMs, nowMs, observedKey, unsettled } from "./scene.ts";
import { done, shows, two, type Shown } from "./shown.ts";

describe("reconciling", () => {
  const request = { id: "q1", by: "ada", reason: "", kind: "reconcile" as const };
  const ask = (scene: Scene, proposal?: number) =>
    spoken(decideReconcile(scene, { ...request, ...(proposal === undefined ? {} : { proposal }) }));
  const lines = ["version 1, key-1, drains anew, labelled retired", "version 2, key-2, is active"];
  const shown = { revision: 12, lines };

  test("shows first what it would write, and writes nothing", () => {
    const first = ask(shows(two, { record: { revision: 11 } }));
    expect(first).toMatchObject(
      changes("reconcile-proposed", { proposal: 12, would: lines.join("; "), by: "ada" }),
    );
    expect(first).toMatchObject({
      entry: { reason: "to write this, send reconcile with proposal 12" },
    });
    expect(nextOf(first)).toMatchObject({
      proposal: shown,
      versions: [{ number: 1, state: "active" }],
    });
    expect(nextOf(first)).not.toHaveProperty("reconciledAtMs");
  });

  test("reads the versions on record and the alias's key where the search finds none", () => {
    const scene = shows(two);
    const observed = { ...scene.observed, lineage: { [alias]: absent } };
    const asked = readsOf(
      (some) => decideReconcile({ ...scene, observed: some }, request),
      observed,
    );
    expect(asked).toEqual([
      `lineage ${alias}`,
      `key ${alias}`,
      "key key-1",
      "tags key-1",
      "key key-2",
      "tags key-2",
    ]);
  });

  test("writes exactly what was shown, when requested", () => {
    const written = ask(shows(two, { record: { proposal: shown } }), 12);
    expect(written).toMatchObject(changes("reconciled", { wrote: lines.join("; ") }));
    expect(nextOf(written)).toMatchObject({ reconciledAtMs: nowMs, versions: [{}, { number: 2 }] });
    expect(nextOf(written)).not.toHaveProperty("proposal");
  });

  test.each<
    [because: string, proposal: number | undefined, kept: typeof shown | undefined, words: RegExp]
  >([
    ["another proposal was shown", 11, shown, /^KMS's state has changed since; to write this/],
    ["KMS's state has changed", 12, { ...shown, lines: ["x"] }, /^KMS's state has changed/],
    ["nothing was shown", 12, undefined, /^KMS's state has changed/],
    ["no proposal is named", undefined, shown, /^to write this/],
  ])("shows it again where %s", (_because, proposal, kept, words) => {
    const again = ask(shows(two, { record: { proposal: kept } }), proposal);
    expect(again).toMatchObject({
      entry: { event: "reconcile-proposed", reason: expect.stringMatching(words) as string },
    });
  });

  test("is rejected where nothing can be rebuilt", () => {
    expect(ask(shows([], { record: { versions: [] } }))).toMatchObject({
      entry: { event: "request-rejected" },
    });
  });

  test("reads every key that appears in any observation", () => {
    const scene = shows(two, { record: { versions: [aVersion(5)] } });
    const of = (home: Scene["context"]["home"]) => ({
      ...scene,
      context: { ...scene.context, home },
    });
    const asked = readsOf(
      (observed) => decideReconcile({ ...scene, observed }, request),
      scene.observed,
    );
    const keys = ["key-2", "key-1", "key-5"];
    const each = keys.flatMap((keyId) => [`key ${keyId}`, `tags ${keyId}`]);
    expect(asked).toEqual([`lineage ${alias}`, `key ${alias}`, ...each]);
    const named = of(aHome({ alias, aliases: [alias, "alias/b"] }));
    const more = readsOf(
      (observed) => decideReconcile({ ...named, observed }, request),
      named.observed,
    );
    expect(more).toContain("key alias/b");
    const unnamed = of(undefined);
    expect(
      readsOf((observed) => decideReconcile({ ...unnamed, observed }, request), scene.observed),
    ).toEqual(asked);
    const onAnother = shows([{ keyId: "key-2" }], {
      observed: { key: { [alias]: observedKey("key-8") } },
    });
    expect(
      readsOf(
        (observed) => decideReconcile({ ...onAnother, observed }, request),
        onAnother.observed,
      ),
    ).toContain("tags key-8");
  });
});

describe("after reconciling", () => {
  const after = (scene: Scene) => spoken(decideReconciled(scene));
  const rebuilt = done(shows(two)).next;
  const settledThen = { ...rebuilt, unsettled: [], reconciledAtMs: 5 };

  test("an earlier call may still land: the record waits", () => {
    expect(after(shows(two, { record: { unsettled } }))).toMatchObject(waits(blockedMs));
    const own = [{ epoch: 7, untilMs: blockedMs }];
    const uncertain = { context: { uncertain: true }, record: { unsettled: own } };
    expect(after(shows(two, uncertain))).toMatchObject(waits(blockedMs));
    expect(after(shows(two, { record: { unsettled: own } }))).toMatchObject({ kind: "change" });
  });

  test("KMS is observed again, and then the record is valid", () => {
    const scene = shows(two, { record: settledThen });
    expect(
      readsOf((observed) => decideReconciled({ ...scene, observed }), scene.observed),
    ).toHaveLength(6);
    const same = after(scene);
    expect(same).toMatchObject(changes("reconciled", { wrote: "nothing" }));
    const { reconciledAtMs: _, ...rest } = settledThen;
    expect(nextOf(same)).toEqual(rest);
  });

  test("the record follows calls that landed in the meantime", () => {
    const landed: Shown[] = [{ keyId: "key-2" }, { keyId: "key-1", state: "Disabled" }];
    const differs = after(shows(landed, { record: { ...settledThen, lastNumber: 1 } }));
    expect(differs).toMatchObject(
      changes("reconciled", {
        wrote: "version 1, key-1, stays disabled; version 2, key-2, is active",
      }),
    );
    expect(nextOf(differs)).toMatchObject({
      versions: [{ state: "disabled" }, { state: "active" }],
      rotations: [],
      lastNumber: 2,
    });
    expect(nextOf(differs)).not.toHaveProperty("reconciledAtMs");
  });

  test("a record that cannot be rebuilt any more halts", () => {
    expect(after(shows([], { record: { versions: [] } }))).toMatchObject(
      halts("STATE_BEHIND_KMS", alias),
    );
  });

  test("a line states each version's state", () => {
    const lines = linesOf([aVersion(1, { state: "retained" }), aVersion(2)]);
    expect(lines).toEqual(["version 1, key-1, ", "version 2, key-2, is active"]);
  });
});
