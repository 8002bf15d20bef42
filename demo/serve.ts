/** `--serve`: the embedded AWS with the fleet in it, for the AWS CLI, `npm run tick` and others. */
import { once } from "node:events";
import { dayMs, firstRotationDay } from "./fleet.ts";
import { liveUntil } from "./lived.ts";
import { UsageError, type Options } from "./options.ts";
import { openStage, type Stage } from "./stage.ts";

type ServeOptions = Extract<Options, { kind: "serve" }>;

const shown = ["AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"];
shown.push("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "KEYTURN_TABLE", "KEYTURN_CONFIG");

export async function serve(options: ServeOptions): Promise<number> {
  const stopped = Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  const stage = await open(options);
  // AWS CLI v1 reads only AWS_DEFAULT_REGION.
  const AWS_DEFAULT_REGION = stage.env["AWS_REGION"] ?? "";
  const all: Record<string, string> = { ...stage.env, AWS_DEFAULT_REGION };
  const env = Object.fromEntries(shown.map((name) => [name, all[name] ?? ""]));
  if (options.json) console.log(JSON.stringify({ kind: "serving", env }));
  else console.log(instructions(stage, env, options.days));
  await stopped;
  await stage.close();
  if (!options.json)
    console.log("\nStopped; the keys, the table and the configuration are deleted.");
  return 0;
}

async function open(options: ServeOptions): Promise<Stage> {
  try {
    const nowMs = Date.now();
    const startMs = nowMs - options.days * dayMs;
    const stage = await openStage({ ...options, startMs, runsWithRealTime: true });
    if (options.days > 0) await liveUntil(stage, nowMs, options.seed);
    return stage;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw new UsageError(`--port: ${options.port} is in use; choose another`);
  }
}

function instructions({ fleet }: Stage, env: Record<string, string>, rotatedDays: number): string {
  const exports = Object.entries(env).map(([name, value]) => `export ${name}=${value}`);
  const days = firstRotationDay(fleet);
  const begin =
    rotatedDays === 0
      ? `  # One run of keyturn, at the time of this AWS. The first run enrols the fleet.
${tick}

`
      : "";
  const keys = `${fleet.length} KMS keys`;
  const fleetLine =
    rotatedDays === 0
      ? `${keys} for keyturn to rotate`
      : `${keys} that keyturn rotated for ${rotatedDays} days`;
  const advance =
    rotatedDays === 0
      ? `The first rotation is due in ${days} days: advance the clock to it`
      : "Advance it by a day";
  const ms = (rotatedDays === 0 ? days : 1) * dayMs;
  return `An AWS embedded in this process, with ${fleetLine}. In another terminal:

${exports.join("\n")}

${begin}  # An operator's commands. A request takes effect at the next run: tick again.
npx keyturn status
npx keyturn status ${fleet[0]?.alias}
npx keyturn plan --until 60d
npx keyturn rotate ${fleet[0]?.alias}
npx keyturn report --out report

  # The clock runs with real time. ${advance}
  # and tick. Then advance it by 15 minutes (900000 ms) for the propagation of a new version, and
  # tick again. Pass the time of this AWS to keyturn with --now.
curl -s $AWS_ENDPOINT_URL/_keyturn/clock -d '{"advanceMs":${ms}}'
${tick}
npx keyturn status --now "$(curl -s $AWS_ENDPOINT_URL/_keyturn/clock | tr -dc 0-9)"

  # Every key, the events that dependents receive, the calls so far, the state of KMS.
aws kms list-aliases
curl -s $AWS_ENDPOINT_URL/_keyturn/events
curl -s $AWS_ENDPOINT_URL/_keyturn/calls
curl -s $AWS_ENDPOINT_URL/_keyturn/kms

Press Ctrl-C to stop.`;
}

const tick = `npm run tick -- --now "$(curl -s $AWS_ENDPOINT_URL/_keyturn/clock | tr -dc 0-9)"`;
