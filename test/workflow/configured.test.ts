import { describe, expect, test } from "vitest";
import type { Step } from "../../lambda/workflow/model/types.ts";
import { decide } from "../../lambda/workflow/workflow.ts";
import { aHome, aPolicy } from "../fixtures.ts";
import { changes, nextOf, spoken } from "./decided.ts";
import { alias, aScene, nowMs, stepScene, type Setting } from "./scene.ts";

const yearly = aPolicy({ name: "yearly" });
const both = [alias, "alias/b"];
const waiting = { kind: "wait", untilMs: nowMs + 5, reason: "until then" } as const;
const parked = { r1: waiting, active: waiting };

const inStep = (step: Step, home: Parameters<typeof aHome>[0], record: Setting["record"] = {}) => {
  const context = { home: aHome({ alias, ...home }), parked };
  const scene = stepScene(step, { context, record });
  return spoken(decide(scene.record, scene.observed, scene.context).decision);
};
const at = (home: Parameters<typeof aHome>[0], record: Setting["record"] = {}) =>
  inStep("drain", home, record);

describe("a changed configuration", () => {
  test("puts the policy and the dependents on record", () => {
    const done = at({ policy: yearly, dependents: ["app"] });
    expect(done).toMatchObject(changes("configured", { policy: "yearly", aliases: alias }));
    expect(nextOf(done)).toMatchObject({ policy: yearly, dependents: ["app"], aliases: [alias] });
    expect(at({ policy: yearly })).toMatchObject(changes("configured"));
    expect(at({ dependents: ["app"] })).toMatchObject(changes("configured"));
    expect(nextOf(done)).not.toHaveProperty("suspectedAtMs");
  });

  test("of the aliases causes a read of them", () => {
    const unlistedAliases = ["alias/b", "alias/c"];
    const done = at({ aliases: both }, { unlistedAliases });
    expect(done).toMatchObject(changes("configured", { aliases: "alias/orders,alias/b" }));
    expect(nextOf(done)).toMatchObject({
      aliases: both,
      suspectedAtMs: nowMs,
      unlistedAliases: ["alias/c"],
    });
  });

  test("leaves the rest of the record as it is", () => {
    const { record, observed, context } = aScene({
      context: { home: aHome({ alias, policy: yearly }) },
    });
    expect(nextOf(decide(record, observed, context).decision)).toEqual({
      ...record,
      policy: yearly,
    });
  });
});

describe("a rotation before the move of the aliases", () => {
  test("moves the aliases that it began with", () => {
    expect(inStep("distribute", { aliases: both })).toEqual(waiting);
    const done = inStep("distribute", { aliases: both, policy: yearly });
    expect(done).toMatchObject(changes("configured", { aliases: "alias/orders,alias/b" }));
    expect(nextOf(done)).toMatchObject({ policy: yearly, aliases: [alias] });
    expect(nextOf(done)).not.toHaveProperty("suspectedAtMs");
  });

  test("does not prevent a change of policy and dependents", () => {
    expect(inStep("distribute", { dependents: ["app"] })).toMatchObject(changes("configured"));
  });
});

test("an equal configuration changes nothing", () => {
  expect(at({})).toEqual(waiting);
  expect(
    at({ aliases: both, dependents: ["app"] }, { aliases: both, dependents: ["app"] }),
  ).toEqual(waiting);
});
