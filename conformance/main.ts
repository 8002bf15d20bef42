/** `npm run conformance`: asks an endpoint, or AWS itself, for the facts on which the design rests. */
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { CloudTrailClient } from "@aws-sdk/client-cloudtrail";
import { startEmbeddedAws } from "../embedded-aws/embedded-aws.ts";
import { isAnswer, isDenied } from "./answers.ts";
import { compare, type Compared } from "./compare.ts";
import { facts } from "./facts.ts";
import { aliasPrefix, Lab, partsOf, tag } from "./lab.ts";
import { lookupIn, samplesOf, type Sample } from "./trail.ts";

const usage = `npm run conformance -- [--endpoint-url URL | --real-account] [--only NAME] [--owner OWNER] [--out FILE] [--trail] [--confirm ACCOUNT]

  Without an endpoint: the embedded AWS, in this process.
  --endpoint-url  an emulator
  --real-account  AWS, with the credentials and the Region of the environment. It makes about 25 keys with the
                  tag ${tag.TagKey}, and schedules their deletion with the shortest window, at the end or at the
                  start of the next run. KMS charges no key that is pending deletion: the run costs under $1.
  --trail         on a real account, with --out: waits up to 20 minutes for CloudTrail's records of these calls, and
                  writes a sample of each kind, without the account, the caller and its address
  --owner         the owner of a deployment: with the credentials of its function's role, which makes no key without
                  that tag, create-key-with-a-copied-policy answers what KMS wants of the role
  --only          the facts whose names contain NAME
  --out           also writes every answer as JSON, beside that of the embedded AWS
  --confirm       the number of the account, instead of typing it
  --clear         only ends what earlier runs left

Exit 0: every fact holds; 1: one does not; 2: usage; 3: a right is missing.`;

const { values } = parseArgs({
  options: {
    "endpoint-url": { type: "string" },
    "real-account": { type: "boolean", default: false },
    only: { type: "string", default: "" },
    owner: { type: "string" },
    out: { type: "string" },
    confirm: { type: "string" },
    clear: { type: "boolean", default: false },
    trail: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

/** Fails with exit code 2. */
class Misused extends Error {}

async function main(): Promise<number> {
  const some = facts.filter(({ name }) => name.includes(values.only));
  if (some.length === 0) throw new Misused(`no fact is named ${values.only}`);
  const embedded = await startEmbeddedAws({ quotas: "off" });
  const other = await startEmbeddedAws({ quotas: "off", seed: 2 });
  const expecting = new Lab({ endpoint: embedded.endpoint, region: "us-east-1", credentials });
  const lab = await opened(other.endpoint).catch(async (error: unknown) => {
    await Promise.all([embedded.close(), other.close()]);
    throw error;
  });
  const startedMs = Date.now();
  try {
    const left = await lab.clear().catch((error: unknown) => {
      if (values.clear || !isAnswer(error) || !isDenied(error)) throw error;
      console.error(`ends nothing that earlier runs left: ${error.message}`);
      return 0;
    });
    if (left > 0) console.log(`ended ${left} keys that an earlier run left`);
    if (values.clear) return 0;
    const compared = await compare(some, lab, expecting, (one) => console.log(line(one)));
    if (values.out !== undefined) await write(values.out, compared, lab, startedMs);
    return codeOf(compared);
  } finally {
    if (!values.clear) {
      await lab.clear().catch((error: unknown) => {
        console.error(`the next run ends what is left, or --clear does: ${String(error)}`);
      });
    }
    lab.close();
    expecting.close();
    await Promise.all([embedded.close(), other.close()]);
  }
}

const credentials = { accessKeyId: "keyturn", secretAccessKey: "keyturn" };

async function opened(embedded: string): Promise<Lab> {
  const { "endpoint-url": endpoint, "real-account": isReal } = values;
  if (values.trail && (!isReal || values.out === undefined)) {
    throw new Misused("--trail takes --real-account and --out");
  }
  if (!isReal) {
    if (endpoint === undefined) {
      return new Lab({ endpoint: embedded, region: "us-east-1", credentials }, values.owner);
    }
    if (/amazonaws\.com/.test(endpoint)) throw new Misused("that is AWS: use --real-account");
    const region = process.env.AWS_REGION ?? "us-east-1";
    return new Lab({ endpoint, region, ...emulatorUser() }, values.owner);
  }
  if (endpoint !== undefined || process.env.AWS_ENDPOINT_URL !== undefined) {
    throw new Misused("--real-account takes no endpoint, and none from AWS_ENDPOINT_URL");
  }
  const lab = new Lab({}, values.owner);
  await agreed(lab);
  return lab;
}

/** An emulator takes any credentials: those of the environment, if there are some. */
function emulatorUser() {
  return process.env.AWS_ACCESS_KEY_ID === undefined ? { credentials } : {};
}

/** An operator types the number of the account before anything is made there. */
async function agreed(lab: Lab): Promise<void> {
  const { Aliases: [alias] = [] } = await lab.kms.listAliases({ Limit: 1 });
  const { region, account } = partsOf(alias?.AliasArn ?? "");
  if (account === "") throw new Misused("ListAliases shows no alias: the account is unknown");
  console.log(`account ${account}, Region ${region}: makes keys with the tag ${tag.TagKey}`);
  console.log(`and aliases ${aliasPrefix}…, and schedules the deletion of these keys`);
  const asking = createInterface({ input: process.stdin, output: process.stdout });
  const typed = values.confirm ?? (await asking.question("Type the account's number to begin: "));
  asking.close();
  if (typed.trim() !== account) throw new Misused("that is another number: nothing was made");
}

async function write(
  path: string,
  answers: Compared[],
  lab: Lab,
  startedMs: number,
): Promise<void> {
  const put = (trail: Sample[]): void =>
    writeFileSync(path, `${JSON.stringify({ answers, trail }, undefined, 2)}\n`);
  put([]);
  if (!values.trail) return;
  const client = new CloudTrailClient({});
  console.log("waits for CloudTrail's records");
  put(await samplesOf(lab.keyArns(), startedMs, lookupIn(client), (ms) => sleep(ms)));
  client.destroy();
}

function line({ name, verdict, answer, expected, why }: Compared): string {
  const headline = `${verdict.padEnd(9)} ${name}`;
  if (verdict === "holds") return headline;
  if (verdict === "denied") return `${headline}\n          ${why ?? ""}`;
  return `${headline}\n          answered ${JSON.stringify(answer)}\n          expected ${JSON.stringify(expected)}`;
}

function codeOf(compared: Compared[]): number {
  const verdicts = compared.map(({ verdict }) => verdict);
  const held = verdicts.filter((one) => one === "holds").length;
  console.log(`\n${held} of ${verdicts.length} facts hold`);
  if (verdicts.includes("differs")) return 1;
  return verdicts.includes("denied") ? 3 : 0;
}

try {
  if (values.help) console.log(usage);
  else process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Misused ? `${error.message}\n\n${usage}` : error);
  process.exitCode = error instanceof Misused ? 2 : 1;
}
