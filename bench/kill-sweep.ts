/**
 * `npm run kill-sweep`: `kill -9` of a tick at every request of a history, before and after the
 * request is applied. Then ticks run until nothing is due. The end must equal that of the
 * undisturbed history.
 */
import { parseArgs } from "node:util";
import { keyFoundLate, oneKey, severalKeys } from "../test/kill/histories.ts";
import {
  casesOf,
  casesOfGenerate,
  describeVerdict,
  differencesOf,
  referenceOf,
  sweep,
  type Verdict,
} from "../test/kill/sweep.ts";

const usage = `npm run kill-sweep -- [--at-once 2] [--every 1]

  --at-once  how many histories to play at the same time
  --every    kill only at every nth place
Prints each deviation, and one line at the end. Exit 0: none; 1: some; 2: usage.`;

const { values } = parseArgs({
  options: {
    "at-once": { type: "string", default: "2" },
    every: { type: "string", default: "1" },
    help: { type: "boolean", default: false },
  },
});

function wholeNumber(name: "at-once" | "every"): number {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number > 0) return number;
  console.error(`--${name}: got ${values[name]}, expected a whole number above 0\n${usage}`);
  process.exit(2);
}

if (values.help) {
  console.log(usage);
  process.exit(0);
}
const [atOnce, every] = [wholeNumber("at-once"), wholeNumber("every")];

const startedMs = performance.now();
let requests = 0;
const verdicts: Verdict[] = [];
for (const history of [oneKey, severalKeys, keyFoundLate]) {
  const reference = await referenceOf(history);
  const asProcesses = await referenceOf(history, "as processes");
  const unlike = differencesOf(reference, asProcesses);
  if (unlike.length > 0) throw new Error(`${history.name}, as processes: ${unlike.join("; ")}`);
  // A lagging lookup matters only in ticks that make a key.
  const places = history === keyFoundLate ? casesOfGenerate(reference) : casesOf(reference);
  const cases = places.filter((_, index) => index % every === 0);
  requests += new Set(places.map(({ tick, kill }) => `${tick} ${kill.request}`)).size;
  const report = (verdict: Verdict): void => {
    if (verdict.deviations.length > 0) console.log(describeVerdict(verdict));
  };
  verdicts.push(...(await sweep(reference, cases, atOnce, report)));
}

const deviating = verdicts.filter(({ deviations }) => deviations.length > 0).length;
const extras = verdicts.reduce((sum, verdict) => sum + verdict.extras, 0);
const minutes = ((performance.now() - startedMs) / 60_000).toFixed(1);
console.log(
  `kill sweep: ${requests} requests, ${verdicts.length} kills, ${extras} extras quarantined, ` +
    `${deviating} deviations, ${minutes} min`,
);
process.exitCode = deviating === 0 ? 0 : 1;
