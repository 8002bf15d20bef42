/** The stage: an embedded AWS with the fleet in it. This process can use no other AWS. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateAliasCommand, CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { parseConfiguration } from "../lambda/configuration/configuration.ts";
import { SimClock } from "../embedded-aws/clock.ts";
import { startEmbeddedAws, type EmbeddedAws } from "../embedded-aws/embedded-aws.ts";
import { documentOf, makeFleet, oldestAgeMs, type Member } from "./fleet.ts";

export type Stage = {
  aws: EmbeddedAws;
  clock: SimClock;
  fleet: Member[];
  /** The environment variables with which a process runs keyturn against it. */
  env: Record<string, string>;
  /** Passes no simulated time, but refills request quotas. */
  sleep: (ms: number) => Promise<void>;
  /** A client with its own access key, by which KMS identifies the caller. */
  kmsAs(accessKeyId: string): KMSClient;
  close(): Promise<void>;
};

export type StageOptions = {
  seed: number;
  keys: number;
  startMs: number;
  /** 0: any free port. */
  port: number;
  runsWithRealTime: boolean;
};

export const tableName = "keyturn-demo";

export async function openStage(options: StageOptions): Promise<Stage> {
  const { seed, startMs, runsWithRealTime } = options;
  const clock = new SimClock({ startMs: startMs - oldestAgeMs, runsWithRealTime });
  const fleet = makeFleet(options.keys);
  let sleptMs = 0;
  const aws = await startEmbeddedAws({
    clock,
    seed,
    port: options.port,
    // The whole fleet is younger than KMS's tracking of last use, at any start time.
    trackingStartMs: clock.nowMs(),
    quotaClockMs: () => sleptMs + (runsWithRealTime ? performance.now() : 0),
  });
  const folder = mkdtempSync(join(tmpdir(), "keyturn-demo-"));
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  process.once("exit", removeFolder);
  const clients: KMSClient[] = [];
  const stage: Stage = {
    aws,
    clock,
    fleet,
    env: environmentOf(aws, folder),
    sleep(ms) {
      sleptMs += ms;
      return Promise.resolve();
    },
    kmsAs(accessKeyId) {
      const credentials = { accessKeyId, secretAccessKey: "any" };
      const client = new KMSClient({ endpoint: aws.endpoint, region: "us-east-1", credentials });
      clients.push(client);
      return client;
    },
    async close() {
      for (const client of clients) client.destroy();
      await aws.close();
      process.off("exit", removeFolder);
      removeFolder();
    },
  };
  try {
    await furnish(stage, startMs);
  } catch (error) {
    await stage.close();
    throw error;
  }
  return stage;
}

function environmentOf(aws: EmbeddedAws, folder: string): Record<string, string> {
  return {
    ...aws.env,
    AWS_EC2_METADATA_DISABLED: "true",
    // Files that do not exist: the user's AWS profile must not lead to a real account.
    AWS_CONFIG_FILE: join(folder, "no-config"),
    AWS_SHARED_CREDENTIALS_FILE: join(folder, "no-credentials"),
    KEYTURN_TABLE: tableName,
    KEYTURN_CONFIG: join(folder, "keyturn.json"),
    // The function's errors go to stderr; a correct run has none.
    POWERTOOLS_LOG_LEVEL: "ERROR",
    POWERTOOLS_METRICS_DISABLED: "true",
  };
}

/** From here on, every SDK client of this process and of its children uses only the stage. */
export function turnTo(stage: Stage): void {
  for (const name of Object.keys(process.env)) {
    if (/^_?(AWS|KEYTURN|POWERTOOLS)_/.test(name)) delete process.env[name];
  }
  Object.assign(process.env, stage.env);
}

async function furnish(stage: Stage, startMs: number): Promise<void> {
  const { aws, clock, fleet, env } = stage;
  const document = documentOf(fleet);
  parseConfiguration(document);
  writeFileSync(env.KEYTURN_CONFIG ?? "", `${JSON.stringify(document, null, 2)}\n`);
  await aws.createStateTable(tableName);
  const operator = stage.kmsAs("operator");
  for (const member of fleet.toSorted((a, b) => b.ageMs - a.ageMs)) {
    clock.reach(startMs - member.ageMs);
    await makeFirstVersion(operator, member, stage);
  }
  clock.reach(startMs);
}

async function makeFirstVersion(operator: KMSClient, member: Member, stage: Stage): Promise<void> {
  const { spec, usage, name, aliases } = member;
  const { KeyMetadata } = await operator.send(
    new CreateKeyCommand({ KeySpec: spec, KeyUsage: usage, Description: `protects ${name}` }),
  );
  const TargetKeyId = KeyMetadata?.KeyId;
  for (const AliasName of aliases) {
    await stage.sleep(1000 / 5);
    await operator.send(new CreateAliasCommand({ AliasName, TargetKeyId }));
  }
}
