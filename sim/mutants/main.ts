/** `npm run mutants`: which checker catches each protocol mistake, and after how many seeds. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { copyWith } from "./copy.ts";
import { mutants } from "./list.ts";
import type { Mutant } from "./mutant.ts";

export type Hunted = {
  mutant: Mutant;
  tried: number;
  asserted: number;
  caught?: { seed: number; invariant: string; what: string };
};

const atOnce = 2;

export async function hunt(mutant: Mutant, seeds: number): Promise<Hunted> {
  const { folder, remove } = copyWith(mutant);
  try {
    const script = join(folder, "sim/mutants/hunt.ts");
    const { scenario, seed, invariant } = mutant;
    const only = invariant === undefined ? [] : [invariant];
    const args = [script, scenario, String(seed), String(seeds), ...only];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder });
    return { mutant, ...(JSON.parse(stdout) as Omit<Hunted, "mutant">) };
  } finally {
    remove();
  }
}

export async function huntAll(
  seeds: number,
  report: (hunted: Hunted) => void,
  some = mutants,
): Promise<Hunted[]> {
  const queue = [...some];
  const all: Hunted[] = [];
  const worker = async (): Promise<void> => {
    for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
      const hunted = await hunt(mutant, seeds);
      all.push(hunted);
      report(hunted);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return all;
}

export function describeHunted({ mutant, tried, asserted, caught }: Hunted): string {
  if (caught === undefined) {
    const own = asserted === 0 ? "" : `; its own assertions fired ${asserted} times`;
    return `NOT CAUGHT  ${mutant.name}: ${tried} seeds of ${mutant.scenario}${own}`;
  }
  const { seed, invariant, what } = caught;
  const where = `seed ${seed} of ${mutant.scenario}, ${tried} tried`;
  return `caught      ${mutant.name}: ${invariant} (${where})\n              ${what}`;
}

if (process.argv[1] === import.meta.filename) {
  const [only] = process.argv.slice(2);
  const some = mutants.filter(({ name }) => only === undefined || name.includes(only));
  const all = await huntAll(300, (hunted) => console.log(describeHunted(hunted)), some);
  const caught = all.filter((hunted) => hunted.caught !== undefined).length;
  console.log(`\n${caught} of ${all.length} mutants caught`);
  process.exitCode = caught === all.length ? 0 : 1;
}
