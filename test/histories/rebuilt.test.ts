import { describe, expect, test } from "vitest";
import { genesisHash, hashOf } from "../../lambda/record/journal.ts";
import type { ManagedKey, Version } from "../../lambda/workflow/model/types.ts";
import { dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { changingCalls, live, orders, type Life, type Moment } from "../lives.ts";
import { emptyTable, Restored } from "./restore.ts";
import type { World } from "../world.ts";

const twoRotations = "two rotations, and both old versions deleted";
const rolledBack = "a rollback in the drain, and another rotation";

/** A stack created anew in the world of that moment, some days on. */
async function anew(life: Life, now: Moment): Promise<Restored> {
  const restored = new Restored(life, emptyTable, now, "another table");
  await restored.runs(3, 1);
  return restored;
}

async function shown(world: World): Promise<{ revision: number; lines: string[] }> {
  await world.asks("reconcile");
  const { proposal } = await world.record();
  if (proposal === undefined) throw new Error("nothing was proposed");
  return proposal;
}

/** How a version that stood so stands once it was found again. */
function foundAs({ number, keyId, standing }: Version): Partial<Version> {
  const unproved = ["created", "returning", "retained"].includes(standing);
  return { number, keyId, standing: unproved ? "draining" : standing };
}

function told({ versions }: ManagedKey): Partial<Version>[] {
  return versions.map(({ number, keyId, standing }) => ({ number, keyId, standing }));
}

function whereOldVersion(standing: Version["standing"]) {
  return ({ versions: [first] }: ManagedKey) => first?.number === 1 && first.standing === standing;
}

function inSoak({ versions, rotations }: ManagedKey): boolean {
  return versions[0]?.standing === "disabled" && rotations[0]?.lateUseReadAtMs !== undefined;
}

describe("a stack created anew", () => {
  test.each([twoRotations, rolledBack])(
    "in a life with %s: nothing changes, and once reconciled every version is where it was",
    async (name) => {
      const life = await live(name);
      const later = life.beginnings().filter(({ record }) => record.lastNumber > 1);
      for (const now of later) {
        const { world } = await anew(life, now);
        expect(await world.findings(), now.stage).toContain("STATE_BEHIND_KMS");
        expect(changingCalls(world), now.stage).toEqual([]);
        await world.asks("reconcile", { proposal: (await shown(world)).revision });
        const record = await world.record();
        const gone = now.record.versions.filter(
          ({ deletionAtMs = Infinity }) => deletionAtMs < world.clock.nowMs(),
        );
        const expected = now.record.versions.filter((version) => !gone.includes(version));
        expect(told(record).slice(0, expected.length), now.stage).toEqual(expected.map(foundAs));
        for (const { keyId } of record.versions) {
          expect(await world.table.boundTo(keyId)).toBe(orders);
        }
      }
    },
  );

  test("loses no data, once reconciled, and rotates on", async () => {
    const life = await live(twoRotations);
    for (const now of life.beginnings().filter((_, at) => at % 3 === 2)) {
      const restored = await anew(life, now);
      await restored.reconcile();
      await restored.days(90);
      restored.application.migratesAfterMs = 10 * dayMs;
      await restored.days(110);
      expect(restored.application.failures, now.stage).toEqual([]);
      expect(restored.world.history(), now.stage).toContain("activated");
    }
  });
});

describe("what was shown", () => {
  test("is what is written, and the history goes on from it", async () => {
    const life = await live(twoRotations);
    const [then, now] = [life.when(whereOldVersion("serving")), life.when(inSoak)];
    for (const table of [emptyTable, then]) {
      const { world } = new Restored(life, table, now, "another table");
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

  test("is shown anew, and not written, where a person disabled a key in between", async () => {
    const life = await live(twoRotations);
    const now = life.when(whereOldVersion("draining"));
    for (const table of [emptyTable, life.when(whereOldVersion("serving"))]) {
      const { world } = new Restored(life, table, now, "another table");
      await world.passDays(1);
      const before = await shown(world);
      const versions = told(await world.record());
      await world.ask("DisableKey", { KeyId: now.record.versions[0]?.keyId });
      await world.asks("reconcile", { proposal: before.revision });
      const { proposal, versions: _, ...record } = await world.record();
      expect(proposal?.lines).not.toEqual(before.lines);
      expect(told({ ...record, versions: _ })).toEqual(versions);
      expect(await world.findings()).toContain("STATE_BEHIND_KMS");
      await world.asks("reconcile", { proposal: before.revision });
      expect(world.history()).not.toContain("reconciled");
      const { revision } = (await world.record()).proposal ?? {};
      await world.asks("reconcile", { proposal: revision });
      expect((await world.record()).versions[0]?.standing).toBe("disabled");
    }
  });

  test("is nothing at all while the alias points at a key that is not ours", async () => {
    const life = await live(twoRotations);
    const now = life.when(whereOldVersion("draining"));
    for (const Tags of [undefined, [{ TagKey: "keyturn:owner", TagValue: "another" }]]) {
      const then = life.when(whereOldVersion("serving"));
      const { world } = new Restored(life, then, now, "another table");
      const key = await world.ask<{ KeyMetadata: { KeyId: string } }>("CreateKey", { Tags });
      const ours = await world.targetOf(orders);
      const { KeyId: TargetKeyId } = key.KeyMetadata;
      await world.ask("UpdateAlias", { AliasName: orders, TargetKeyId });
      await world.asks("reconcile");
      expect((await world.record()).proposal).toBeUndefined();
      expect(await world.findings()).toContain("REQUEST_REFUSED");
      await world.ask("UpdateAlias", { AliasName: orders, TargetKeyId: ours });
      await world.asks("reconcile", { proposal: (await shown(world)).revision });
      expect(world.history()).toContain("reconciled");
      expect(changingCalls(world)).toEqual([]);
    }
  });
});

/** A world that was reconciled, and data that is read so seldom that its version left. */
async function reconciled(
  fits: (record: ManagedKey) => boolean,
  isAnew: boolean,
): Promise<{ restored: Restored; first: string; use: () => Promise<void> }> {
  const life = await live(twoRotations);
  const now = life.when(fits);
  const then = isAnew ? emptyTable : life.when(whereOldVersion("serving"));
  const restored = new Restored(life, then, now, "another table");
  const first = life.when(whereOldVersion("serving")).record.versions[0]?.keyId ?? "";
  const held = life.moments.flatMap(({ application }) => application.blobs);
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

describe.each(["a restored", "an empty"])("once %s table was reconciled", (which) => {
  test.each(["disabled", "deletion-scheduled"] as const)(
    "a version that is %s comes back when somebody uses it",
    async (standing) => {
      const { restored, first, use } = await reconciled(
        whereOldVersion(standing),
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
      expect(await world.stateOf(first)).toBe("gone");
    },
  );
});

describe("a call from before the restore, that lands after it was reconciled", () => {
  const late = { principalArn: "arn:aws:iam::000000000000:role/before-the-restore" };

  async function landsLate(world: World, operation: string, input: object): Promise<void> {
    const land = (): Promise<unknown> => Promise.resolve(world.kms.call(operation, input, late));
    world.underWay.push({ atMs: world.clock.nowMs() + 14 * minuteMs, land });
    await world.pass(hourMs);
  }

  test("DisableKey: a version that is in use is given back", async () => {
    const { restored, first, use } = await reconciled(whereOldVersion("draining"), false);
    await landsLate(restored.world, "DisableKey", { KeyId: first });
    await use();
    await restored.world.passDays(1);
    expect(await restored.world.stateOf(first)).toBe("Enabled");
  });

  test("ScheduleKeyDeletion: a version that is in use is not deleted", async () => {
    const { restored, first, use } = await reconciled(inSoak, false);
    await landsLate(restored.world, "ScheduleKeyDeletion", { KeyId: first });
    await use();
    await restored.world.passDays(40);
    expect(await restored.world.stateOf(first)).toBe("Enabled");
  });

  test("UpdateAlias: the version that the alias is on is not labelled retired", async () => {
    const onItsWay = ({ rotations }: ManagedKey): boolean => rotations[0]?.step === "distribute";
    const { restored } = await reconciled(onItsWay, false);
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
