/** One simulated history. Its seed reproduces it byte for byte. */
import { createHash } from "node:crypto";
import type { Violation } from "./checkers/checker.ts";
import type { HistoryResult, WorldOptions } from "./world/options.ts";
import { SimulatedWorld } from "./world/world.ts";

export type History = Omit<WorldOptions, "trace">;

export function simulate(history: History): Promise<HistoryResult> {
  return new SimulatedWorld(history).simulate();
}

/** Returns the trace lines too, and their SHA-256, which is the same on every machine. */
export async function replay(
  history: History,
): Promise<HistoryResult & { lines: string[]; traceHash: string }> {
  const lines: string[] = [];
  const hash = createHash("sha256");
  const trace = (line: string): void => {
    lines.push(line);
    hash.update(line).update("\n");
  };
  const result = await new SimulatedWorld({ ...history, trace }).simulate();
  return { ...result, lines, traceHash: hash.digest("hex") };
}

export type Shrunk = { faultsMax: number; violation: Violation; lines: string[] };

/**
 * Finds by bisection a prefix of the faults with which a history still violates the same invariant.
 * After the prefix there are no faults. It need not be the shortest: fewer faults can do more harm.
 */
export async function shrink(history: History, failed: Violation, faults: number): Promise<Shrunk> {
  const breaks = async (faultsMax: number): Promise<Violation | undefined> => {
    const { violations } = await simulate({ ...history, faultsMax });
    return violations.find(({ invariant }) => invariant === failed.invariant);
  };
  let [clean, broken] = [-1, faults];
  while (broken - clean > 1) {
    const middle = Math.floor((clean + broken) / 2);
    if ((await breaks(middle)) === undefined) clean = middle;
    else broken = middle;
  }
  const { lines, violations } = await replay({ ...history, faultsMax: broken });
  const violation = violations.find(({ invariant }) => invariant === failed.invariant) ?? failed;
  const end = lines.findIndex((line) => line.includes(`VIOLATION ${violation.invariant}`));
  return { faultsMax: broken, violation, lines: lines.slice(0, end + 1) };
}
