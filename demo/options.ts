/** The command line of `npm start`: what it may say, and what it gets where it says something else. */
import { parseArgs } from "node:util";

export type Options =
  | { kind: "help" }
  | { kind: "history"; seed: number; keys: number; days: number; json: boolean }
  | { kind: "serve"; seed: number; keys: number; days: number; port: number; json: boolean };

/** In one line, for stderr; the exit code is 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const ranges = {
  seed: { from: 0, to: 4_294_967_295, otherwise: 1 },
  keys: { from: 1, to: 200, otherwise: 6 },
  // Shorter, and not every key has been rotated, nor every incident come up.
  days: { from: 120, to: 3650, otherwise: 300 },
  // How long the fleet was rotated before it is served.
  lived: { from: 1, to: 3650, otherwise: 0 },
  // 0: any that is free.
  port: { from: 1, to: 65_535, otherwise: 0 },
};

export const usage = `npm start -- [--days N] [--keys N] [--seed N] [--json]
npm start -- --serve [--days N] [--port N] [--keys N] [--seed N] [--json]

Watch keyturn take a fleet of KMS keys through years of rotations, in an AWS inside this process.

  --days N   how long it goes on, in simulated days: ${ranges.days.from} to ${ranges.days.to} (${ranges.days.otherwise})
  --keys N   how many keys the fleet has: ${ranges.keys.from} to ${ranges.keys.to} (${ranges.keys.otherwise})
  --seed N   which keys the incidents hit, and all ids: the same seed tells the same story (${ranges.seed.otherwise})
  --json     one JSON object per line: each entry of the timeline, and the proof last
  --serve    keep that AWS running instead, with the fleet in it, for npx keyturn, the AWS CLI and
             npm run tick; with --days, after so many days of rotations, else as before the first run
  --port N   where it listens (any free port)
  --help     this text

Exit 0: every proof holds; 1: one does not, or it could not be brought to its end; 2: usage.
Colour on a terminal; NO_COLOR and FORCE_COLOR are honoured.`;

export function readOptions(args: string[]): Options {
  const values = parse(args);
  if (values.help) return { kind: "help" };
  const common = {
    seed: wholeNumber("seed", values.seed),
    keys: wholeNumber("keys", values.keys),
    json: values.json,
  };
  if (values.serve) {
    const days = wholeNumber("days", values.days, ranges.lived);
    return { kind: "serve", ...common, days, port: wholeNumber("port", values.port) };
  }
  if (values.port !== undefined) throw new UsageError("--port: goes with --serve only");
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

/** parseArgs goes on to explain positional arguments, of which there are none here. */
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
