/**
 * Each port has two implementations, the sides, and one suite tests both; here a test opens either.
 * Against an emulator (`npm run test:localstack`), the emulator is the only side.
 */
import type { CreateKeyCommandOutput } from "@aws-sdk/client-kms";
import { onTestFinished } from "vitest";
import { createKeyService, type KeyServiceConfig } from "../../lambda/aws/kms.ts";
import type { Clock, KeyService } from "../../lambda/ports.ts";
import { SimClock } from "../../embedded-aws/clock.ts";
import {
  startEmbeddedAws,
  type EmbeddedAws,
  type EmbeddedAwsOptions,
} from "../../embedded-aws/embedded-aws.ts";
import { cheapCryptography } from "../../embedded-aws/kms/cheap-cryptography.ts";
import { KmsTwin } from "../../embedded-aws/kms/twin.ts";
import { createKeyServiceTwin } from "../../sim/ports/keys.ts";
import { SimRandom } from "../../embedded-aws/random.ts";
import { anEmulatedKeyLab } from "../emulator/key-lab.ts";
import { isEmulatorRun, type EmulatorSdk } from "../emulator/run.ts";
import { minuteMs } from "../fixtures.ts";
import type { KeyLab, LabOptions } from "./key-lab.ts";

/** Not a whole second: the test detects a rounded timestamp. */
export const startMs = Date.UTC(2027, 0, 1) + 123;
export const absentKeyId = "99999999-9999-4999-8999-999999999999";
export const keyturnArn = "arn:aws:iam::000000000000:user/keyturn";
export const personArn = "arn:aws:iam::000000000000:user/person";

export type TwinLab = KeyLab & { kms: KmsTwin; clock: SimClock };
/** `sdk` configures further clients on the same account. */
export type OnTheWire = KeyLab & { sdk: EmulatorSdk & { endpoint?: string } };
export type WireLab = TwinLab & OnTheWire & { aws: EmbeddedAws };

type OpenKeyLab = (options?: LabOptions) => Promise<KeyLab>;

export const keySides: [side: string, open: OpenKeyLab][] = isEmulatorRun
  ? [["the SDK adapter, on the emulator", (options) => anEmulatedKeyLab(options)]]
  : [
      ["the SDK adapter, over the wire", (options) => aWireLab(options)],
      ["the twin", (options) => Promise.resolve(aTwinLab(options))],
    ];

/** The side with the SDK adapter. */
export const aKeyLabOnTheWire: () => Promise<OnTheWire> = isEmulatorRun
  ? anEmulatedKeyLab
  : aWireLab;

/** For any SDK client; it takes nothing from the machine's environment. */
export function sdkConfig(endpoint: string) {
  return {
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "keyturn", secretAccessKey: "any" },
  };
}

/** The embedded AWS of one test, closed at the end of the test. */
export async function anAws(options: EmbeddedAwsOptions = {}): Promise<EmbeddedAws> {
  const aws = await startEmbeddedAws({
    quotas: "off",
    cryptography: cheapCryptography,
    clock: new SimClock({ startMs }),
    ...options,
  });
  onTestFinished(() => aws.close());
  return aws;
}

export async function aWireLab(
  options: LabOptions = {},
  config: KeyServiceConfig = {},
): Promise<WireLab> {
  const aws = await anAws(options);
  const clock = clockOn(aws.clock);
  const sdk = sdkConfig(aws.endpoint);
  const keys = createKeyService(clock, { ...sdk, ...config });
  return { ...labOf(aws.kms, aws.clock, keys), aws, sdk };
}

export function aTwinLab(options: LabOptions = {}): TwinLab {
  const clock = new SimClock({ startMs });
  const kms = new KmsTwin({
    clock,
    random: new SimRandom(1),
    quotas: "off",
    cryptography: cheapCryptography,
    ...options,
  });
  return labOf(kms, clock, createKeyServiceTwin(kms, clock, keyturnArn));
}

function labOf(kms: KmsTwin, clock: SimClock, keys: KeyService): TwinLab {
  const ask = <T>(operation: string, input: object): T =>
    kms.call(operation, input, { principalArn: personArn }) as T;
  return {
    keys,
    kms,
    clock,
    accountId: "000000000000",
    toldAs: (ms) => ms,
    ask,
    aKey: (input = {}) =>
      ask<CreateKeyCommandOutput>("CreateKey", input).KeyMetadata?.KeyId ?? "none",
    guard: () => ({
      deadlineMs: clock.nowMs() + 5 * minuteMs,
      limitMs: 10_000,
    }),
  };
}

function clockOn(clock: SimClock): Clock {
  return {
    nowMs: () => clock.nowMs(),
    sleep: (ms) => {
      clock.advance(ms);
      return Promise.resolve();
    },
  };
}

/** A key policy that allows the operator everything, and keyturn the listed actions. */
export function policyFor(...keyturnMay: string[]): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Principal: { AWS: personArn }, Action: "kms:*", Resource: "*" },
      ...keyturnMay.map((action) => ({
        Effect: "Allow",
        Principal: { AWS: keyturnArn },
        Action: action,
        Resource: "*",
      })),
    ],
  });
}

/** The number of requests of a KMS operation on the wire. */
export function timesCalled(aws: EmbeddedAws, operation: string): number {
  return aws.calls().kms[operation] ?? 0;
}
