/** `npm run matrix`: every call of several lives × every fault × one, two and three runs. */
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { faults } from "./case.ts";
import { references } from "./matrix.ts";

const { values } = parseArgs({
  options: {
    every: { type: "string", default: "1" },
    threads: { type: "string", default: "2" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log("usage: npm run matrix [-- --every N] [--threads 2]     plays each Nth case");
  process.exit(0);
}

type Share = { counts: Record<string, number>; deviating: string[] };

function share(taken: Int32Array): Promise<Share> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./thread.ts", import.meta.url), {
      workerData: { taken, every: Number(values.every) },
    });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

const beganMs = performance.now();
for (const { life, ending } of await references()) {
  const kinds = new Set(ending.boundaries.map(({ operation }) => operation)).size;
  console.log(`${life.name}: ${ending.boundaries.length} calls of ${kinds} kinds`);
}
const taken = new Int32Array(new SharedArrayBuffer(4));
const shares = await Promise.all(
  Array.from({ length: Number(values.threads) }, () => share(taken)),
);
console.log(`\n${"".padEnd(42)}${[1, 2, 3].map((runs) => `${runs} runs`.padStart(8)).join("")}`);
let cases = 0;
for (const fault of Object.keys(faults)) {
  const cells = [1, 2, 3].map((runs) =>
    shares.reduce((sum, { counts }) => sum + (counts[`${fault}|${runs}`] ?? 0), 0),
  );
  cases += cells.reduce((sum, count) => sum + count, 0);
  console.log(`${fault.padEnd(42)}${cells.map((count) => String(count).padStart(8)).join("")}`);
}
const deviating = shares.flatMap((one) => one.deviating);
for (const line of deviating.slice(0, 50)) console.log(line);
const seconds = ((performance.now() - beganMs) / 1000).toFixed(1);
console.log(`\n${cases} cases, ${deviating.length} deviations, ${seconds} s`);
process.exitCode = deviating.length === 0 ? 0 : 1;
