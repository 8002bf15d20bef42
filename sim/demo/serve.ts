/** `--serve`: the embedded AWS with the fleet in it, for the AWS CLI, `npm run tick` and anyone else. */
import { once } from "node:events";
import { dayMs, firstRotationDay } from "./fleet.ts";
import { UsageError, type Options } from "./options.ts";
import { openStage, type Stage } from "./stage.ts";

type ServeOptions = Extract<Options, { kind: "serve" }>;

const shown = ["AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
shown.push("KEYTURN_TABLE", "KEYTURN_CONFIG");

export async function serve(options: ServeOptions): Promise<number> {
  const stopped = Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  const stage = await open(options);
  const env = Object.fromEntries(shown.map((name) => [name, stage.env[name] ?? ""]));
  if (options.json) console.log(JSON.stringify({ kind: "serving", env }));
  else console.log(instructions(stage, env));
  await stopped;
  await stage.close();
  if (!options.json) console.log("\nStopped; the keys, the table and the configuration are gone.");
  return 0;
}

async function open(options: ServeOptions): Promise<Stage> {
  try {
    return await openStage({ ...options, startMs: Date.now(), runsWithRealTime: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw new UsageError(`--port: ${options.port} is in use; choose another`);
  }
}

function instructions({ fleet }: Stage, env: Record<string, string>): string {
  const days = firstRotationDay(fleet);
  const exports = Object.entries(env).map(([name, value]) => `export ${name}=${value}`);
  return `An AWS inside this process, with ${fleet.length} KMS keys that keyturn is to rotate. In another terminal:

${exports.join("\n")}

  # Who is there?
aws kms list-aliases

  # One run of keyturn, at the time that this AWS has. The first one enrols the fleet.
npm run tick -- --now "$(curl -s $AWS_ENDPOINT_URL/_keyturn/clock | tr -dc 0-9)"

  # The clock runs with real time. ${days} days on, a rotation is due: tick again, go on 15 minutes
  # (900000 ms) for the propagation of the new version, and tick once more.
curl -s $AWS_ENDPOINT_URL/_keyturn/clock -d '{"advanceMs":${days * dayMs}}'

  # What dependents are told, the calls so far, and every key.
curl -s $AWS_ENDPOINT_URL/_keyturn/events
curl -s $AWS_ENDPOINT_URL/_keyturn/calls
curl -s $AWS_ENDPOINT_URL/_keyturn/kms

Ctrl-C ends it.`;
}
