/**
 * Every call of several histories × every fault × one, two and three runs: a sample; `npm run
 * matrix` plays all. The instrumented ports record the calls: none can be missing.
 */
import { beforeAll, describe, expect, test } from "vitest";
import type { Discovery, Events, KeyService, Table } from "../../lambda/ports.ts";
import type { Call } from "../../lambda/workflow/model/types.ts";
import type { Case } from "../../sim/matrix/case.ts";
import { concurrentRunsAll } from "../../sim/matrix/concurrent-runs.ts";
import { applies, faultNames } from "../../sim/matrix/faults.ts";
import { casesOf, describeCase, judge, references } from "../../sim/matrix/matrix.ts";
import type { Reference } from "../../sim/matrix/matrix.ts";
import { isFull, sample } from "../sizes.ts";

/**
 * Whether a history calls the method, or why none does. The types require every new method here.
 */
type Visits<Port> = Record<keyof Port, true | string>;

const keys: Omit<Visits<KeyService>, "change"> = {
  describe: true,
  aliasesOf: true,
  policyOf: true,
  tagsOf: true,
  grantsOf: true,
  lastUseOf: true,
  publicKeyOf: true,
  allAliases: true,
  canary: "only when CloudTrail monitors the drain: a read like any other",
  rotatesItself: "no decision rests on it: it passes no faults (sim/world/ports.ts)",
};
const calls: Record<Call["kind"], true> = {
  CreateKey: true,
  CreateGrant: true,
  UpdateAlias: true,
  TagResource: true,
  UntagResource: true,
  CancelKeyDeletion: true,
  EnableKey: true,
  DisableKey: true,
  ScheduleKeyDeletion: true,
};
const discovery: Visits<Discovery> = { keysTagged: true, keysWithTag: true };
const events: Visits<Events> = { publish: true };
const table: Visits<Table> = {
  due: true,
  takeRunClaim: true,
  releaseRunClaim: true,
  claim: true,
  write: true,
  read: true,
  readMany: true,
  create: true,
  nudge: true,
  bind: true,
  unbind: true,
  boundTo: true,
  requests: true,
  deleteRequests: true,
  id: true,
  archive: true,
  closedRotation: true,
  recordConfiguration: true,
  forgetConfigurations: true,
  schedule: true,
  heard: "only when CloudTrail monitors the drain: it changes no record",
  heardAtMs: "same as heard",
  refusals: "only when refused uses are collected",
  saveRefusals: "the second function's",
  refusalsRead: "only when refused uses are collected",
  forgetRefusals: "only for refused uses of a key that is managed no longer",
  refusalsWatch: "only when refused uses are collected",
  saveRefusalsWatch: "the second function's",
};

let all: Reference[] = [];
beforeAll(async () => {
  all = await references();
});

type Pair = { one: Case; reference: Reference };

/**
 * One case for each call in each place of each history. Consecutive cases differ in the fault, in
 * the concurrent runs and, with them, in the clocks.
 */
function rotating(references: Reference[]): Pair[] {
  const everywhere = references.flatMap((reference) =>
    casesOf(reference).map((one) => ({ one, reference })),
  );
  const places = Map.groupBy(
    everywhere,
    ({ one: { history, boundary } }) => `${history.name}|${boundary.operation}|${boundary.place}`,
  );
  // The golden ratio spreads the choices over all cases of a place.
  return [...places.values()].flatMap((pairs, index) => {
    const pair = pairs[Math.floor(((index * 0.618034) % 1) * pairs.length)];
    return pair === undefined ? [] : [pair];
  });
}

test("the histories make every call of the ports", () => {
  const visited = new Set(
    all.flatMap(({ finish }) => finish.boundaries.map(({ operation }) => operation)),
  );
  const ports = { KMS: keys, tagging: discovery, events, table };
  const wanted = Object.entries(ports).flatMap(([port, methods]) =>
    Object.entries(methods)
      .filter(([, visits]) => visits === true)
      .map(([name]) => `${port} ${name}`),
  );
  expect([...visited].sort()).toEqual([...wanted, ...Object.keys(calls)].sort());
});

describe("any fault in any call", () => {
  test("every kind of call has a case for each applicable fault and number of runs", () => {
    const cases = all.flatMap((reference) => casesOf(reference));
    expect(cases.length).toBeGreaterThan(50_000);
    const kinds = new Set(
      cases.map(
        ({ boundary, fault, concurrentRuns }) => `${boundary.operation}|${fault}|${concurrentRuns}`,
      ),
    );
    const media = new Map(cases.map(({ boundary }) => [boundary.operation, boundary.medium]));
    const wanted = [...media].flatMap(([operation, medium]) =>
      faultNames
        .filter((fault) => applies(fault, medium))
        .flatMap((fault) =>
          concurrentRunsAll
            .slice(0, 3)
            .map((concurrentRuns) => `${operation}|${fault}|${concurrentRuns}`),
        ),
    );
    expect(wanted.filter((kind) => !kinds.has(kind))).toEqual([]);
  });

  test("leaves the end of the history the same, and soon nothing in doubt", async () => {
    const deviating: string[] = [];
    let met = 0;
    for (const { one, reference } of sample(rotating(all), 160)) {
      const { deviations, meeting } = await judge(one, reference);
      if (meeting.claims) met += 1;
      if (deviations.length > 0) deviating.push(`${describeCase(one)}: ${deviations.join()}`);
    }
    expect(deviating).toEqual([]);
    // Other runs must meet the interrupted one: without them the test proves nothing.
    expect(met).toBeGreaterThan(isFull ? 50 : 5);
  });
});
