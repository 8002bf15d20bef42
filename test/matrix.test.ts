/**
 * Every call of several lives × every fault × one, two and three runs: a part of it; `npm run matrix`
 * plays all. The calls are those that the instrumented ports saw, so that none can be forgotten.
 */
import { beforeAll, describe, expect, test } from "vitest";
import type { Discovery, Events, KeyService, Table } from "../lambda/ports.ts";
import type { Call } from "../lambda/workflow/types.ts";
import { casesOf, describeCase, deviationsOf, references } from "../sim/matrix/matrix.ts";
import type { Reference } from "../sim/matrix/matrix.ts";

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
  nudge: "only where the audit finds drift: test/audit and the world outside-change",
  bind: true,
  unbind: true,
  boundTo: true,
  requests: true,
  deleteRequests: true,
  id: true,
  archive: true,
  closedRotation: "only where the audit finds a key in excess: the world to-the-end",
  recordConfiguration: true,
  forgetConfigurations: true,
  schedule: true,
};

let all: Reference[] = [];
beforeAll(async () => {
  all = await references();
});

test("the lives make every call that there is", () => {
  const visited = new Set(
    all.flatMap(({ ending }) => ending.boundaries.map(({ operation }) => operation)),
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
  test("the life ends as it was meant to, and soon nothing is in doubt", async () => {
    const every = 17;
    const pairs = all.flatMap((reference) => casesOf(reference).map((one) => ({ one, reference })));
    expect(pairs.length).toBeGreaterThan(5000);
    const deviating: string[] = [];
    for (let index = 0; index < pairs.length; index += every) {
      const pair = pairs[index];
      if (pair === undefined) continue;
      const deviations = await deviationsOf(pair.one, pair.reference);
      if (deviations.length > 0) deviating.push(`${describeCase(pair.one)}: ${deviations.join()}`);
    }
    expect(deviating).toEqual([]);
  });
});
