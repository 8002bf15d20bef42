/** The texts of the bounds, the ends and the steps. */
import type { Scope } from "./scopes.ts";
import type { Result } from "./search.ts";

export function bounds({ from, approval, workers, budget }: Omit<Scope, "name">): string {
  const some = Object.entries(budget).filter(([, count]) => count > 0);
  const under = approval === "none" ? "" : `, approval ${approval}`;
  return `begins ${from}${under}, ${workers} runs at once, ${some.map(([name, n]) => `${name} ${n}`).join(", ")}`;
}

export function ends({ ends: counts }: Result): string {
  return Object.entries(counts)
    .map(([end, count]) => `${end} (${count})`)
    .join(", ");
}

/** Folds long sequences of runs that find nothing to do. */
export function folded(steps: string[]): string[] {
  const kept: string[] = [];
  let idle = 0;
  for (const step of [...steps, ""]) {
    const isIdle = /^run \d+ begins$|^(\d+ (h|min|s) ?)+pass$/.test(step);
    if (isIdle) idle += 1;
    if (isIdle && idle > 6) continue;
    if (idle > 6) kept.push(`… and ${idle - 6} more such steps`);
    if (!isIdle) idle = 0;
    if (step !== "") kept.push(step);
  }
  return kept;
}
