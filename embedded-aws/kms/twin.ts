/** A strict in-process implementation of AWS KMS, with the service's own answers. */
import { AwsError } from "../http/aws-error.ts";
import { keyChangeOf, type KeyChangeEvent } from "./key-changes.ts";
import { IdentityPolicies } from "../iam/identity-policies.ts";
import type { SimRandom } from "../random.ts";
import { aliasOperations } from "./aliases.ts";
import { addAwsManagedKey } from "./aws-managed.ts";
import type { CloudTrailEvent } from "./cloudtrail-record.ts";
import { createKeyOperations } from "./create-key.ts";
import { realCryptography, type Cryptography } from "./cryptography.ts";
import { dataKeyOperations } from "./data-keys.ts";
import { encryptOperations } from "./encrypt.ts";
import { encapsulateOperations } from "./encapsulate.ts";
import { grantOperations } from "./grants.ts";
import { lifecycleOperations, sweepDeleted } from "./lifecycle.ts";
import type { Operation } from "./operation.ts";
import { policyOperations } from "./policies.ts";
import { publicKeyOperations } from "./public-keys.ts";
import { RequestQuotas } from "./quotas.ts";
import { refusedUseOf } from "./refused-uses.ts";
import { rotationOperations } from "./rotation.ts";
import { signOperations } from "./sign.ts";
import { snapshotOf, type KmsSnapshot } from "./snapshot.ts";
import { tagOperations } from "./tags.ts";
import type {
  Call,
  Caller,
  CustomKeyStore,
  KeyState,
  KmsKey,
  PublicKeyOfDisabled,
  World,
} from "./types.ts";
import { usageOperations } from "./usage.ts";
import { useAttemptOf, type UseAttemptEvent } from "./use-attempts.ts";

const operations: Record<string, Operation> = {
  ...aliasOperations,
  ...createKeyOperations,
  ...dataKeyOperations,
  ...encapsulateOperations,
  ...encryptOperations,
  ...grantOperations,
  ...lifecycleOperations,
  ...policyOperations,
  ...publicKeyOperations,
  ...rotationOperations,
  ...signOperations,
  ...tagOperations,
  ...usageOperations,
};

/** For older keys, GetKeyLastUsage reports only uses after its introduction. */
const trackingIntroducedMs = Date.UTC(2026, 3, 23);

export const defaultRegion = "us-east-1";

export type KmsTwinOptions = {
  clock: { nowMs(): number };
  random: SimRandom;
  account?: string;
  region?: string;
  cryptography?: Cryptography;
  lastUsageLagMs?: number;
  lastUsePrecisionMs?: 1 | 1000;
  quotas?: "on" | "off";
  /** A second clock that refills request quotas: real time, for real clients. */
  quotaClockMs?: () => number;
  trackingStartMs?: number;
  keyQuota?: number;
  publicKeyOfDisabled?: PublicKeyOfDisabled;
  customKeyStores?: CustomKeyStore[];
  /** The services whose aliases KMS lists although it made no key for them yet. */
  predefinedAliases?: readonly string[];
  identityPolicies?: IdentityPolicies;
};

export type CallRecord = {
  operation: string;
  keyId?: string;
  principalArn: string;
  atMs: number;
  /** "ok", or the error code. */
  outcome: string;
};

export class KmsTwin {
  onCall: ((record: CallRecord) => void) | undefined;
  /** Called, with EventBridge's event, for each use of a disabled or pending deletion key. */
  onUseAttempt: ((event: UseAttemptEvent) => void) | undefined;
  /** Called, with EventBridge's event, for each successful change of a key or an alias. */
  onKeyChange: ((event: KeyChangeEvent) => void) | undefined;
  /** Called, with EventBridge's event, for each use that access or cryptography refuses. */
  onRefusedUse: ((event: CloudTrailEvent) => void) | undefined;
  readonly world: World;
  readonly #counts = new Map<string, number>();
  readonly #quotas: RequestQuotas | undefined;

  constructor(options: KmsTwinOptions) {
    this.world = {
      account: options.account ?? "000000000000",
      region: options.region ?? defaultRegion,
      clock: options.clock,
      random: options.random,
      cryptography: options.cryptography ?? realCryptography,
      lastUsageLagMs: options.lastUsageLagMs ?? 3_600_000,
      lastUsePrecisionMs: options.lastUsePrecisionMs ?? 1,
      trackingStartMs: options.trackingStartMs ?? trackingIntroducedMs,
      keyQuota: options.keyQuota ?? 100_000,
      publicKeyOfDisabled: options.publicKeyOfDisabled ?? "given",
      keys: new Map(),
      pendingDeletion: new Set(),
      keysMade: 0,
      awsManagedKeys: 0,
      aliases: new Map(),
      predefinedAliases: new Set(options.predefinedAliases?.map((name) => `alias/aws/${name}`)),
      aliasOrder: undefined,
      identityPolicies: options.identityPolicies ?? new IdentityPolicies(),
      customKeyStores: new Map(options.customKeyStores?.map((store) => [store.id, store])),
      unknownPrincipals: new Map(),
      grantTokens: new Map(),
    };
    if (options.quotas !== "off") {
      const virtualMs = () => options.clock.nowMs();
      this.#quotas = new RequestQuotas({ virtualMs, realMs: options.quotaClockMs ?? virtualMs });
    }
  }

  /** Answers like the SDK's client: blobs as bytes, timestamps as dates; or throws AwsError. */
  call(operation: string, input: unknown, caller: Caller): unknown {
    const call = this.#callOf(operation, caller);
    this.#counts.set(operation, (this.#counts.get(operation) ?? 0) + 1);
    try {
      const answer = this.#run(call, input);
      this.#record(call, "ok");
      const change = this.onKeyChange === undefined ? undefined : keyChangeOf(call, input);
      if (change !== undefined) this.onKeyChange?.(change);
      return answer ?? {};
    } catch (error) {
      this.#record(call, error instanceof AwsError ? error.code : "error");
      this.#report(call, input, error);
      throw error;
    }
  }

  /** Successful and failed calls per operation. */
  counts(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort());
  }

  resetCounts(): void {
    this.#counts.clear();
  }

  snapshot(): KmsSnapshot {
    sweepDeleted(this.world, this.world.clock.nowMs());
    return snapshotOf(this.world);
  }

  /** Sets a key state that no call here leads to, such as Creating or Updating. */
  forceState(keyId: string, state: KeyState): void {
    const key = this.world.keys.get(keyId);
    if (key === undefined) throw new Error(`no key ${keyId}`);
    key.state = state;
  }

  /** Disconnecting a custom key store makes its keys unavailable, except those pending deletion. */
  connectStore(storeId: string, connected: boolean): void {
    const store = this.world.customKeyStores.get(storeId);
    if (store === undefined) throw new Error(`no custom key store ${storeId}`);
    store.connected = connected;
    for (const key of this.world.keys.values()) {
      if (key.customKeyStoreId !== storeId) continue;
      if (connected && key.state === "Unavailable") {
        key.state = key.stateWhenAvailable ?? "Enabled";
      } else if (!connected && (key.state === "Enabled" || key.state === "Disabled")) {
        key.stateWhenAvailable = key.state;
        key.state = "Unavailable";
      }
    }
  }

  /** Creates an AWS service's own key (`s3`, `ebs`), and returns its id. */
  addAwsManagedKey(service: string): string {
    const root = { principalArn: `arn:aws:iam::${this.world.account}:root` };
    return addAwsManagedKey(this.#callOf("CreateKey", root), service).keyId;
  }

  /** The keys that the tagging API lists. */
  taggedKeys(): KmsKey[] {
    sweepDeleted(this.world, this.world.clock.nowMs());
    return [...this.world.keys.values()].filter((key) => key.tags.size > 0);
  }

  #callOf(operation: string, caller: Caller): Call {
    return {
      world: this.world,
      operation,
      caller,
      requestId: caller.requestId ?? this.world.random.uuid(),
      nowMs: this.world.clock.nowMs(),
      spend: (quota) => this.#quotas?.spend(quota),
    };
  }

  #run(call: Call, input: unknown): unknown {
    const run = Object.hasOwn(operations, call.operation) ? operations[call.operation] : undefined;
    if (run === undefined) throw new AwsError("UnknownOperationException", "");
    call.spend(call.operation);
    sweepDeleted(this.world, call.nowMs);
    return run(call, input);
  }

  /** At most one of the two events: the errors differ. */
  #report(call: Call, input: unknown, error: unknown): void {
    const attempt = useAttemptOf(call, input, error);
    if (attempt !== undefined) this.onUseAttempt?.(attempt);
    if (this.onRefusedUse === undefined) return;
    const refused = refusedUseOf(call, input, error);
    if (refused !== undefined) this.onRefusedUse(refused);
  }

  #record(call: Call, outcome: string): void {
    this.onCall?.({
      operation: call.operation,
      ...(call.keyId === undefined ? {} : { keyId: call.keyId }),
      principalArn: call.caller.principalArn,
      atMs: call.nowMs,
      outcome,
    });
  }
}
