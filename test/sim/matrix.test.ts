/**
 * Every call of several lives × every fault × one, two and three runs: a part of it; `npm run matrix`
 * plays all. The calls are those that the instrumented ports saw, so that none can be forgotten.
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

/** Whether a life visits the method; where none does, why. A new method is an error of types here. */
type Visits<Port> = Record<keyof Port, true | string>;

const keys: Omit<Visits<KeyService>, "change"> = {
  describe: true,
  aliasesOf: true,
  policyOf: true,
  tagsOf: true,
  grantsOf: true,
  lastUseOf: true,
  allAliases: true,
  canary: "only where the drain is watched by way of CloudTrail: a look like any other",
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
  heard: "only where the drain is watched by way of CloudTrail: it changes no record",
  heardAtMs: "likewise",
};

let all: Reference[] = [];
beforeAll(async () => {
  all = await references();
});

type Pair = { one: Case; reference: Reference };

/**
 * Every call once for each place in each life where it is made: from one to the next the fault is
 * another, and so are the company and, with it, the clocks.
 */
function rotating(references: Reference[]): Pair[] {
  const everywhere = references.flatMap((reference) =>
    casesOf(reference).map((one) => ({ one, reference })),
  );
  const places = Map.groupBy(
    everywhere,
    ({ one: { history, boundary } }) => `${history.name}|${boundary.operation}|${boundary.place}`,
  );
  // As far apart as it gets: the golden section of however many cases there are.
  return [...places.values()].flatMap((pairs, index) => {
    const pair = pairs[Math.floor(((index * 0.618034) % 1) * pairs.length)];
    return pair === undefined ? [] : [pair];
  });
}

test("the lives make every call that there is", () => {
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

describe("whatever call comes to grief, in whatever way", () => {
  test("the cases are many, and each kind of call has every fault and company it can", () => {
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

  test("the life ends as it was meant to, and soon nothing is in doubt", async () => {
    const deviating: string[] = [];
    let met = 0;
    for (const { one, reference } of sample(rotating(all), 160)) {
      const { deviations, meeting } = await judge(one, reference);
      if (meeting.claims) met += 1;
      if (deviations.length > 0) deviating.push(`${describeCase(one)}: ${deviations.join()}`);
    }
    expect(deviating).toEqual([]);
    // Other runs do meet the one that comes to grief: without them there would be nothing to see.
    expect(met).toBeGreaterThan(isFull ? 50 : 5);
  });
});
