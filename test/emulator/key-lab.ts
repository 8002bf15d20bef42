/** KMS on the emulator, as the contract suites open it: an account for each test, cleared afterwards. */
import type { CreateKeyCommandInput, CreateKeyCommandOutput } from "@aws-sdk/client-kms";
import { expect, onTestFinished } from "vitest";
import { createKeyService } from "../../lambda/aws/kms.ts";
import { SimClock } from "../../embedded-aws/clock.ts";
import type { KeyLab } from "../contract/key-lab.ts";
import { minuteMs } from "../fixtures.ts";
import { anAccount, type EmulatorSdk } from "./run.ts";
import { askKms } from "./sync-kms.ts";

/** How long a test may take until it looks at what KMS noted at its beginning. */
const toleranceDigits = -5;

export async function anEmulatedKeyLab(
  options: object = {},
): Promise<KeyLab & { sdk: EmulatorSdk }> {
  for (const name of Object.keys(options)) {
    if (name !== "customKeyStores") throw new Error(`no emulator can be told its ${name}`);
  }
  const { accountId, sdk } = anAccount();
  // The run's own clock stands still, and can be moved; that of the emulator cannot.
  const clock = new SimClock({ startMs: Date.now() });
  const runClock = { nowMs: () => clock.nowMs(), sleep: () => Promise.resolve() };
  const ask = <T>(operation: string, input: object): T => askKms<T>(sdk, operation, input);
  onTestFinished(() => askKms<undefined>(sdk, "clear"));
  return {
    keys: createKeyService(runClock, sdk),
    kms: {
      snapshot: () => askKms(sdk, "snapshot"),
      addAwsManagedKey: () => {
        throw new Error("no emulator can be told to make a key that AWS manages");
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
