/** The command line of `npm start`: its options, and its errors. */
import { parseArgs } from "node:util";

export type Options =
  | { kind: "help" }
  | { kind: "history"; seed: number; keys: number; days: number; json: boolean }
  | { kind: "serve"; seed: number; keys: number; days: number; port: number; json: boolean };

/** One line on stderr; the exit code is 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const ranges = {
  seed: { from: 0, to: 4_294_967_295, otherwise: 1 },
  keys: { from: 1, to: 200, otherwise: 6 },
  // In fewer days, not every key is rotated and not every incident happens.
  days: { from: 120, to: 3650, otherwise: 300 },
  // The days of rotations before the fleet is served.
  servedAfter: { from: 1, to: 3650, otherwise: 0 },
  // 0: any free port.
  port: { from: 1, to: 65_535, otherwise: 0 },
};

export const usage = `npm start -- [--days N] [--keys N] [--seed N] [--json]
npm start -- --serve [--days N] [--port N] [--keys N] [--seed N] [--json]

Watch keyturn rotate a fleet of KMS keys, in an AWS embedded in this process.

  --days N   length in simulated days: ${ranges.days.from} to ${ranges.days.to} (${ranges.days.otherwise})
  --keys N   number of keys: ${ranges.keys.from} to ${ranges.keys.to} (${ranges.keys.otherwise})
  --seed N   selects the keys that the incidents hit, and all ids: the same seed gives the same
             output (${ranges.seed.otherwise})
  --json     one JSON object per line: each entry of the timeline, and the proof last
  --serve    keep the embedded AWS running instead, with the fleet in it, for npx keyturn, the AWS
             CLI and npm run tick; with --days N, after N days of rotations, otherwise before the
             first run
  --port N   the port to listen on (any free port)
  --help     show this text

Exit codes: 0: every proof holds; 1: a proof fails, or the demo did not finish; 2: usage error.
Colour on a terminal; respects NO_COLOR and FORCE_COLOR.`;

export function readOptions(args: string[]): Options {
  const values = parse(args);
  if (values.help) return { kind: "help" };
  const common = {
    seed: wholeNumber("seed", values.seed),
    keys: wholeNumber("keys", values.keys),
    json: values.json,
  };
  if (values.serve) {
    const days = wholeNumber("days", values.days, ranges.servedAfter);
    return { kind: "serve", ...common, days, port: wholeNumber("port", values.port) };
  }
  if (values.port !== undefined) throw new UsageError("--port: only valid with --serve");
  return { kind: "history", ...common, days: wholeNumber("days", values.days) };
}

function parse(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        seed: { type: "string" },
        keys: { type: "string" },
        days: { type: "string" },
        port: { type: "string" },
        json: { type: "boolean", default: false },
        serve: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    return values;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new UsageError(firstSentence(message));
  }
}

/** The rest of parseArgs's message explains positional arguments; this command has none. */
function firstSentence(message: string): string {
  return message.split(/\. |\n/)[0] ?? message;
}

function wholeNumber(
  name: keyof typeof ranges,
  text: string | undefined,
  { from, to, otherwise } = ranges[name],
): number {
  if (text === undefined) return otherwise;
  const number = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (number >= from && number <= to) return number;
  throw new UsageError(
    `--${name}: got ${JSON.stringify(text)}, expected a whole number from ${from} to ${to}`,
  );
}
