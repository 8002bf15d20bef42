/** What the checkers of one world read, and where they report. */
import { Interventions, type Facts, type Violation } from "../checkers/checker.ts";
import type { Engine } from "./engine.ts";

type World = Pick<Facts, "kms" | "ours" | "policies" | "flights" | "uses"> & {
  engine: Engine;
  violations: Violation[];
  trace: (line: () => string) => void;
};

export function factsOf({ engine, violations, trace, ...world }: World): Facts {
  return {
    ...world,
    nowMs: () => engine.nowMs(),
    interventions: new Interventions(world.ours),
    plans: new Map(),
    attempts: new Map(),
    violated: (invariant, what) => {
      if (violations.some((one) => one.what === what)) return;
      violations.push({ invariant, atMs: engine.nowMs(), what });
      trace(() => `VIOLATION ${invariant}: ${what}`);
    },
  };
}
