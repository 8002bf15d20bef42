/** A command answers exactly the same in this process and in its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Account } from "../infra/account.ts";
import { orders } from "../infra/least-privilege-histories.ts";
import { sample } from "../sizes.ts";
import { nowOf, typedInBinary, typedInProcess, type Typed } from "./binary.ts";
import { aFleet } from "./fleet.ts";

const folder = mkdtempSync(join(tmpdir(), "keyturn-in-process-"));
let account: Account;
beforeAll(async () => {
  account = await aFleet(40);
  // A repeated request has another answer than the first one.
  for (const [line] of asking) {
    await typedInProcess(account, [...line.split(" "), ...nowOf(account)]);
  }
}, 60_000);
afterAll(async () => {
  await account.close();
  rmSync(folder, { recursive: true });
});

type Env = Record<string, string | undefined>;

const narrow = { COLUMNS: "40" };
const coloured = { COLUMNS: "80", FORCE_COLOR: "1" };
const plain = { COLUMNS: "120", NO_COLOR: "1" };
const noServer = { AWS_ENDPOINT_URL: "http://127.0.0.1:9" };
const noCredentials = {
  ...{ AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, HOME: "/nowhere" },
  ...{ AWS_EC2_METADATA_DISABLED: "true" },
};

const reading: [line: string, env: Env][] = [
  ["status", narrow],
  ["status", coloured],
  ["status", plain],
  ["status", {}],
  ["status --json", {}],
  [`status ${orders}`, coloured],
  ["status alias/moved --json", {}],
  ["status alias/order", narrow],
  ["doctor", coloured],
  ["doctor --json", {}],
  [`history ${orders}`, narrow],
  ["history orders --json --last 3", {}],
  ["verify", coloured],
  ["explain", narrow],
  ["explain ALIAS_MOVED --json", {}],
  ["explain ALIAS_MOVE", {}],
  ["plan --until 60d", coloured],
  [`plan ${orders} --until 90d --out plan.json`, {}],
  ["plan --until 500d", {}],
  ["report --out report", {}],
  ["report --out report --json --from 2027-01-01", {}],
  ["--help", narrow],
  ["help approve", coloured],
  ["approve --help", {}],
  ["--version", {}],
  ["statsu", coloured],
  ["", {}],
  ["status --now yesterday", {}],
];

const asking: [line: string, env: Env][] = [
  ["rotate alias/a-name-that-is-rather-long-for-a-terminal-of-eighty-columns --anyway", coloured],
  ["reconcile alias/moved --json --by grace", {}],
  [`unenrol ${orders}`, narrow],
  ["enrol alias/payroll --policy shorty", {}],
  ["pause alias/invoices", { USER: undefined }],
];

const failing: [line: string, env: Env][] = [
  ["status", { KEYTURN_TABLE: undefined }],
  ["status --table other", coloured],
  ["status", { ...noServer, ...narrow }],
  ["status", { AWS_REGION: undefined, HOME: "/nowhere" }],
  ["status --profile unknown", { AWS_CONFIG_FILE: "/dev/null", ...noCredentials }],
  ["status", noCredentials],
];

/** Both ways, at one time. Only ids of requests and the duration of reads may differ. */
async function bothWays(line: string, env: Env): Promise<[here: Typed, there: Typed]> {
  const words = line.split(" ").filter((word) => word !== "");
  const args = /--now|help|--version|^$|statsu/.test(line) ? words : [...words, ...nowOf(account)];
  const here = alike(await typedInProcess(account, args, env, folder));
  return [here, alike(await typedInBinary(account, args, env, folder))];
}

function alike({ stdout, stderr, code }: Typed): Typed {
  const same = (text: string): string =>
    text.replace(/\d{8}T\d{6,9}Z-[0-9a-f]{16}/g, "<id>").replace(/\d+ ms/g, "ms");
  return { stdout: same(stdout), stderr: same(stderr), code };
}

describe("the same in this process and in its own:", () => {
  test.each(sample(reading, 10))("keyturn %s %j", async (line, env) => {
    const [here, there] = await bothWays(line, env);
    expect(here).toEqual(there);
    expect(here.stdout + here.stderr).not.toBe("");
  });

  test.each(sample(asking, 2))("keyturn %s %j", async (line, env) => {
    const [here, there] = await bothWays(line, env);
    expect(here).toEqual(there);
  });

  test.each(sample(failing, 2))("keyturn %s %j", async (line, env) => {
    const [here, there] = await bothWays(line, env);
    expect(here).toEqual(there);
    expect([here.stdout, here.stderr]).toEqual(["", expect.stringMatching(/^\S*keyturn:/)]);
  });
});
