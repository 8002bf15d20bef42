/**
 * `npm run bench:inspections`: what the daily inspection of managed keys at rest costs. Fails on counts alone; the
 * CPU time is printed, and depends on the machine.
 */
import { parseArgs } from "node:util";
import { atRest } from "../test/histories/at-rest.ts";

const usage = `npm run bench:inspections -- [--keys 50000] [--days 2]

  --keys  how many managed keys, each with one version
  --days  how long they are at rest
Exit 0: at most four requests to KMS a version and day, and no finding; 1: more; 2: usage.`;

const { values } = parseArgs({
  options: {
    keys: { type: "string", default: "50000" },
    days: { type: "string", default: "2" },
    help: { type: "boolean", default: false },
  },
});

const [keys, days] = [Number(values.keys), Number(values.days)];
const isWhole = [keys, days].every((number) => Number.isInteger(number) && number > 0);
if (values.help || !isWhole) {
  console.log(usage);
  process.exit(values.help ? 0 : 2);
}

const { requests, busiestHour, findings, cpuUs } = await atRest(keys, days);
const each = requests / keys / days;
const isWithin = each <= 4 && findings === 0;
console.log(
  `${each <= 4 ? "ok  " : "OVER"}  requests to KMS a version and day: ${each.toFixed(2)} of 4`,
);
console.log(`${findings === 0 ? "ok  " : "OVER"}  findings: ${findings} of 0`);
console.log(`      ${requests} requests in ${days} days; in the busiest hour ${busiestHour}`);
console.log(
  `      CPU ${(cpuUs / 1e6).toFixed(1)} s, ${(cpuUs / keys / days).toFixed(0)} us a key and day`,
);
process.exitCode = isWithin ? 0 : 1;
