import { expect, test, vi } from "vitest";
import type * as settle from "../../lambda/workflow/settle.ts";
import type * as give from "../../lambda/workflow/give-back.ts";
import type { Unsettled } from "../../lambda/workflow/types.ts";
type Rule = typeof settle;
const parts: Record<string, (r: Rule) => Partial<Rule>> = {
  none: () => ({}),
  nothingWaits: () => ({ blockedUntilMs: () => undefined }),
  noLimitAndSkew: () => ({ unsettledUntilMs: (d: number) => d + 300_000 }),
  noConsistency: () => ({ unsettledUntilMs: (d: number) => d + 70_000 }),
  oneMark: () => ({ marked: (_l: Unsettled[], own: Unsettled) => [own] }),
  settledAll: () => ({ settled: () => [] }),
  ownUncertain: (r) => ({ blockedUntilMs: (l, e, _u, n) => r.blockedUntilMs(l, e, false, n) }),
  noSecondLook: (r) => ({ isExempt: (c) => r.isExempt(c) || c.kind === "TagResource" }),
};
const only = (process.env.PARTS ?? "").split(",").filter(Boolean);
test.each(Object.entries(parts).filter(([n]) => only.length === 0 || only.includes(n)))("%s", { timeout: 100_000 }, async (name, part) => {
  vi.resetModules();
  vi.doMock("../../lambda/workflow/settle.ts", async (original) => {
    const r = await original<Rule>();
    return { ...r, ...part(r) };
  });
  if (name === "noSecondLook")
    vi.doMock("../../lambda/workflow/give-back.ts", async (original) => {
      const g = await original<typeof give>();
      return { ...g, decideRestored: (scene: any, restored: any) => {
        const d = g.decideRestored({ ...scene, record: { ...scene.record, unsettled: [] } }, restored);
        return "next" in d ? { ...d, next: { ...d.next, unsettled: scene.record.unsettled } } : d;
      } };
    });
  const { aLife, sweep, meanwhile } = await import("./sweep.ts");
  const life = await aLife();
  for (const call of life.starts.keys()) for (const what of meanwhile) {
    const wrong = await sweep(life, call, what);
    if (wrong.length > 0) console.log(name, call, what, wrong.length, new Set(wrong.map((w) => w.replace(/.*sample \d+: /, "").replace(/after.*/, ""))), wrong[0], wrong.at(-1));
  }
  vi.doUnmock("../../lambda/workflow/give-back.ts");
  expect(1).toBe(1);
});
