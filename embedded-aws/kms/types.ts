/** What the KMS twin keeps: keys, aliases, grants, and the world that its operations share. */
import type { IdentityPolicies } from "../iam/identity-policies.ts";
import type { SimRandom } from "../random.ts";
import type { Cryptography, Material } from "./cryptography.ts";
import type { KeySpec, KeyUsage } from "./key-specs.ts";
import type { PolicyDocument } from "./policy-document.ts";

export type KeyState =
  | "Creating"
  | "Enabled"
  | "Disabled"
  | "PendingDeletion"
  | "PendingImport"
  | "PendingReplicaDeletion"
  | "Unavailable"
  | "Updating";

export type Origin = "AWS_KMS" | "EXTERNAL" | "AWS_CLOUDHSM" | "EXTERNAL_KEY_STORE";

export type Caller = {
  principalArn: string;
  /** The id that the answer carries, where somebody has chosen one. */
  requestId?: string;
};

export type KeyMaterial = {
  id: string;
  /** Made at the first use: an RSA key takes long to find, and most keys of a test are never used. */
  made?: Material;
  rotation?: { atMs: number; type: "AUTOMATIC" | "ON_DEMAND" };
};

export type AutomaticRotation = { periodDays: number; nextMs: number };

export type Use = { operation: string; atMs: number; eventId: string; requestId: string };

export type Grant = {
  grantId: string;
  name?: string;
  grantee: string;
  retiring?: string;
  operations: string[];
  constraints?: GrantConstraints;
  createdAtMs: number;
};

export type GrantConstraints = {
  EncryptionContextEquals?: Record<string, string>;
  EncryptionContextSubset?: Record<string, string>;
};

export type KmsKey = {
  readonly keyId: string;
  readonly arn: string;
  /** Grows from key to key: the order in which ListKeys names them. */
  readonly sequence: number;
  readonly spec: KeySpec;
  readonly usage: KeyUsage;
  readonly origin: Origin;
  readonly manager: "AWS" | "CUSTOMER";
  readonly multiRegion: boolean;
  readonly customKeyStoreId?: string;
  readonly xksKeyId?: string;
  readonly createdAtMs: number;
  state: KeyState;
  /** What an unavailable key becomes once its custom key store is connected again. */
  stateWhenAvailable?: "Enabled" | "Disabled";
  description: string;
  deletionAtMs?: number;
  /** When it was last enabled again: a rotation that fell due before happens then. */
  enabledAtMs?: number;
  policy: { text: string; document: PolicyDocument };
  readonly tags: Map<string, string>;
  readonly aliasNames: Set<string>;
  readonly grants: Map<string, Grant>;
  /** Oldest first; the last one is current. Empty where nothing was ever imported. */
  readonly materials: KeyMaterial[];
  automaticRotation?: AutomaticRotation;
  /** Oldest first: the newest visible use, then those that still hide behind the lag. */
  uses: Use[];
};

export type Alias = {
  readonly name: string;
  readonly arn: string;
  keyId: string;
  readonly createdAtMs: number;
  updatedAtMs: number;
};

export type CustomKeyStore = {
  id: string;
  type: "AWS_CLOUDHSM" | "EXTERNAL_KEY_STORE";
  connected: boolean;
  cloudHsmClusterId?: string;
};

export type World = {
  readonly account: string;
  readonly region: string;
  readonly clock: { nowMs(): number };
  readonly random: SimRandom;
  readonly cryptography: Cryptography;
  readonly lastUsageLagMs: number;
  readonly trackingStartMs: number;
  readonly keyQuota: number;
  readonly keys: Map<string, KmsKey>;
  readonly pendingDeletion: Set<KmsKey>;
  /** How many keys were ever made, and how many of those that exist are AWS's own. */
  keysMade: number;
  awsManagedKeys: number;
  readonly aliases: Map<string, Alias>;
  /** The aliases in the order in which ListAliases names them; undefined when that has changed. */
  aliasOrder: Alias[] | undefined;
  readonly identityPolicies: IdentityPolicies;
  readonly customKeyStores: Map<string, CustomKeyStore>;
  /** Every grant token that CreateGrant ever answered, and the grant it stands for. */
  readonly grantTokens: Map<string, { keyId: string; grantId: string }>;
};

/** One request on its way through an operation. */
export type Call = {
  readonly world: World;
  readonly operation: string;
  readonly caller: Caller;
  readonly requestId: string;
  readonly nowMs: number;
  /** Spends from a request quota that depends on the key (the cryptographic ones). */
  readonly spend: (quota: string) => void;
  /** The key that the request turned out to be about, for the record of calls. */
  keyId?: string;
};
