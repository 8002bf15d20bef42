/**
 * Each part of the settle rule is necessary: with the whole rule `sweep.test.ts` finds nothing
 * wrong. Here the tests load production without one part, and harm follows. `schedules.test.ts`
 * plays the four schedules one by one.
 */
import { afterEach, describe, expect, test, vi } from "vitest";
import type * as restore from "../../lambda/workflow/restore/restore.ts";
import type * as settle from "../../lambda/workflow/safety/settle.ts";
import type { Restored, StepScene, Unsettled } from "../../lambda/workflow/model/types.ts";
import { consistencyMs, clockSkewMs, requestLimitMs } from "../../lambda/workflow/model/limits.ts";
import type { Outcome } from "./fresh-observation.ts";
import { mutant } from "./mutant.ts";
import type { Meanwhile } from "./sweep.ts";

type Rule = typeof settle;

function withRule(change: (rule: Rule) => Partial<Rule>): void {
  vi.doMock("../../lambda/workflow/safety/settle.ts", async (original) => {
    const rule = await original<Rule>();
    return { ...rule, ...change(rule) };
  });
}

/** Takes a key that an exempt call enabled for restored at once, and labels it so. */
function withoutSecondObservation(): void {
  withRule((rule) => ({
    isExempt: (call) => rule.isExempt(call) || call.kind === "TagResource",
  }));
  vi.doMock("../../lambda/workflow/restore/restore.ts", async (original) => {
    const module = await original<typeof restore>();
    const decideRestored = (scene: StepScene, restored: Restored) => {
      const { unsettled } = scene.record;
      const blind = { ...scene, record: { ...scene.record, unsettled: [] } };
      const decision = module.decideRestored(blind, restored);
      if (decision.kind !== "change") return decision;
      return { ...decision, next: { ...decision.next, unsettled } };
    };
    return { ...module, decideRestored };
  });
}

const parts = {
  "the wait of other runs": () => withRule(() => ({ blockedUntilMs: () => undefined })),
  "the second observation of exempt calls": withoutSecondObservation,
  "the list (one mark for all epochs)": () =>
    withRule(() => ({ marked: (_: Unsettled[], own: Unsettled) => [own] })),
  "the limit of removal to the own mark": () =>
    withRule(() => ({
      leftUnsettled: (list, _epoch, uncertain) => (uncertain ? list : []),
    })),
  "request limit and clock skew in the mark": () =>
    withRule(() => ({ unsettledUntilMs: (deadlineMs) => deadlineMs + consistencyMs })),
  "the read consistency in the mark": () =>
    withRule(() => ({
      unsettledUntilMs: (deadlineMs) => deadlineMs + requestLimitMs + clockSkewMs,
    })),
};

const onDisabled = "the alias is on a key that is Disabled";
const onPending = "the alias is on a key that is PendingDeletion";
const neededPending = "the key in use is PendingDeletion";

afterEach(() => {
  vi.doUnmock("../../lambda/workflow/safety/settle.ts");
  vi.doUnmock("../../lambda/workflow/restore/restore.ts");
  vi.doUnmock("../../lambda/pass/pass.ts");
  vi.resetModules();
});

describe("harm follows without", () => {
  test.each<[part: keyof typeof parts, call: string, what: Meanwhile, harm: string]>([
    ["the wait of other runs", "DisableKey 1", "rollback", onDisabled],
    ["the wait of other runs", "ScheduleKeyDeletion 1", "use", neededPending],
    ["the second observation of exempt calls", "ScheduleKeyDeletion 1", "use", neededPending],
    ["the list (one mark for all epochs)", "ScheduleKeyDeletion 1", "rollback", onPending],
    ["the limit of removal to the own mark", "DisableKey 1", "rollback", onDisabled],
    ["request limit and clock skew in the mark", "DisableKey 1", "rollback", onDisabled],
    ["the read consistency in the mark", "DisableKey 1", "rollback", onDisabled],
  ])("%s, with a late %s and a %s", async (part, call, what, harm) => {
    vi.resetModules();
    parts[part]();
    const { aHistory, sweep } = await import("./sweep.ts");
    const wrong = await sweep(await aHistory(), call, what);
    expect(wrong).toContainEqual(expect.stringContaining(harm));
  });
});

describe("an observation from before the end of an earlier mark", () => {
  const itsPart = "others.some(({ untilMs }) => untilMs > observedSinceMs && untilMs <= nowMs)";

  async function play(): Promise<Outcome> {
    const { aHistory } = await import("./sweep.ts");
    const { slowRead } = await import("./fresh-observation.ts");
    return slowRead(await aHistory());
  }

  test("is repeated: a run restores the version that must stay", async () => {
    expect(await play()).toEqual({ state: "Enabled", errors: [] });
  });

  test("leaves the version disabled if it is not repeated", async () => {
    vi.resetModules();
    vi.doMock("../../lambda/pass/pass.ts", () => mutant("lambda/pass/pass.ts", itsPart, "false"));
    expect(await play()).toEqual({ state: "Disabled", errors: [] });
  });
});
