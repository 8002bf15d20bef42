/**
 * Request quotas, each a token bucket of one second. Source: "Request quotas" and the table in
 * "Throttling AWS KMS requests" of the AWS KMS Developer Guide (us-east-1).
 */
import { AwsError } from "../http/aws-error.ts";

const perSecond: Record<string, number> = {
  CancelKeyDeletion: 5,
  CreateAlias: 5,
  CreateGrant: 50,
  CreateKey: 5,
  DeleteAlias: 15,
  DescribeKey: 2000,
  DisableKey: 5,
  DisableKeyRotation: 5,
  EnableKey: 5,
  EnableKeyRotation: 15,
  GetKeyLastUsage: 5,
  GetKeyPolicy: 1000,
  GetKeyRotationStatus: 1000,
  GetPublicKey: 2000,
  ListAliases: 500,
  ListGrants: 100,
  ListKeyPolicies: 100,
  ListKeyRotations: 100,
  ListKeys: 500,
  ListResourceTags: 2000,
  ListRetirableGrants: 100,
  PutKeyPolicy: 15,
  RetireGrant: 50,
  RevokeGrant: 50,
  RotateKeyOnDemand: 5,
  ScheduleKeyDeletion: 15,
  TagResource: 10,
  UntagResource: 5,
  UpdateAlias: 5,
  UpdateKeyDescription: 5,
  "keys:symmetric": 100_000,
  "keys:rsa": 1000,
  "keys:ecc": 1000,
  "keys:ml-dsa": 1000,
  "keys:ml-kem": 1000,
  GenerateRandom: 100_000,
};

const perCustomKeyStore = 1800;

type Bucket = { left: number; virtualMs: number; realMs: number };

/** Both clocks refill the bucket: neither a stopped nor a fast clock starves a caller. */
export type QuotaClocks = { virtualMs(): number; realMs(): number };

export class RequestQuotas {
  readonly #clocks: QuotaClocks;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clocks: QuotaClocks) {
    this.#clocks = clocks;
  }

  spend(quota: string): void {
    const rate = quota.startsWith("store:") ? perCustomKeyStore : perSecond[quota];
    if (rate === undefined) return;
    const [virtualMs, realMs] = [this.#clocks.virtualMs(), this.#clocks.realMs()];
    const bucket = this.#buckets.get(quota) ?? { left: rate, virtualMs, realMs };
    const elapsedMs = Math.max(virtualMs - bucket.virtualMs, realMs - bucket.realMs);
    bucket.left = Math.min(rate, bucket.left + (elapsedMs / 1000) * rate);
    bucket.virtualMs = virtualMs;
    bucket.realMs = realMs;
    this.#buckets.set(quota, bucket);
    if (bucket.left < 1) {
      const message =
        "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.";
      throw new AwsError("ThrottlingException", message);
    }
    bucket.left -= 1;
  }
}
