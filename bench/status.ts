/**
 * `npm run bench:status`: the time and memory of operator commands on a large fleet. Each command
 * runs the real binary in its own process, on a table of the embedded AWS in this process.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { BatchWriteItemCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { attributesOf, keys, toItem } from "../lambda/aws/dynamodb-items.ts";
import { genesisHash, transition } from "../lambda/record/journal.ts";
import type { Stored } from "../lambda/ports.ts";
import { finding, type Finding } from "../lambda/workflow/model/findings.ts";
import { newManagedKey } from "../lambda/workflow/model/record.ts";
import type { ManagedKey, Policy } from "../lambda/workflow/model/types.ts";
import { startEmbeddedAws } from "../embedded-aws/embedded-aws.ts";

const limits = { statusMs: 3000, memoryMiB: 300 };

const usage = `npm run bench:status -- [--keys 10000] [--times 3]

  --keys   how many managed keys the table contains
  --times  how many times to run each command; prints the best and the worst
Exit 0: \`status\` within ${limits.statusMs} ms and every command within ${limits.memoryMiB} MiB; 1: over; 2: usage.`;

const { values } = parseArgs({
  options: {
    keys: { type: "string", default: "10000" },
    times: { type: "string", default: "3" },
    help: { type: "boolean", default: false },
  },
});

const dayMs = 86_400_000;
const nowMs = Date.UTC(2027, 5, 1);
const tableName = "keyturn";
const binary = join(import.meta.dirname, "../cli/keyturn.js");

const policy: Policy = {
  name: "standard",
  cryptoperiodMs: 365 * dayMs,
  leadMs: 30 * dayMs,
  propagationMs: dayMs,
  originate: "observe",
  drain: { atLeastMs: 30 * dayMs, quietForMs: 30 * dayMs, evidence: "required" },
  retire: "disable",
  soakMs: 30 * dayMs,
  deletionWindowDays: 30,
  approval: "none",
  acknowledgeWithinMs: 7 * dayMs,
};

/** One key in ten has a finding. */
function aHistory(number: number): Stored {
  const alias = `alias/fleet/service-${String(number).padStart(6, "0")}`;
  const home = { alias, aliases: [alias], policy, dependents: [] };
  const atMs = nowMs - (number % 300) * dayMs;
  const fresh = newManagedKey({ owner: "acme", tableId: "one" }, home, "configuration", atMs);
  const record: ManagedKey = {
    ...fresh,
    enrolledAtMs: atMs,
    dueAtMs: nowMs + (number % 90) * dayMs,
    waitingFor: "within cryptoperiod",
    versions: [aVersion(number, atMs)],
    lastNumber: 1,
    findings: number % 10 === 0 ? [paused(alias, atMs)] : [],
  };
  let stored: Stored = { record, journalHead: genesisHash, outbox: [], writes: 0 };
  for (const event of ["found", "tagged", "enrolled"] as const) {
    const draft = { event, reason: "the alias points at this key", detail: { version: 1 } };
    stored = transition(stored, stored.record, draft, atMs);
  }
  return stored;
}

function paused(alias: string, atMs: number): Finding {
  return finding("PAUSED", alias, "by ada: an audit", `keyturn resume ${alias}`, atMs);
}

function aVersion(number: number, atMs: number): ManagedKey["versions"][0] {
  const keyId = `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
  return {
    number: 1,
    keyId,
    arn: `arn:aws:kms:us-east-1:000000000000:key/${keyId}`,
    shape: {
      spec: "SYMMETRIC_DEFAULT",
      usage: "ENCRYPT_DECRYPT",
      origin: "AWS_KMS",
      multiRegion: false,
    },
    state: "active",
    createdAtMs: atMs,
    activatedAtMs: atMs,
  };
}

async function fill(client: DynamoDBClient, count: number): Promise<void> {
  const perWrite = 25;
  for (let from = 0; from < count; from += perWrite) {
    const puts = Array.from({ length: Math.min(perWrite, count - from) }, (_, index) => {
      const stored = aHistory(from + index);
      const Item = toItem({ ...keys.record(stored.record.alias), ...attributesOf(stored) });
      return { PutRequest: { Item } };
    });
    await client.send(new BatchWriteItemCommand({ RequestItems: { [tableName]: puts } }));
  }
}

type Took = { ms: number; cpuMs: number; peakMiB: number; code: number | null; bytes: number };

/** The child reports its peak memory and CPU time when it exits. */
async function run(args: string[], env: Record<string, string>): Promise<Took> {
  const report = "process.on('exit',()=>process.send?.(process.resourceUsage()))";
  const options = ["--import", `data:text/javascript,${report}`, binary, ...args];
  const startedMs = performance.now();
  const child = spawn(process.execPath, options, {
    env,
    stdio: ["ignore", "pipe", "ignore", "ipc"],
  });
  let bytes = 0;
  let used: Partial<NodeJS.ResourceUsage> = {};
  child.stdout?.on("data", (chunk: Buffer) => (bytes += chunk.length));
  child.on("message", (message) => (used = message as NodeJS.ResourceUsage));
  const [code] = (await once(child, "close")) as [number | null];
  const { maxRSS = 0, userCPUTime = 0, systemCPUTime = 0 } = used;
  const cpuMs = (userCPUTime + systemCPUTime) / 1000;
  return { ms: performance.now() - startedMs, cpuMs, peakMiB: maxRSS / 1024, code, bytes };
}

const commands = [
  ["--help"],
  ["explain", "ALIAS_MOVED"],
  ["status"],
  ["status", "--findings"],
  ["status", "--json"],
  ["status", "alias/fleet/service-000010"],
  ["doctor"],
  ["verify"],
];

async function main(count: number, times: number): Promise<boolean> {
  const aws = await startEmbeddedAws({});
  await aws.createStateTable(tableName);
  const credentials = { accessKeyId: "person", secretAccessKey: "secret" };
  const client = new DynamoDBClient({ endpoint: aws.endpoint, region: "us-east-1", credentials });
  await fill(client, count);
  const env = { PATH: process.env["PATH"] ?? "", ...aws.env, KEYTURN_TABLE: tableName };
  const titles = ["best, ms", "worst, ms", "CPU, ms", "peak, MiB", "exit", "KiB printed"];
  console.log(
    `${count} managed keys\n${" ".repeat(36)}${titles.map((one) => one.padStart(12)).join("")}`,
  );
  let isWithin = true;
  for (const args of commands) {
    const all: Took[] = [];
    for (let time = 0; time < times; time += 1)
      all.push(await run([...args, "--now", String(nowMs)], env));
    const ms = all.map((one) => one.ms);
    const peakMiB = Math.max(...all.map((one) => one.peakMiB));
    const cells = [
      Math.min(...ms).toFixed(0),
      Math.max(...ms).toFixed(0),
      Math.min(...all.map(({ cpuMs }) => cpuMs)).toFixed(0),
      peakMiB.toFixed(0),
      String(all[0]?.code),
      ((all[0]?.bytes ?? 0) / 1024).toFixed(0),
    ];
    console.log(args.join(" ").padEnd(36) + cells.map((one) => one.padStart(12)).join(""));
    if (peakMiB > limits.memoryMiB) isWithin = false;
    if (args.join(" ") === "status" && Math.min(...ms) > limits.statusMs) isWithin = false;
  }
  client.destroy();
  await aws.close();
  return isWithin;
}

if (values.help) console.log(usage);
else {
  const [count, times] = [Number(values.keys), Number(values.times)];
  if (![count, times].every((one) => Number.isInteger(one) && one > 0)) {
    console.error(`--keys and --times: expected whole numbers above 0\n${usage}`);
    process.exitCode = 2;
  } else process.exitCode = (await main(count, times)) ? 0 : 1;
}
