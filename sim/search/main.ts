/**
 * `npm run search`: every state that the production transition function can reach within the
 * printed bounds, on a KMS without compare-and-swap; and what breaks without a part of the settle
 * rule.
 */
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { parts, type Part } from "./rule.ts";
import { beginningOf, furtherScopes, schedules, scopes, type Scope } from "./scopes.ts";
import { search, type Limits, type Result } from "./search.ts";
import { bounds, ends, folded } from "./words.ts";

const usage = `usage: npm run search -- [--without PART] [--workers 2|3] [--states N] [--threads N] [--all] [--check]

--without: only the schedules of that part of the settle rule, without it, step by step:
${Object.entries(parts)
  .map(([part, what]) => `  "${part}": ${what}`)
  .join("\n")}
--workers: only scopes with this number of concurrent runs
--states:  the most states to search in a scope
--all:     more scopes, which take twice as long again
--check:   compares the moves of every state that is found again`;

const { values } = parseArgs({
  options: {
    without: { type: "string" },
    workers: { type: "string" },
    states: { type: "string", default: "6000000" },
    threads: { type: "string", default: "2" },
    all: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const limits: Limits = { statesMax: Number(values.states), check: values.check };
const wanted = values.all ? [...furtherScopes, ...scopes] : scopes;
const isWanted = ({ workers }: Scope): boolean =>
  values.workers === undefined || workers === Number(values.workers);

type Done = { index: number; result: Result; seconds: number };

/** Prints a result. Returns whether it is complete and without a violation. */
function report({ name, ...scope }: Scope, result: Result, seconds: number): boolean {
  const { states, transitions, depth, isExhausted, found, checked } = result;
  const end = isExhausted ? "complete" : "NOT complete";
  const compared = checked > 0 ? `, ${checked} compared` : "";
  console.log(`  ${name}: ${states} states, ${end}, in ${seconds.toFixed(1)} s`);
  console.log(`    bounds: ${bounds(scope)}; ${transitions} moves, ${depth} deep${compared}`);
  if (isExhausted) console.log(`    left alone, they end as: ${ends(result)}`);
  if (found !== undefined) reportFound(result);
  return isExhausted && found === undefined;
}

function reportFound({ found }: Result): void {
  if (found === undefined) return;
  folded(found.steps).forEach((step, index) => console.log(`    ${index + 1}. ${step}`));
  console.log(`    ${found.wrong}`);
}

function threaded(taken: Int32Array, some: Scope[], onDone: (done: Done) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./thread.ts", import.meta.url), {
      workerData: { taken, scopes: some, limits },
      resourceLimits: { maxOldGenerationSizeMb: 8000 },
    });
    worker.on("message", onDone);
    worker.once("error", reject);
    worker.once("exit", () => resolve());
  });
}

async function withTheRule(): Promise<boolean> {
  console.log(
    "One managed key with one alias. A run lasts up to 5 min, a late call lands within 6 min 10 s,\n" +
      "a use attempt arrives within an hour, reads lag up to 5 min.",
  );
  console.log("With the whole settle rule, the search must find nothing:");
  const some = wanted.filter(isWanted);
  const beganMs = performance.now();
  const taken = new Int32Array(new SharedArrayBuffer(4));
  let states = 0;
  let clean = 0;
  const onDone = ({ index, result, seconds }: Done): void => {
    const scope = some[index];
    if (scope === undefined) return;
    states += result.states;
    if (report(scope, result, seconds)) clean += 1;
  };
  const threads = Math.max(1, Number(values.threads));
  await Promise.all(Array.from({ length: threads }, () => threaded(taken, some, onDone)));
  const seconds = (performance.now() - beganMs) / 1000;
  console.log(
    `${states} states in ${seconds.toFixed(1)} s; ${clean} of ${some.length} scopes are clean.`,
  );
  return clean === some.length;
}

function withoutParts(part: string | undefined): boolean {
  console.log("\nWithout a part of it, the search must find its schedule:");
  const some = schedules.filter(({ without }) => part === undefined || without === part);
  let found = 0;
  for (const { name, without, wrong, scope } of some.filter((one) => isWanted(one.scope))) {
    const how = { workers: scope.workers, without };
    const result = search(beginningOf(scope), how, { ...limits, only: wrong });
    const steps = result.found?.steps.length ?? 0;
    const what = steps === 0 ? "NOT FOUND" : `${steps} steps, among ${result.states} states`;
    console.log(`  ${name}, without "${without}" (${parts[without]}): ${what}`);
    reportFound(result);
    if (steps > 0) found += 1;
  }
  return found === some.filter((one) => isWanted(one.scope)).length;
}

/** A part without a known schedule: searches all scopes for any violation. */
function withoutAnything(without: Part): boolean {
  const some = wanted.filter(isWanted);
  for (const scope of some) {
    const beganMs = performance.now();
    const result = search(beginningOf(scope), { workers: scope.workers, without }, limits);
    report(scope, result, (performance.now() - beganMs) / 1000);
  }
  return true;
}

function run(): boolean | Promise<boolean> {
  const { without } = values;
  if (values.help) {
    console.log(usage);
    return true;
  }
  if (without === undefined) return withTheRule().then((clean) => withoutParts(undefined) && clean);
  if (!Object.hasOwn(parts, without)) {
    console.error(`--without: got ${without}, which is no part of the rule\n\n${usage}`);
    return false;
  }
  const isKnown = schedules.some((one) => one.without === without);
  return isKnown ? withoutParts(without) : withoutAnything(without as Part);
}

process.exitCode = (await run()) ? 0 : 1;
