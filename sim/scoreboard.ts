/** Compares outages, orphans, lost data and overdue keys of the naive cron job and of keyturn. */
import { campaign, type Tally } from "./campaign.ts";
import type { Invariant } from "./checkers/checker.ts";
import { scenarios } from "./scenarios.ts";
import type { RotatorName } from "./world/options.ts";

const yearMs = 365.25 * 24 * 3_600_000;

const columns: { name: string; of: Invariant[] }[] = [
  {
    name: "outages",
    of: ["I1 the alias is on an Enabled key", "I2 nothing is put out of use under an alias"],
  },
  { name: "orphans", of: ["no orphan", "I4 one rotation, one successor"] },
  {
    name: "unreadable data",
    of: ["I5 kept data stays readable", "I3 nothing is put out of use without evidence"],
  },
  { name: "overdue keys", of: ["I7 due work gets done"] },
];

/** A row for every world and each rotator; both rotators run the same seeds. */
export async function scoreboard(seeds: number, threads: number): Promise<string[]> {
  const lines = [
    `Violations per thousand simulated years, with ${seeds} seeds in each world:`,
    "",
    row("world", "rotator", ...columns.map(({ name }) => name)),
  ];
  for (const scenario of Object.keys(scenarios)) {
    for (const rotator of ["naive", "keyturn"] satisfies RotatorName[]) {
      const plan = { scenario, rotator, seedStart: 1, seeds, budgetMs: Infinity, threads };
      const tally = await campaign(plan);
      lines.push(row(scenario, rotator, ...columns.map(({ of }) => perMillennium(tally, of))));
    }
  }
  return lines;
}

function perMillennium({ failures, simulatedMs }: Tally, of: Invariant[]): string {
  const count = failures.filter(({ invariant }) => of.includes(invariant)).length;
  return count === 0 ? "0" : String(Math.round((count * 1000 * yearMs) / simulatedMs));
}

function row(world: string, rotator: string, ...cells: string[]): string {
  return [world.padEnd(18), rotator.padEnd(8), ...cells.map((cell) => cell.padStart(16))].join(" ");
}
