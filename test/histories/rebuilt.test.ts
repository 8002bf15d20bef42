import { describe, expect, test } from "vitest";
import { genesisHash, hashOf } from "../../lambda/record/journal.ts";
import type { ManagedKey, Version } from "../../lambda/workflow/model/types.ts";
import { dayMs, hourMs, minuteMs } from "../fixtures.ts";
import {
  changingCalls,
  historyNamed,
  orders,
  type History,
  type Snapshot,
} from "../recorded-history.ts";
import { emptyTable, Restored } from "./table-restore.ts";
import type { World } from "../world.ts";

const twoRotations = "two rotations, and both old versions deleted";
const rolledBack = "a rollback in the drain, and another rotation";

/** A new stack in the world of that snapshot, some days later. */
async function newStack(history: History, now: Snapshot): Promise<Restored> {
  const restored = new Restored(history, emptyTable, now, "another table");
  await restored.runs(3, 1);
  return restored;
}

async function shown(world: World): Promise<{ revision: number; lines: string[] }> {
  await world.asks("reconcile");
  const { proposal } = await world.record();
  if (proposal === undefined) throw new Error("nothing was proposed");
  return proposal;
}

/** The state of a version after the reconciliation. */
function reconciledAs({ number, keyId, state }: Version): Partial<Version> {
  const unproved = ["pending-activation", "reactivating", "retained"].includes(state);
  return { number, keyId, state: unproved ? "draining" : state };
}

function reported({ versions }: ManagedKey): Partial<Version>[] {
  return versions.map(({ number, keyId, state }) => ({ number, keyId, state }));
}

function whereOldVersion(state: Version["state"]) {
  return ({ versions: [first] }: ManagedKey) => first?.number === 1 && first.state === state;
}

function inSoak({ versions, rotations }: ManagedKey): boolean {
  return versions[0]?.state === "disabled" && rotations[0]?.lateUseReadAtMs !== undefined;
}

describe("a new stack", () => {
  test.each([twoRotations, rolledBack])(
    "in a history with %s: nothing changes, and after reconcile every version has its state again",
    async (name) => {
      const history = await historyNamed(name);
      const later = history.beginnings().filter(({ record }) => record.lastNumber > 1);
      for (const now of later) {
        const { world } = await newStack(history, now);
        expect(await world.findings(), now.stage).toContain("STATE_BEHIND_KMS");
        expect(changingCalls(world), now.stage).toEqual([]);
        await world.asks("reconcile", { proposal: (await shown(world)).revision });
        const record = await world.record();
        const deleted = now.record.versions.filter(
          ({ deletionAtMs = Infinity }) => deletionAtMs < world.clock.nowMs(),
        );
        const expected = now.record.versions.filter((version) => !deleted.includes(version));
        expect(reported(record).slice(0, expected.length), now.stage).toEqual(
          expected.map(reconciledAs),
        );
        for (const { keyId } of record.versions) {
          expect(await world.table.boundTo(keyId)).toBe(orders);
        }
      }
    },
  );

  test("loses no data after reconcile, and continues to rotate", async () => {
    const history = await historyNamed(twoRotations);
    for (const now of history.beginnings().filter((_, at) => at % 3 === 2)) {
      const restored = await newStack(history, now);
      await restored.reconcile();
      await restored.days(90);
      restored.application.migratesAfterMs = 10 * dayMs;
      await restored.days(110);
      expect(restored.application.failures, now.stage).toEqual([]);
      expect(restored.world.history(), now.stage).toContain("activated");
    }
  });
});

describe("the proposal", () => {
  test("is written as shown, and the journal continues", async () => {
    const history = await historyNamed(twoRotations);
    const [then, now] = [history.when(whereOldVersion("active")), history.when(inSoak)];
    for (const table of [emptyTable, then]) {
      const { world } = new Restored(history, table, now, "another table");
      await world.passDays(1);
      const { revision, lines } = await shown(world);
      await world.asks("reconcile", { proposal: revision });
      const journal = world.table.journal(orders);
      const wrote = journal.find(({ event }) => event === "reconciled");
      expect(wrote?.detail.wrote).toBe(lines.join("; "));
      let head = genesisHash;
      for (const [at, { hash, ...line }] of journal.entries()) {
        expect([line.revision, line.previousHash, hashOf(line)]).toEqual([at + 1, head, hash]);
        head = hash;
      }
    }
  });

  test("is shown again, and not written, if an operator disabled a key in between", async () => {
    const history = await historyNamed(twoRotations);
    const now = history.when(whereOldVersion("draining"));
    for (const table of [emptyTable, history.when(whereOldVersion("active"))]) {
      const { world } = new Restored(history, table, now, "another table");
      await world.passDays(1);
      const before = await shown(world);
      const versions = reported(await world.record());
      await world.ask("DisableKey", { KeyId: now.record.versions[0]?.keyId });
      await world.asks("reconcile", { proposal: before.revision });
      const { proposal, versions: _, ...record } = await world.record();
      expect(proposal?.lines).not.toEqual(before.lines);
      expect(reported({ ...record, versions: _ })).toEqual(versions);
      expect(await world.findings()).toContain("STATE_BEHIND_KMS");
      await world.asks("reconcile", { proposal: before.revision });
      expect(world.history()).not.toContain("reconciled");
      const { revision } = (await world.record()).proposal ?? {};
      await world.asks("reconcile", { proposal: revision });
      expect((await world.record()).versions[0]?.state).toBe("disabled");
    }
  });

  test("does not exist while the alias points at a key of another owner", async () => {
    const history = await historyNamed(twoRotations);
    const now = history.when(whereOldVersion("draining"));
    for (const Tags of [undefined, [{ TagKey: "keyturn:owner", TagValue: "another" }]]) {
      const then = history.when(whereOldVersion("active"));
      const { world } = new Restored(history, then, now, "another table");
      const key = await world.ask<{ KeyMetadata: { KeyId: string } }>("CreateKey", { Tags });
      const ours = await world.targetOf(orders);
      const { KeyId: TargetKeyId } = key.KeyMetadata;
      await world.ask("UpdateAlias", { AliasName: orders, TargetKeyId });
      await world.asks("reconcile");
      expect((await world.record()).proposal).toBeUndefined();
      expect(await world.findings()).toContain("REQUEST_REJECTED");
      await world.ask("UpdateAlias", { AliasName: orders, TargetKeyId: ours });
      await world.asks("reconcile", { proposal: (await shown(world)).revision });
      expect(world.history()).toContain("reconciled");
      expect(changingCalls(world)).toEqual([]);
    }
  });
});

/** A reconciled world, with data under version 1 that no application read for weeks. */
async function reconciled(
  fits: (record: ManagedKey) => boolean,
  isEmpty: boolean,
): Promise<{ restored: Restored; first: string; use: () => Promise<void> }> {
  const history = await historyNamed(twoRotations);
  const now = history.when(fits);
  const then = isEmpty ? emptyTable : history.when(whereOldVersion("active"));
  const restored = new Restored(history, then, now, "another table");
  const first = history.when(whereOldVersion("active")).record.versions[0]?.keyId ?? "";
  const held = history.snapshots.flatMap(({ application }) => application.blobs);
  const bytes = held.find(({ keyId }) => keyId === first)?.bytes;
  await restored.runs(1, 1);
  await restored.reconcile();
  const { world } = restored;
  const use = async (): Promise<void> => {
    await world.ask("Decrypt", { CiphertextBlob: bytes }).catch(() => undefined);
    for (const event of world.attempts.splice(0)) await world.deliver(event);
  };
  return { restored, first, use };
}

describe.each(["a restored", "an empty"])("after %s table was reconciled", (which) => {
  test.each(["disabled", "pending-deletion"] as const)(
    "keyturn restores a %s version on a use attempt",
    async (state) => {
      const { restored, first, use } = await reconciled(
        whereOldVersion(state),
        which === "an empty",
      );
      const { world } = restored;
      await use();
      expect(await world.stateOf(first)).toBe("Enabled");
      await world.passDays(40);
      expect(await world.stateOf(first)).toBe("Enabled");
      expect(await world.findings()).toEqual(["USED_WHILE_DISABLED"]);
      await world.asks("resume");
      await world.passDays(120);
      expect(await world.stateOf(first)).toBe("deleted");
    },
  );
});

describe("a call from before the restore that lands after the reconciliation", () => {
  const late = { principalArn: "arn:aws:iam::000000000000:role/before-the-restore" };

  async function landsLate(world: World, operation: string, input: object): Promise<void> {
    const land = (): Promise<unknown> => Promise.resolve(world.kms.call(operation, input, late));
    world.underWay.push({ atMs: world.clock.nowMs() + 14 * minuteMs, land });
    await world.pass(hourMs);
  }

  test("DisableKey: keyturn restores a version that is in use", async () => {
    const { restored, first, use } = await reconciled(whereOldVersion("draining"), false);
    await landsLate(restored.world, "DisableKey", { KeyId: first });
    await use();
    await restored.world.passDays(1);
    expect(await restored.world.stateOf(first)).toBe("Enabled");
  });

  test("ScheduleKeyDeletion: keyturn prevents the deletion of a version that is in use", async () => {
    const { restored, first, use } = await reconciled(inSoak, false);
    await landsLate(restored.world, "ScheduleKeyDeletion", { KeyId: first });
    await use();
    await restored.world.passDays(40);
    expect(await restored.world.stateOf(first)).toBe("Enabled");
  });

  test("UpdateAlias: keyturn does not label the version behind the alias as retired", async () => {
    const inDistribute = ({ rotations }: ManagedKey): boolean =>
      rotations[0]?.step === "distribute";
    const { restored } = await reconciled(inDistribute, false);
    const { world } = restored;
    const TargetKeyId = (await world.record()).versions[1]?.keyId;
    await landsLate(world, "UpdateAlias", { AliasName: orders, TargetKeyId });
    await world.passDays(1);
    const { Tags } = await world.ask<{ Tags: { TagKey: string }[] }>("ListResourceTags", {
      KeyId: TargetKeyId,
    });
    expect(Tags.map(({ TagKey }) => TagKey)).not.toContain("keyturn:retired");
  });
});
