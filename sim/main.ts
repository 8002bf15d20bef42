/** `npm run sim`: replays one seed, runs as many as a budget allows, or compares both rotators. */
import { parseArgs } from "node:util";
import { campaign, type Failure, type Tally } from "./campaign.ts";
import { shrink, replay, type Shrunk } from "./history.ts";
import { scenarioNamed, scenarios } from "./scenarios.ts";
import { scoreboard } from "./scoreboard.ts";
import type { RotatorName } from "./world/options.ts";

const usage = `usage: npm run sim -- --seed 7 --scenario half-done [--trace]     one history, and its trace hash
       npm run sim -- --budget 60s [--seed-start 1]                all seeds from there, within the time
       npm run sim -- --compare [--seeds 200]                      the naive cron job beside keyturn

  --scenario NAME   ${Object.keys(scenarios).join(", ")} (default everything)
  --rotator NAME    keyturn or naive (default keyturn)
  --fresh           starts at a new seed, taken from the clock
  --faults N        only the first N faults
  --threads N       default 2`;

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    scenario: { type: "string", default: "everything" },
    rotator: { type: "string", default: "keyturn" },
    trace: { type: "boolean", default: false },
    faults: { type: "string" },
    budget: { type: "string" },
    "seed-start": { type: "string", default: "1" },
    fresh: { type: "boolean", default: false },
    seeds: { type: "string" },
    threads: { type: "string", default: "2" },
    compare: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

function refuse(why: string): never {
  console.error(`${why}\n${usage}`);
  process.exit(2);
}

function wholeNumber(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const number = Number(text);
  return Number.isInteger(number) && number >= 0
    ? number
    : refuse(`--${name}: got ${text}, expected a whole number`);
}

function rotatorNamed(name: string): RotatorName {
  if (name === "keyturn" || name === "naive") return name;
  return refuse(`--rotator: got ${name}, expected keyturn or naive`);
}

function budgetOf(text: string | undefined): number {
  if (text === undefined) return Infinity;
  const [, number, unit] = /^(\d+)([smh])$/.exec(text) ?? [];
  if (number === undefined || unit === undefined) {
    return refuse(`--budget: got ${text}, expected 60s, 10m or 1h`);
  }
  return Number(number) * { s: 1000, m: 60_000, h: 3_600_000 }[unit as "s" | "m" | "h"];
}

if (values.help) {
  console.log(usage);
  process.exit(0);
}
const scenario = values.scenario;
if (!Object.hasOwn(scenarios, scenario))
  refuse(`--scenario: got ${scenario}, which does not exist`);
const rotator = rotatorNamed(values.rotator);
const threads = Math.max(1, wholeNumber("threads", values.threads, 2));
const seeds = wholeNumber("seeds", values.seeds, values.budget === undefined ? 200 : Infinity);

if (values.compare) {
  for (const line of await scoreboard(seeds, threads)) console.log(line);
} else if (values.seed !== undefined) {
  process.exitCode = await replayOne(wholeNumber("seed", values.seed, 0));
} else {
  process.exitCode = await exploreMany();
}

async function replayOne(seed: number): Promise<number> {
  const faultsMax = wholeNumber("faults", values.faults, Infinity);
  const result = await replay({ seed, scenario: scenarioNamed(scenario), rotator, faultsMax });
  if (values.trace) console.log(result.lines.join("\n"));
  console.log(
    `seed ${seed}, ${scenario}, ${rotator}: ${hours(result.simulatedMs)} simulated hours, ` +
      `${result.events} events, ${result.runs} runs, ${result.rotations} new keys`,
  );
  const rates = Object.entries(result.rates).filter(([, rate]) => rate > 0);
  const fractions = rates.map(([kind, rate]) => `${kind} ${(rate * 100).toFixed(1)} %`).join(", ");
  console.log(`fault rates: ${fractions || "none"}`);
  console.log(`faults: ${counted(result.faults as Record<string, number>)}`);
  console.log(`trace: ${result.lines.length} lines, sha256 ${result.traceHash}`);
  const [first] = result.violations;
  if (first === undefined) {
    console.log("Every invariant held.");
    return 0;
  }
  await explain({ seed, ...first, faults: result.faultCount });
  return 1;
}

async function exploreMany(): Promise<number> {
  const seedStart = values.fresh ? fresh() : wholeNumber("seed-start", values["seed-start"], 1);
  const budgetMs = budgetOf(values.budget);
  console.log(`${scenario}, ${rotator}, from seed ${seedStart} on`);
  const beganMs = performance.now();
  const tally = await campaign({ scenario, rotator, seedStart, budgetMs, seeds, threads });
  report(tally, seedStart, (performance.now() - beganMs) / 1000);
  const [first] = tally.failures;
  if (first === undefined) {
    console.log("Every invariant held in all seeds.");
    return 0;
  }
  const failing = new Set(tally.failures.map(({ seed }) => seed));
  console.log(`${failing.size} seeds FAILED: ${[...failing].slice(0, 20).join(", ")}`);
  await explain(first);
  return 1;
}

/** A first seed that was very probably never tried. The campaign prints it. */
function fresh(): number {
  return Math.floor(Date.now() / 1000) % 2 ** 31;
}

function report(tally: Tally, seedStart: number, seconds: number): void {
  const perMinute = Math.round((tally.seeds / seconds) * 60);
  console.log(
    `seeds ${seedStart} to ${tally.lastSeed}: ${tally.seeds} in ${seconds.toFixed(1)} s ` +
      `(${perMinute} a minute), ${hours(tally.simulatedMs)} simulated hours, ` +
      `${tally.events} events, ${tally.runs} runs, ${tally.rotations} new keys`,
  );
  console.log(`faults: ${counted(tally.faults)}`);
}

/** Prints the violation, how few faults cause it, and the last events. */
async function explain({ seed, invariant, what, faults }: Failure): Promise<void> {
  console.log(`\nFAILED seed ${seed}: ${invariant}\n  ${what}`);
  const history = { seed, scenario: scenarioNamed(scenario), rotator };
  const shrunk = await shrink(history, { invariant, what, atMs: 0 }, faults);
  console.log(`\nThe first ${shrunk.faultsMax} of its ${faults} faults suffice. The last events:`);
  for (const line of related(shrunk).slice(-40)) console.log(`  ${line}`);
  console.log(
    `\nnpm run sim -- --seed ${seed} --scenario ${scenario} --rotator ${rotator} ` +
      `--faults ${shrunk.faultsMax} --trace`,
  );
}

/** The lines of a history that name a key or alias of the violation. */
function related({ lines, violation }: Shrunk): string[] {
  const names = violation.what.match(/alias\/[\w-]+|\b[0-9a-f]{8}\b/g) ?? [];
  return lines.filter((line) => names.some((name) => line.includes(name)));
}

function hours(ms: number): number {
  return Math.round(ms / 3_600_000);
}

function counted(faults: Record<string, number>): string {
  const kinds = Object.entries(faults).sort(([a], [b]) => (a < b ? -1 : 1));
  return kinds.map(([kind, count]) => `${kind} ${count}`).join(", ") || "none";
}
