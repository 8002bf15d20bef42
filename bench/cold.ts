/**
 * `npm run bench:cold`: the size and load time of the function's package, compared with a bundle
 * that only makes a KMS and a DynamoDB client. Both are minified and trimmed in the same way, and
 * each load is in a new process. Only the ratio of the two is meaningful.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { bundleModule } from "../infra/bundle-function.ts";
import { bundle, projectFolder, rotationPackage } from "../infra/bundle.ts";

const { sizeLimitKiB } = rotationPackage;
/** The limit for the load time of the function, as a multiple of that of the clients alone. */
const ratioLimit = 2;

const usage = `npm run bench:cold -- [--loads 31]

  --loads  how many times to load each of the two, alternately
Exit 0: within ${sizeLimitKiB} KiB and ${ratioLimit} times the clients' time; 1: over; 2: usage.`;

const { values } = parseArgs({
  options: {
    loads: { type: "string", default: "31" },
    help: { type: "boolean", default: false },
  },
});

/** The smallest bundle with both clients; it contains none of their unused code. */
const clientsAlone = `
  import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
  import { KMSClient } from "@aws-sdk/client-kms";
  export const handler = { kms: new KMSClient(), dynamoDb: new DynamoDBClient() };
`;

/** The variables of Lambda and the stack that the load reads; no cache of compiled code. */
const environment = {
  AWS_ACCESS_KEY_ID: "keyturn",
  AWS_REGION: "eu-central-1",
  AWS_SECRET_ACCESS_KEY: "keyturn",
  AWS_SESSION_TOKEN: "keyturn",
  KEYTURN_TABLE: "keyturn",
};

/** The time of the import of the handler, without the start of Node.js. */
function loadMs(path: string): number {
  const script = `
    const startedMs = performance.now();
    const { handler } = await import(${JSON.stringify(pathToFileURL(path).href)});
    const tookMs = performance.now() - startedMs;
    if (handler === undefined) throw new Error("the bundle exports no handler");
    console.log(tookMs);`;
  const options = { encoding: "utf8", env: environment } as const;
  return Number(execFileSync(process.execPath, ["--input-type=module", "-e", script], options));
}

function median(sorted: number[]): number {
  const middle = sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1);
  return middle.reduce((sum, each) => sum + each, 0) / middle.length;
}

function wholeNumber(name: "loads"): number {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number > 0) return number;
  console.error(`--${name}: got ${values[name]}, expected a whole number above 0\n${usage}`);
  process.exit(2);
}

type Measured = { name: string; path: string; timesMs: number[] };

/** Alternates the order of the two: other work on the machine then affects both alike. */
function measure(bundles: readonly Measured[], loads: number): void {
  for (const { path } of bundles) loadMs(path);
  for (let load = 0; load < loads; load += 1) {
    const order = load % 2 === 0 ? bundles : bundles.toReversed();
    for (const { path, timesMs } of order) timesMs.push(loadMs(path));
  }
  for (const { timesMs } of bundles) timesMs.sort((a, b) => a - b);
}

function print({ name, path, timesMs }: Measured): void {
  const columns = [
    (statSync(path).size / 1024).toFixed(1),
    median(timesMs).toFixed(1),
    `${timesMs[0]?.toFixed(1)} to ${timesMs.at(-1)?.toFixed(1)}`,
  ];
  console.log(name.padEnd(26) + columns.map((column) => column.padStart(16)).join(""));
}

async function main(loads: number): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "keyturn-cold-"));
  try {
    const packageFolder = join(folder, "package");
    mkdirSync(packageFolder);
    const example = readFileSync(join(projectFolder, "keyturn.example.json"), "utf8");
    bundle(join(projectFolder, "lambda/handler.ts"), JSON.parse(example), packageFolder);
    const clients = join(folder, "clients.mjs");
    writeFileSync(clients, (await bundleModule({ text: clientsAlone })).code);
    const ours: Measured = {
      name: "the function",
      path: join(packageFolder, "handler.mjs"),
      timesMs: [],
    };
    const theirs: Measured = { name: "KMS and DynamoDB clients", path: clients, timesMs: [] };
    measure([ours, theirs], loads);
    const titles = ["minified, KiB", "load, ms, median", "least to most"];
    console.log(" ".repeat(26) + titles.map((title) => title.padStart(16)).join(""));
    for (const measured of [ours, theirs]) print(measured);
    const sizeKiB = statSync(ours.path).size / 1024;
    const ratio = median(ours.timesMs) / median(theirs.timesMs);
    const report = (met: boolean, text: string) => console.log(`${met ? "ok  " : "OVER"}  ${text}`);
    report(sizeKiB <= sizeLimitKiB, `size: ${sizeKiB.toFixed(1)} KiB of ${sizeLimitKiB} KiB`);
    report(
      ratio <= ratioLimit,
      `load: ${ratio.toFixed(2)} times as long as the clients alone, limit ${ratioLimit} (medians of ${loads})`,
    );
    return sizeKiB <= sizeLimitKiB && ratio <= ratioLimit;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (values.help) {
  console.log(usage);
} else {
  process.exitCode = (await main(wholeNumber("loads"))) ? 0 : 1;
}
