/**
 * A plan that is applied after the state has changed: made at every state of a history, also between
 * two calls of a run, and applied at every later one. The command reads the state first. The function
 * must itself reject a request that was written before the state changed.
 */
import { describe, expect, test } from "vitest";
import { whyMovedOn } from "../../cli/plan/plan.ts";
import type { Stored } from "../../lambda/ports.ts";
import { copyOf, type CopiedDeployment } from "./copied-deployment.ts";
import { minuteMs } from "../fixtures.ts";
import { isRead, histories, orders, statesOf } from "./plan-histories.ts";
import { isFull } from "../sizes.ts";

/** How many states of each history are tested; all of them take some minutes. */
const statesPerHistory = Number(process.env.PLAN_STATES ?? (isFull ? 14 : 6));

type ObservedState = Pick<Stored, "journalHead"> & { revision: number; tableId: string };

async function observedIn(world: CopiedDeployment): Promise<ObservedState | undefined> {
  const stored = await world.table.read(orders);
  if (stored === undefined) return undefined;
  const { revision, tableId } = stored.record;
  return { journalHead: stored.journalHead, revision, tableId };
}

function someOf<T>(all: T[]): T[] {
  const every = Math.max(1, Math.ceil(all.length / statesPerHistory));
  return all.filter((_, at) => at % every === 0);
}

/** The outcome of the planned rotation, when the function reads the request. */
async function applied(
  state: CopiedDeployment,
  head: string,
): Promise<{ reasons: string[]; wanted: boolean }> {
  const world = copyOf(state);
  const known = world.table.journal(orders).length;
  // An id of its own: the record keeps fulfilled ids for a day.
  world.table.ask(orders, "planned-000001", { kind: "rotate", by: "ada", ifHead: head });
  // A run that died in this state holds its claim for some minutes.
  await world.pass(11 * minuteMs);
  const lines = world.table.journal(orders).slice(known);
  const refused = lines.filter(({ event }) => event === "request-rejected");
  return {
    reasons: refused.map(({ reason }) => reason),
    wanted: lines.some(({ event }) => event === "rotation-requested"),
  };
}

describe.each(Object.entries(histories))("in a history that %s", (_, history) => {
  test("no stale plan applies, and every fresh one may", async () => {
    const states = someOf(await statesOf(history));
    let stale = 0;
    for (const [at, then] of states.entries()) {
      const planned = await observedIn(then);
      if (planned === undefined) continue;
      const { journalHead: head, revision, tableId } = planned;
      for (const now of states.slice(at)) {
        const stored = await now.table.read(orders);
        const isFresh = stored?.journalHead === head;
        const why = whyMovedOn(
          { table: { name: "keyturn", id: tableId } },
          { head, revision },
          stored,
        );
        expect(why === undefined).toBe(isFresh && stored.record.tableId === tableId);
        const { reasons, wanted } = await applied(now, head);
        const forThat = reasons.filter((reason) => reason.includes("the plan names the head"));
        expect({ isFresh, forThat: forThat.length, wanted: wanted && !isFresh }).toEqual({
          isFresh,
          forThat: isFresh ? 0 : 1,
          wanted: false,
        });
        stale += isFresh ? 0 : 1;
      }
    }
    expect(stale).toBeGreaterThan(isFull ? 10 : 5);
  });
});

test("a stale plan causes no further changing call", async () => {
  const [history] = Object.values(histories);
  if (history === undefined) throw new Error("there is no history");
  const states = someOf(await statesOf(history));
  for (const [at, then] of states.entries()) {
    const planned = await observedIn(then);
    const later = states.slice(at + 1).find((one) => one.clock.nowMs() > then.clock.nowMs());
    if (planned === undefined || later === undefined) continue;
    const [requested, alone] = [copyOf(later), copyOf(later)];
    requested.request("rotate", { ifHead: planned.journalHead });
    for (const world of [requested, alone]) await world.passDays(40);
    const changes = (world: CopiedDeployment) =>
      world.calls.filter((operation) => !isRead(operation));
    const isFresh = (await observedIn(later))?.journalHead === planned.journalHead;
    if (!isFresh) expect(changes(requested)).toEqual(changes(alone));
  }
});
