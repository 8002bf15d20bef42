/** Before a deletion, refused uses were collected for as long as the version must be quiet. */
import { describe, expect, test } from "vitest";
import { decideRevoke } from "../../lambda/workflow/5-revoke.ts";
import { notCollected } from "../../lambda/workflow/revoke/collected.ts";
import { aPolicy, dayMs, hourMs } from "../fixtures.ts";
import { calls, readsOf, spoken, waits } from "./decided.ts";
import { soaked, type RefusedSetting } from "./refused.ts";
import { absent, anApproval, nowMs } from "./scene.ts";

const decide = (setting: RefusedSetting = {}) => spoken(notCollected(soaked(setting)));
const quietForMs = 14 * dayMs;
const unheard = (untilMs: number) => waits(untilMs, "REFUSALS_NOT_WATCHED", "r1");

describe("refused uses were collected", () => {
  test("where canaries arrived for the quiet time, without a gap", () => {
    expect(decide()).toBeUndefined();
    expect(decide({ watch: { sinceMs: nowMs - quietForMs } })).toBeUndefined();
  });

  test("for long enough by the policy of the rotation", () => {
    const policy = aPolicy({
      drain: { atLeastMs: dayMs, quietForMs: 40 * dayMs, evidence: "required" },
    });
    const at = (sinceMs: number) => decide({ rotation: { policy }, watch: { sinceMs } });
    expect(at(nowMs - 40 * dayMs)).toBeUndefined();
    expect(at(nowMs - 40 * dayMs + 1)).toMatchObject(unheard(nowMs + 1));
  });

  test("where the deployment does not collect them: nothing is awaited", () => {
    const context = { refusalsWatch: "none" as const };
    const observed = { "refusals-watch": { "alias/orders": absent } };
    expect(decide({ context, observed })).toBeUndefined();
  });
});

describe("they were not, and the deletion waits", () => {
  test("where the last canary is older than 36 hours: no trail, no rule, or no function", () => {
    const at = (heardAtMs: number) => decide({ watch: { heardAtMs } });
    expect(at(nowMs - 36 * hourMs)).toBeUndefined();
    const silent = at(nowMs - 36 * hourMs - 1);
    expect(silent).toMatchObject(unheard(nowMs + hourMs));
    expect(silent).toMatchObject({
      finding: {
        observed: expect.stringContaining("; keyturn does not delete") as string,
        next: "aws cloudtrail describe-trails",
      },
    });
  });

  test("where no canary ever arrived", () => {
    const observed = { "refusals-watch": { "alias/orders": absent } };
    expect(decide({ observed })).toMatchObject(unheard(nowMs + hourMs));
  });

  test("until they were collected for the quiet time, with a pass every day", () => {
    const at = (sinceMs: number) => decide({ watch: { sinceMs } });
    expect(at(nowMs - quietForMs + 1)).toMatchObject(unheard(nowMs + 1));
    expect(at(nowMs - dayMs)).toMatchObject(unheard(nowMs + dayMs));
    expect(at(nowMs - dayMs)).toMatchObject({
      finding: { observed: expect.stringContaining("only since 1972-09-26") as string },
    });
  });

  test("from a reconciliation on: what the lost table had collected is lost", () => {
    const at = (collectedFromMs: number) => decide({ record: { collectedFromMs } });
    expect(at(nowMs - quietForMs)).toBeUndefined();
    expect(at(nowMs - quietForMs + 1)).toMatchObject(unheard(nowMs + 1));
  });
});

describe("a deletion that an operator approved", () => {
  const approval = anApproval({ of: "delete" });
  const toDelete = (setting: RefusedSetting = {}) =>
    spoken(decideRevoke(soaked({ ...setting, rotation: { approval, ...setting.rotation } })));

  test("is scheduled where refused uses were collected", () => {
    expect(toDelete()).toMatchObject(calls("ScheduleKeyDeletion"));
  });

  test("waits where they were not", () => {
    const silent = toDelete({ watch: { heardAtMs: nowMs - 3 * dayMs } });
    expect(silent).toMatchObject(unheard(nowMs + hourMs));
  });

  test("comes after the read of the watch", () => {
    const full = soaked({ rotation: { approval } });
    const asked = readsOf((observed) => decideRevoke({ ...full, observed }), full.observed);
    expect(asked).toContain("refusals-watch alias/orders");
  });
});
