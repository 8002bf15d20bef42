/**
 * `npm run bench:refusals`: the cost of refused uses of keys that are not managed, such as those of a scanner
 * that calls every key of an account. The deployed second function gets them as Lambda takes them from the
 * queue. Fails on counts alone; the CPU time is printed, and depends on the machine.
 */
import { parseArgs } from "node:util";
import { measure, type Figures, type Load } from "../test/refusals/load.ts";
import { eventSource } from "../test/refusals/queue.ts";

const { batchSize, windowSeconds, payloadBytes, pollers } = eventSource;

const usage = `npm run bench:refusals -- [--seconds 3600] [--rate 1000] [--keys 50]
    [--batch ${batchSize}] [--window ${windowSeconds}] [--payload ${payloadBytes}] [--pollers ${pollers}]

  --seconds, --rate  how long, and how many events a second
  --keys             how many keys that are not managed, a fifth of them named by an alias
  --batch, --window, --payload, --pollers
                     the event source: messages, seconds and bytes of a batch; its concurrent pollers
Exit 0: at most one invocation a second, one read a key and minute, no line, no other request; 1: more; 2: usage.`;

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "3600" },
    rate: { type: "string", default: "1000" },
    keys: { type: "string", default: "50" },
    batch: { type: "string", default: String(batchSize) },
    window: { type: "string", default: String(windowSeconds) },
    payload: { type: "string", default: String(payloadBytes) },
    pollers: { type: "string", default: String(pollers) },
    help: { type: "boolean", default: false },
  },
});

function wholeNumber(name: Exclude<keyof typeof values, "help">): number {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number > 0) return number;
  console.error(`--${name}: got ${values[name]}, expected a whole number above 0\n${usage}`);
  process.exit(2);
}

/** Whether every count is within its limit. */
function report(load: Load, figures: Figures): boolean {
  const { invocations, reads, otherRequests, lines, failed, cpuUs } = figures;
  const minutes = Math.ceil(load.seconds / 60);
  const counts: [what: string, count: number, limit: number][] = [
    ["invocations, one a second", invocations, load.seconds],
    ["reads, one a key and minute", reads, load.keys * minutes],
    ["other requests to the table", otherRequests, 0],
    ["lines in the log", lines, 0],
    ["messages returned to the queue", failed, 0],
  ];
  for (const [what, count, limit] of counts) {
    console.log(`${count <= limit ? "ok  " : "OVER"}  ${what}: ${count} of ${limit}`);
  }
  const { events, mostPerSecond, largestPayloadBytes } = figures;
  console.log(
    `      ${events} events; in the busiest ten seconds ${mostPerSecond} invocations a second; ` +
      `the largest payload ${(largestPayloadBytes / 1024 ** 2).toFixed(2)} MiB`,
  );
  console.log(
    `      CPU time of one event: ${cpuUs.runtime.toFixed(1)} µs to parse the payload, ` +
      `${cpuUs.function.toFixed(1)} µs in the function`,
  );
  return counts.every(([, count, limit]) => count <= limit);
}

if (values.help) {
  console.log(usage);
} else {
  const load: Load = {
    seconds: wholeNumber("seconds"),
    perSecond: wholeNumber("rate"),
    keys: wholeNumber("keys"),
    source: {
      batchSize: wholeNumber("batch"),
      windowSeconds: wholeNumber("window"),
      payloadBytes: wholeNumber("payload"),
      pollers: wholeNumber("pollers"),
    },
  };
  process.exitCode = report(load, await measure(load)) ? 0 : 1;
}
