/** Before all tests: detects the emulator, and prints the skipped tests. */
import type { TestProject } from "vitest/node";
import { describeDeviations, observedWith, type Emulator } from "./deviations.ts";
import { anAccount, emulatorEndpoint } from "./run.ts";
import { askQuery } from "./service.ts";

declare module "vitest" {
  export interface ProvidedContext {
    emulator: Emulator;
  }
}

const healthPaths: [Emulator, string][] = [
  // First, because MiniStack also answers LocalStack's health check.
  ["MiniStack", "/_ministack/health"],
  ["LocalStack", "/_localstack/health"],
];

export default async function detect(project: TestProject): Promise<void> {
  const endpoint = emulatorEndpoint();
  await proveAccounts(endpoint);
  const { emulator, version } = await who(endpoint);
  const known = emulator === "unknown" ? "" : `; the table was made with ${observedWith[emulator]}`;
  console.log(`Emulator: ${emulator} ${version ?? ""} at ${endpoint}${known}`);
  const everything = process.env.KEYTURN_EMULATOR_SKIPS === "none";
  console.log(everything ? "Nothing is skipped." : describeDeviations(emulator));
  project.provide("emulator", emulator);
}

async function who(endpoint: string): Promise<{ emulator: Emulator; version?: string }> {
  for (const [emulator, path] of healthPaths) {
    const response = await fetch(endpoint + path);
    if (!response.ok) continue;
    const health = (await response.json().catch(() => ({}))) as { version?: string };
    return { emulator, ...(health.version === undefined ? {} : { version: health.version }) };
  }
  return { emulator: "unknown" };
}

/** The tests clear the accounts that they use: with only one account, they would clear that one. */
async function proveAccounts(endpoint: string): Promise<void> {
  const { accountId, sdk } = anAccount();
  const who = await askQuery(sdk, "sts", { Action: "GetCallerIdentity", Version: "2011-06-15" });
  if (who.includes(accountId)) return;
  throw new Error(`${endpoint}: expected an account of its own for an access key id of 12 digits`);
}
