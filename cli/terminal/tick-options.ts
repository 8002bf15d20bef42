/** The options of `npm run tick`. */
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";

export const usage = `npm run tick -- --table NAME --config FILE [--endpoint-url URL] [--now MS]
                [--timeout-ms MS] [--discovery tagging|walk] [--quota-share 0.4] [--event FILE]

  --table         the state table (or KEYTURN_TABLE)
  --config        the configuration (or KEYTURN_CONFIG)
  --endpoint-url  the endpoint of all AWS services (or AWS_ENDPOINT_URL)
  --now           the time at which the run starts, in epoch milliseconds (default: the present)
  --timeout-ms    the timeout of the function (default 60000)
  --discovery     how to find keys by tag; "walk" for an endpoint without the tagging API
  --quota-share   the share of each KMS request quota that the run may use, up to 1
  --event         a file with the event of the invocation, as JSON: a use attempt from CloudTrail;
                  "-" reads stdin (default: an empty event, as from the schedule)
The last line on stdout is the summary of the run, as JSON. If nothing is due, stderr names the
next due time and the present time of the run. Exit 0: the run ended; 1: it failed; 2: the
command line is wrong, or the summary cannot be written.`;

/** The arguments or the environment are invalid. */
export class UsageError extends Error {}

export type Options = {
  help: boolean;
  table: string | undefined;
  config: string | undefined;
  discovery: string | undefined;
  quotaShare: string | undefined;
  endpointUrl: string | undefined;
  nowMs: number | undefined;
  timeoutMs: number;
  /** The path of the event file; "-" is stdin. */
  event: string | undefined;
};

/** The latest time of a Date. */
const latestMs = 8.64e15;

/** The longest timer of Node, which treats a longer one as one millisecond. */
const longestMs = 2 ** 31 - 1;

/** Throws a UsageError. */
export function readOptions(args: string[], env: Record<string, string | undefined>): Options {
  const { values } = parsed(args);
  const { help, table, config, discovery } = values;
  return {
    help,
    table: table ?? env.KEYTURN_TABLE,
    config: config ?? env.KEYTURN_CONFIG,
    discovery: discovery ?? env.KEYTURN_DISCOVERY,
    quotaShare: values["quota-share"] ?? env.KEYTURN_QUOTA_SHARE,
    endpointUrl: endpointOf(values["endpoint-url"], env),
    nowMs: values.now === undefined ? undefined : wholeNumber("now", values.now, latestMs),
    timeoutMs: wholeNumber("timeout-ms", values["timeout-ms"], longestMs),
    event: values.event,
  };
}

function parsed(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        table: { type: "string" },
        config: { type: "string" },
        "endpoint-url": { type: "string" },
        now: { type: "string" },
        "timeout-ms": { type: "string", default: "60000" },
        discovery: { type: "string" },
        "quota-share": { type: "string" },
        event: { type: "string" },
        help: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** The given one. The SDK reads that of the environment itself; here it is only validated. */
function endpointOf(
  given: string | undefined,
  env: Record<string, string | undefined>,
): string | undefined {
  // Like the SDK, treats an empty variable as not set.
  const url = given ?? (env.AWS_ENDPOINT_URL || undefined);
  if (url === undefined || (/^https?:/.test(url) && URL.canParse(url))) return given;
  const name = given === undefined ? "AWS_ENDPOINT_URL" : "--endpoint-url";
  throw new UsageError(
    `${name}: got ${JSON.stringify(url)}, expected a URL, http://… or https://…`,
  );
}

function wholeNumber(name: string, given: string, most: number): number {
  if (/^\d+$/.test(given) && Number(given) <= most) return Number(given);
  throw new UsageError(
    `--${name}: got ${JSON.stringify(given)}, expected a whole number of milliseconds, up to ${most}`,
  );
}

/** Reads the event from the file or stdin. Throws a UsageError. */
export async function readEvent(path: string | undefined): Promise<unknown> {
  if (path === undefined) return {};
  try {
    return JSON.parse(path === "-" ? await text(process.stdin) : await readFile(path, "utf8"));
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--event: got ${got}, expected a file that holds JSON`);
  }
}
