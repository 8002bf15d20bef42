/** A world of one snapshot with the table of an earlier one. */
import { createTableTwin } from "../../sim/ports/table.ts";
import { SimRandom } from "../../embedded-aws/random.ts";
import type { Application } from "../application.ts";
import { dayMs } from "../fixtures.ts";
import type { History, Snapshot } from "../recorded-history.ts";
import { World } from "../world.ts";

/** The table of a new stack. */
export const emptyTable = { table: createTableTwin().snapshot() };

export type Into = "the same table" | "another table";

export class Restored {
  readonly world: World;
  /** It migrates no data until a test sets `migratesAfterMs`. */
  readonly application: Application;

  constructor({ options }: History, then: Pick<Snapshot, "table">, now: Snapshot, into: Into) {
    const world = new World(options);
    world.clock.moveTo(now.atMs);
    const random = new SimRandom(2);
    Object.assign(world.kms.world, structuredClone(now.kms), { random, aliasOrder: undefined });
    // No id is used a second time.
    const { chance } = world.ports();
    for (let count = 0; count < 10_000; count++) chance.id();
    world.table.restore(then.table);
    if (into === "another table") world.table.tableId = "table-2";
    this.world = world;
    this.application = now.application.copy();
    this.application.migratesAfterMs = Infinity;
  }

  /** Days pass; the application works every day, and a run follows every few days. */
  async runs(days: number, every: number): Promise<void> {
    for (let day = 1; day <= days; day++) {
      this.world.clock.advance(dayMs);
      await this.application.day(this.world);
      if (day % every === 0) await this.world.tick();
    }
  }

  /** Days pass; the application works every day, and dependents acknowledge. */
  async days(count: number): Promise<void> {
    const { world, application } = this;
    for (let day = 0; day < count; day++) {
      await world.passDays(1);
      await application.day(world);
      const { rotations } = await world.record();
      const next = rotations.find(({ step }) => step === "distribute");
      for (const dependent of next?.dependents ?? []) {
        await world.asks("acknowledge", { version: next?.to, dependent });
      }
    }
  }

  /** An operator requests the proposal, and then its writing; once more where the proposal changed. */
  async reconcile(): Promise<void> {
    await this.world.asks("reconcile");
    for (let tries = 0; tries < 2; tries++) {
      const { proposal } = await this.world.record();
      if (proposal === undefined) return;
      await this.world.asks("reconcile", { proposal: proposal.revision });
    }
  }
}
