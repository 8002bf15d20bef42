/**
 * `npm run search`: every state that the production transition function can come to within the bounds
 * that are printed, on a KMS without compare-and-swap; and what breaks where a part of the settle rule
 * is taken out.
 */
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { parts } from "./rule.ts";
import { beginningOf, schedules, scopes, type Scope } from "./scopes.ts";
import { search, type Found, type Result } from "./search.ts";

const { values } = parseArgs({
  options: {
    states: { type: "string", default: "5000000" },
    threads: { type: "string", default: "2" },
    steps: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log("usage: npm run search [-- --steps] [--threads 2] [--states 5000000]");
  process.exit(0);
}
const statesMax = Number(values.states);

type Done = { index: number; result: Result; seconds: number };

function boundsOf({ from, workers, budget }: Scope): string {
  const some = Object.entries(budget).filter(([, count]) => count > 0);
  return `${from}, ${workers} runs at once, ${some.map(([name, n]) => `${name} ${n}`).join(", ")}`;
}

function tell(found: Found): void {
  found.steps.forEach((step, index) => console.log(`    ${index + 1}. ${step}`));
  console.log(`    ${found.wrong}`);
}

function threaded(taken: Int32Array, told: (done: Done) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./thread.ts", import.meta.url), {
      workerData: { taken, statesMax },
      resourceLimits: { maxOldGenerationSizeMb: 6000 },
    });
    worker.on("message", told);
    worker.once("error", reject);
    worker.once("exit", () => resolve());
  });
}

console.log("With the whole settle rule, nothing may be found:");
const beganMs = performance.now();
let states = 0;
let wrong = 0;
const taken = new Int32Array(new SharedArrayBuffer(4));
const report = ({ index, result, seconds }: Done): void => {
  const scope = scopes[index];
  if (scope === undefined) return;
  states += result.states;
  const end = result.isExhausted ? "to the end" : "NOT to the end";
  console.log(
    `  ${scope.name} (${boundsOf(scope)}): ${result.states} states, ${result.transitions} moves, ` +
      `${result.depth} deep, ${end}, ${seconds.toFixed(1)} s`,
  );
  if (!result.isExhausted) wrong += 1;
  if (result.found !== undefined) tell(result.found);
};
await Promise.all(Array.from({ length: Number(values.threads) }, () => threaded(taken, report)));
const seconds = (performance.now() - beganMs) / 1000;
console.log(`${states} distinct states in ${seconds.toFixed(1)} s.`);

console.log("\nWith a part of it taken out, its schedule is found:");
for (const { name, without, scope } of schedules) {
  const bounds = { workers: scope.workers, without };
  const { found, states: looked } = search(beginningOf(scope), bounds, statesMax);
  const what = found === undefined ? "NOT FOUND" : `${found.steps.length} steps: ${found.wrong}`;
  console.log(`  ${name} (${parts[without]}): ${what}, among ${looked} states`);
  if (found === undefined) wrong += 1;
  else if (values.steps) tell(found);
}
process.exitCode = wrong === 0 ? 0 : 1;
