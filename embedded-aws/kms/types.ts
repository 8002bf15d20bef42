/** The KMS twin's state: keys, aliases, grants, and the world that its operations share. */
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
  /** The resource on whose behalf a service calls: `aws:SourceArn`. */
  sourceArn?: string;
  /** The request id of the answer, if the caller chose one. */
  requestId?: string;
};

export type KeyMaterial = {
  id: string;
  /** Made at first use: an RSA key takes long to generate, and tests never use most keys. */
  made?: Material;
  rotation?: { atMs: number; type: "AUTOMATIC" | "ON_DEMAND" };
};

export type AutomaticRotation = { periodDays: number; nextMs: number };

export type Use = { operation: string; atMs: number; eventId: string; requestId: string };

/**
 * Whether GetPublicKey of a disabled key is answered is unsettled: the guide of 2022 and the SDK say no,
 * the table of states says yes. The account of a test has it either way.
 */
export type PublicKeyOfDisabled = "given" | "refused";

export type Grant = {
  grantId: string;
  name?: string;
  /** A principal, or the name of a service where `granteeIsService`. */
  grantee: string;
  granteeIsService?: true;
  retiring?: string;
  retiringIsService?: true;
  operations: string[];
  constraints?: GrantConstraints;
  createdAtMs: number;
};

export type GrantConstraints = {
  EncryptionContextEquals?: Record<string, string>;
  EncryptionContextSubset?: Record<string, string>;
  SourceArn?: string;
};

export type KmsKey = {
  readonly keyId: string;
  readonly arn: string;
  /** Increases from key to key: the order of ListKeys. */
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
  /** The state of an unavailable key after its custom key store is connected again. */
  stateWhenAvailable?: "Enabled" | "Disabled";
  description: string;
  deletionAtMs?: number;
  /** The time at which it was last enabled again: an overdue rotation happens then. */
  enabledAtMs?: number;
  policy: { text: string; document: PolicyDocument };
  readonly tags: Map<string, string>;
  readonly aliasNames: Set<string>;
  readonly grants: Map<string, Grant>;
  /** Oldest first; the last one is current. Empty if nothing was imported. */
  readonly materials: KeyMaterial[];
  automaticRotation?: AutomaticRotation;
  /** Oldest first: the newest visible use, then those not yet visible because of the lag. */
  uses: Use[];
};

export type Alias = {
  readonly name: string;
  readonly arn: string;
  keyId: string;
  readonly createdAtMs: number;
  updatedAtMs: number;
};

/** KMS makes its key when a service first needs it, or when somebody asks for it by DescribeKey. */
export type PredefinedAlias = { readonly name: string; readonly arn: string };

export type CustomKeyStore = {
  id: string;
  type: "AWS_CLOUDHSM" | "EXTERNAL_KEY_STORE";
  connected: boolean;
  cloudHsmClusterId?: string;
};

/**
 * A change of a tag or an alias reaches authorization up to five minutes late ("ABAC for AWS KMS" in the
 * AWS KMS Developer Guide). The lock-out check of CreateKey asks for a key that is not in the world yet.
 */
export type AuthorizedBy = (
  key: KmsKey,
  caller: Caller,
) => { aliasNames: Iterable<string>; tags: Iterable<[string, string]> };

export type World = {
  readonly account: string;
  readonly region: string;
  readonly clock: { nowMs(): number };
  readonly random: SimRandom;
  readonly cryptography: Cryptography;
  readonly lastUsageLagMs: number;
  /**
   * KMS's times are in milliseconds. The one example of GetKeyLastUsage has a whole second: no public source settles
   * this one, and a world has it either way.
   */
  readonly lastUsePrecisionMs: 1 | 1000;
  readonly trackingStartMs: number;
  readonly keyQuota: number;
  readonly publicKeyOfDisabled: PublicKeyOfDisabled;
  readonly keys: Map<string, KmsKey>;
  readonly pendingDeletion: Set<KmsKey>;
  /** The number of keys ever created, and of existing AWS managed keys. */
  keysMade: number;
  awsManagedKeys: number;
  readonly aliases: Map<string, Alias>;
  /** Aliases of AWS services for which KMS made no key yet: "predefined aliases" in ListAliases. */
  readonly predefinedAliases: Set<string>;
  /** The aliases in the order of ListAliases; undefined after a change. */
  aliasOrder: (Alias | PredefinedAlias)[] | undefined;
  readonly identityPolicies: IdentityPolicies;
  /** The tags and aliases by which a caller is authorized. Undefined: those that the key has now. */
  authorizedBy?: AuthorizedBy | undefined;
  readonly customKeyStores: Map<string, CustomKeyStore>;
  /**
   * The unique ids by which KMS shows principals that IAM deleted, or made less than about a minute ago. CreateGrant
   * does not know such a principal.
   */
  readonly unknownPrincipals: Map<string, string>;
  /** Every grant token that CreateGrant returned, with its grant. */
  readonly grantTokens: Map<string, { keyId: string; grantId: string }>;
};

/** One request during its operation. */
export type Call = {
  readonly world: World;
  readonly operation: string;
  readonly caller: Caller;
  readonly requestId: string;
  readonly nowMs: number;
  /** Uses a request quota that depends on the key (for cryptographic operations). */
  readonly spend: (quota: string) => void;
  /** The key of the request, for the record of calls. */
  keyId?: string;
};
