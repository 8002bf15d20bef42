/** KMS on the emulator for the contract suites: an account for each test, cleared afterwards. */
import type { CreateKeyCommandInput, CreateKeyCommandOutput } from "@aws-sdk/client-kms";
import { expect, onTestFinished } from "vitest";
import { createKeyService } from "../../lambda/aws/kms.ts";
import { SimClock } from "../../embedded-aws/clock.ts";
import type { KeyLab } from "../contract/key-lab.ts";
import { minuteMs } from "../fixtures.ts";
import { anAccount, type EmulatorSdk } from "./run.ts";
import { askKms } from "./sync-kms.ts";

/** The longest time from the start of a test to its read of a timestamp from that start. */
const toleranceDigits = -5;

export async function anEmulatedKeyLab(
  options: object = {},
): Promise<KeyLab & { sdk: EmulatorSdk }> {
  for (const name of Object.keys(options)) {
    if (name !== "customKeyStores") throw new Error(`emulators have no option ${name}`);
  }
  const { accountId, sdk } = anAccount();
  // The run's clock stands still, and the test moves it; the emulator's clock cannot be moved.
  const clock = new SimClock({ startMs: Date.now() });
  const runClock = { nowMs: () => clock.nowMs(), sleep: () => Promise.resolve() };
  const ask = <T>(operation: string, input: object): T => askKms<T>(sdk, operation, input);
  onTestFinished(() => askKms<undefined>(sdk, "clear"));
  return {
    keys: createKeyService(runClock, sdk),
    kms: {
      snapshot: () => askKms(sdk, "snapshot"),
      addAwsManagedKey: () => {
        throw new Error("emulators cannot create an AWS managed key");
      },
    },
    clock,
    accountId,
    sdk,
    toldAs: (ms) => expect.closeTo(ms, toleranceDigits) as number,
    ask,
    aKey: (input: CreateKeyCommandInput = {}) =>
      ask<CreateKeyCommandOutput>("CreateKey", input).KeyMetadata?.KeyId ?? "none",
    guard: () => ({ deadlineMs: clock.nowMs() + 5 * minuteMs, limitMs: 10_000 }),
  };
}
