/**
 * Each part of the settle rule is needed: with it, `sweep.test.ts` finds nothing wrong; here production
 * is loaded anew without it, and harm is done. The four schedules are played one by one in
 * `test/settle-rule/schedules.test.ts`.
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

/** What an exempt call gave back is taken to be back at once, and labelled so. */
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
  "that others wait": () => withRule(() => ({ blockedUntilMs: () => undefined })),
  "the second look at exempt calls": withoutSecondObservation,
  "the list: there is one mark for all epochs": () =>
    withRule(() => ({ marked: (_: Unsettled[], own: Unsettled) => [own] })),
  "that an epoch removes its own mark only": () =>
    withRule(() => ({
      leftUnsettled: (list, _epoch, uncertain) => (uncertain ? list : []),
    })),
  "request limit and skew in the mark": () =>
    withRule(() => ({ unsettledUntilMs: (deadlineMs) => deadlineMs + consistencyMs })),
  "the consistency of reads in the mark": () =>
    withRule(() => ({
      unsettledUntilMs: (deadlineMs) => deadlineMs + requestLimitMs + clockSkewMs,
    })),
};

const onDisabled = "the alias is on a key that is Disabled";
const onPending = "the alias is on a key that is PendingDeletion";
const neededPending = "the key that is in use is PendingDeletion";

afterEach(() => {
  vi.doUnmock("../../lambda/workflow/safety/settle.ts");
  vi.doUnmock("../../lambda/workflow/restore/restore.ts");
  vi.doUnmock("../../lambda/pass/pass.ts");
  vi.resetModules();
});

describe("harm is done without", () => {
  test.each<[part: keyof typeof parts, call: string, what: Meanwhile, harm: string]>([
    ["that others wait", "DisableKey 1", "rollback", onDisabled],
    ["that others wait", "ScheduleKeyDeletion 1", "use", neededPending],
    ["the second look at exempt calls", "ScheduleKeyDeletion 1", "use", neededPending],
    ["the list: there is one mark for all epochs", "ScheduleKeyDeletion 1", "rollback", onPending],
    ["that an epoch removes its own mark only", "DisableKey 1", "rollback", onDisabled],
    ["request limit and skew in the mark", "DisableKey 1", "rollback", onDisabled],
    ["the consistency of reads in the mark", "DisableKey 1", "rollback", onDisabled],
  ])("%s, where a %s is late and there is a %s", async (part, call, what, harm) => {
    vi.resetModules();
    parts[part]();
    const { aHistory, sweep } = await import("./sweep.ts");
    const wrong = await sweep(await aHistory(), call, what);
    expect(wrong).toContainEqual(expect.stringContaining(harm));
  });
});

describe("a look that began while an earlier call could still land", () => {
  const itsPart = "others.some(({ untilMs }) => untilMs > observedSinceMs && untilMs <= nowMs)";

  async function play(): Promise<Outcome> {
    const { aHistory } = await import("./sweep.ts");
    const { slowRead } = await import("./fresh-observation.ts");
    return slowRead(await aHistory());
  }

  test("is made afresh: a version that is to stay is given back", async () => {
    expect(await play()).toEqual({ state: "Enabled", errors: [] });
  });

  test("would else leave it disabled for good", async () => {
    vi.resetModules();
    vi.doMock("../../lambda/pass/pass.ts", () => mutant("lambda/pass/pass.ts", itsPart, "false"));
    expect(await play()).toEqual({ state: "Disabled", errors: [] });
  });
});
