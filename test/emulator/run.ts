/** Where the emulator of this run is, and accounts of it that nobody else uses. */
import { randomInt } from "node:crypto";

/** Whether the suites are run against an emulator: `vitest.emulator.config.ts` says so. */
export const isEmulatorRun = process.env.KEYTURN_EMULATOR_RUN === "1";

export type EmulatorSdk = {
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
};

/** Throws where there is none, and where it is AWS itself: these suites delete what they find. */
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
 * An account with nothing in it: LocalStack and MiniStack take an access key id of twelve digits for the
 * number of an account, so tests have an account each, and nothing of anybody else's is touched.
 */
export function anAccount(): { accountId: string; sdk: EmulatorSdk } {
  const accountId = `5${String(randomInt(10 ** 11 - 1)).padStart(11, "0")}`;
  return { accountId, sdk: sdkOf(accountId) };
}

/** The endpoint comes from the environment: DynamoDB may have one of its own there. */
export function sdkOf(accountId: string): EmulatorSdk {
  return {
    region: "us-east-1",
    credentials: { accessKeyId: accountId, secretAccessKey: "any" },
  };
}
