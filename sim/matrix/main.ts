/** `npm run matrix`: every call of several histories × every fault × one, two and three runs. */
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { play } from "./case.ts";
import { casesOf, describeCase, references, type Reference } from "./matrix.ts";
import { byConcurrentRuns, byOperation, sum } from "./tables.ts";
import type { Share } from "./thread.ts";

const { values } = parseArgs({
  options: {
    every: { type: "string", default: "1" },
    threads: { type: "string", default: "2" },
    only: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log("usage: npm run matrix [-- --every N] [--threads 2]     plays each Nth case");
  console.log(
    '       npm run matrix -- --only "a history, call 7 (…): a fault, 2 runs"  traces one',
  );
  process.exit(0);
}

function share(taken: Int32Array): Promise<Share> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./thread.ts", import.meta.url), {
      workerData: { taken, every: Number(values.every) },
    });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

/** Plays one case, found by its description, and prints every line of its trace. */
async function replayOne(all: Reference[], description: string): Promise<boolean> {
  for (const reference of all) {
    const one = casesOf(reference).find((candidate) => describeCase(candidate) === description);
    if (one === undefined) continue;
    await play(one.history, reference.clocks, one, console.log);
    return true;
  }
  console.error(`--only: got ${description}, which is no case`);
  return false;
}

const beganMs = performance.now();
const all = await references();
if (values.only !== undefined) {
  process.exit((await replayOne(all, values.only)) ? 0 : 1);
}
for (const { history, clocks, finish } of all) {
  const kinds = new Set(finish.boundaries.map(({ operation }) => operation)).size;
  const calls = `${finish.boundaries.length} calls of ${kinds} kinds`;
  console.log(`${history.name}, clocks ${clocks}: ${calls}`);
}
const taken = new Int32Array(new SharedArrayBuffer(4));
const shares = await Promise.all(
  Array.from({ length: Number(values.threads) }, () => share(taken)),
);
const cells = sum(shares);
console.log(`\n${byOperation(cells).join("\n")}\n\n${byConcurrentRuns(cells).join("\n")}`);
const deviating = shares.flatMap((one) => one.deviating);
if (deviating.length > 0) console.log(`\n${deviating.join("\n")}`);
const cases = Object.values(cells).reduce((total, cell) => total + cell.cases, 0);
const seconds = ((performance.now() - beganMs) / 1000).toFixed(1);
const cpu = (process.cpuUsage().user / 1e6).toFixed(1);
console.log(`\n${cases} cases, ${deviating.length} deviations, ${seconds} s, ${cpu} s of CPU`);
process.exitCode = deviating.length === 0 ? 0 : 1;
