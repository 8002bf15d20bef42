/** The printed tables of the matrix. */
import { concurrentRunsAll, meetings } from "./concurrent-runs.ts";
import { faultNames } from "./faults.ts";
import type { Cell, Share } from "./thread.ts";

export function sum(shares: Share[]): Record<string, Cell> {
  const all: Record<string, Cell> = {};
  for (const [name, cell] of shares.flatMap(({ cells }) => Object.entries(cells))) {
    const there = (all[name] ??= { cases: 0, deviating: 0, others: 0, claims: 0, changes: 0 });
    for (const what of Object.keys(there) as (keyof Cell)[]) there[what] += cell[what];
  }
  return all;
}

/** Every operation × concurrent runs × fault: the number of cases, after "!" of deviations. */
export function byOperation(cells: Record<string, Cell>): string[] {
  const operations = [...new Set(Object.keys(cells).map((name) => name.split("|")[0] ?? ""))];
  const legend = faultNames.map((fault, index) => `  ${letterOf(index)}  ${fault}`);
  const head = faultNames.map((_, index) => letterOf(index).padStart(7)).join("");
  const rows = operations.sort().flatMap((operation) =>
    concurrentRunsAll.map((concurrentRuns, index) => {
      const counts = faultNames.map((fault) => {
        const { cases = 0, deviating = 0 } = cells[`${operation}|${fault}|${concurrentRuns}`] ?? {};
        const text = cases === 0 ? "-" : deviating === 0 ? `${cases}` : `${cases}!${deviating}`;
        return text.padStart(7);
      });
      const label = (index === 0 ? operation : "").padEnd(27);
      return `${label}${concurrentRuns.padEnd(19)}${counts.join("")}`;
    }),
  );
  return [...legend, "", `${"".padEnd(46)}${head}`, ...rows];
}

function letterOf(index: number): string {
  return String.fromCharCode(97 + index);
}

/** The number of cases, and in how many of them other runs met the interrupted one. */
export function byConcurrentRuns(cells: Record<string, Cell>): string[] {
  const head = ["cases", "others begin", "claim its key", "change KMS", "deviate"];
  const rows = concurrentRunsAll.map((concurrentRuns) => {
    const of = Object.entries(cells).filter(([name]) => name.endsWith(`|${concurrentRuns}`));
    const total = (what: keyof Cell): number => of.reduce((all, [, cell]) => all + cell[what], 0);
    const counts = (["cases", ...meetings, "deviating"] as const).map(total);
    return `${concurrentRuns.padEnd(19)}${counts.map((count) => String(count).padStart(14)).join("")}`;
  });
  return [`${"".padEnd(19)}${head.map((what) => what.padStart(14)).join("")}`, ...rows];
}
