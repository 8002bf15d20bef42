/** The emulator of this run, and unused accounts on it. */
import { randomInt } from "node:crypto";

/** Whether the suites run against an emulator: set by `vitest.emulator.config.ts`. */
export const isEmulatorRun = process.env.KEYTURN_EMULATOR_RUN === "1";

export type EmulatorSdk = {
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
};

/** Throws if there is none, or if it is AWS itself: these suites delete all that they find. */
export function emulatorEndpoint(): string {
  const given = process.env.AWS_ENDPOINT_URL ?? "";
  if (!URL.canParse(given)) {
    throw new Error(`AWS_ENDPOINT_URL: got ${JSON.stringify(given)}, expected an emulator's URL`);
  }
  const { hostname, origin } = new URL(given);
  if (/(^|\.)(amazonaws|api\.aws|aws)(\.|$)/.test(hostname)) {
    throw new Error(`AWS_ENDPOINT_URL: ${given} is AWS, and these tests are for emulators`);
  }
  return origin;
}

/**
 * An empty account: LocalStack and MiniStack use an access key id of twelve digits as the account
 * number. Each test has its own account, and touches no other.
 */
export function anAccount(): { accountId: string; sdk: EmulatorSdk } {
  const accountId = `5${String(randomInt(10 ** 11 - 1)).padStart(11, "0")}`;
  return { accountId, sdk: sdkOf(accountId) };
}

/** The endpoint comes from the environment, where DynamoDB may have its own. */
export function sdkOf(accountId: string): EmulatorSdk {
  return {
    region: "us-east-1",
    credentials: { accessKeyId: accountId, secretAccessKey: "any" },
  };
}
