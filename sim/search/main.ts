/**
 * `npm run search`: every state that the production transition function can come to within the bounds
 * that are printed, on a KMS without compare-and-swap; and what breaks where a part of the settle rule
 * is left out.
 */
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { parts, type Part } from "./rule.ts";
import { beginningOf, furtherScopes, schedules, scopes, type Scope } from "./scopes.ts";
import { search, type Limits, type Result } from "./search.ts";
import { bounds, ends, folded } from "./words.ts";

const usage = `usage: npm run search -- [--without PART] [--workers 2|3] [--states N] [--threads N] [--all] [--check]

--without: only the schedules of that part of the settle rule, with it left out, step by step:
${Object.entries(parts)
  .map(([part, what]) => `  "${part}": ${what}`)
  .join("\n")}
--workers: only scopes with so many runs at once
--states:  no scope goes further than that many states
--all:     also what takes twice as long again
--check:   has every state that is met again go on, and compares`;

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
const isMeant = ({ workers }: Scope): boolean =>
  values.workers === undefined || workers === Number(values.workers);

type Done = { index: number; result: Result; seconds: number };

/** Whether it was clean, and whole. */
function report({ name, ...scope }: Scope, result: Result, seconds: number): boolean {
  const { states, transitions, depth, isExhausted, found, checked } = result;
  const end = isExhausted ? "to the end" : "NOT to the end";
  const compared = checked > 0 ? `, ${checked} compared` : "";
  console.log(`  ${name}: ${states} states, ${end}, in ${seconds.toFixed(1)} s`);
  console.log(`    bounds: ${bounds(scope)}; ${transitions} moves, ${depth} deep${compared}`);
  if (isExhausted) console.log(`    left alone they come to: ${ends(result)}`);
  if (found !== undefined) reportFound(result);
  return isExhausted && found === undefined;
}

function reportFound({ found }: Result): void {
  if (found === undefined) return;
  folded(found.steps).forEach((step, index) => console.log(`    ${index + 1}. ${step}`));
  console.log(`    ${found.wrong}`);
}

function threaded(taken: Int32Array, some: Scope[], movedOn: (done: Done) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./thread.ts", import.meta.url), {
      workerData: { taken, scopes: some, limits },
      resourceLimits: { maxOldGenerationSizeMb: 8000 },
    });
    worker.on("message", movedOn);
    worker.once("error", reject);
    worker.once("exit", () => resolve());
  });
}

async function withTheRule(): Promise<boolean> {
  console.log(
    "One managed key with one alias. A run may last 5 min, a late call lands within 6 min 10 s, a use\n" +
      "attempt is heard of within the hour, reads lag up to 5 min.",
  );
  console.log("With the whole settle rule, nothing may be found:");
  const some = wanted.filter(isMeant);
  const beganMs = performance.now();
  const taken = new Int32Array(new SharedArrayBuffer(4));
  let states = 0;
  let clean = 0;
  const movedOn = ({ index, result, seconds }: Done): void => {
    const scope = some[index];
    if (scope === undefined) return;
    states += result.states;
    if (report(scope, result, seconds)) clean += 1;
  };
  const threads = Math.max(1, Number(values.threads));
  await Promise.all(Array.from({ length: threads }, () => threaded(taken, some, movedOn)));
  const seconds = (performance.now() - beganMs) / 1000;
  console.log(
    `${states} states in ${seconds.toFixed(1)} s, in ${clean} of ${some.length} scopes clean.`,
  );
  return clean === some.length;
}

function withoutParts(part: string | undefined): boolean {
  console.log("\nWith a part of it left out, its schedule is found:");
  const some = schedules.filter(({ without }) => part === undefined || without === part);
  let found = 0;
  for (const { name, without, wrong, scope } of some.filter((one) => isMeant(one.scope))) {
    const how = { workers: scope.workers, without };
    const result = search(beginningOf(scope), how, { ...limits, only: wrong });
    const steps = result.found?.steps.length ?? 0;
    const what = steps === 0 ? "NOT FOUND" : `${steps} steps, among ${result.states} states`;
    console.log(`  ${name}, without "${without}" (${parts[without]}): ${what}`);
    reportFound(result);
    if (steps > 0) found += 1;
  }
  return found === some.filter((one) => isMeant(one.scope)).length;
}

/** A part of which no schedule is known: searched like the others, for anything. */
function withoutAnything(without: Part): boolean {
  const some = wanted.filter(isMeant);
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
    console.error(`no part of the rule is called ${without}\n\n${usage}`);
    return false;
  }
  const isKnown = schedules.some((one) => one.without === without);
  return isKnown ? withoutParts(without) : withoutAnything(without as Part);
}

process.exitCode = (await run()) ? 0 : 1;
