/** Possible KMS requests with the role's rights, the situations of keys, and what is forbidden. */
import { dayMs } from "../fixtures.ts";
import { account, roleArn, roleName } from "./role.ts";

export const owners = { ours: "acme", another: "beta", none: undefined } as const;
export const labels = { plain: undefined, retired: "r1" } as const;
export const states = ["Enabled", "Disabled", "PendingDeletion"] as const;
/** Days since the last use, or since the creation of a key that was never used. */
export const quietDays = [0, 13, 14, 400] as const;

export type Situation = {
  owner: keyof typeof owners;
  label: keyof typeof labels;
  state: (typeof states)[number];
  quietDays: number;
};

/** The minimum requirements of the configuration. */
export type Wanted = {
  quietDays: number;
  windowDays: number | "no deletion";
  mode: "act" | "plan";
};

export type Request = {
  operation: string;
  /** From the key in its situation, and a ciphertext under it. */
  input: (keyId: string, ciphertext: Uint8Array) => object;
  /** Why it must be denied; undefined if it may be allowed. */
  forbidden: (situation: Situation, wanted: Wanted) => string | undefined;
};

const message = Buffer.from("a");

const never = (why: string) => () => why;
const harmless = () => undefined;

function ofOurs(situation: Situation, { mode }: Wanted): string | undefined {
  if (mode === "plan") return "changes nothing in the mode plan";
  return situation.owner === "ours" ? undefined : `changes a key of ${situation.owner}`;
}

function outOfUse(situation: Situation, wanted: Wanted): string | undefined {
  if (situation.label !== "retired") return "disables or deletes a key without the drain label";
  if (situation.quietDays < wanted.quietDays) return "disables or deletes a recently used key";
  return ofOurs(situation, wanted);
}

function onKey(operation: string, forbidden: Request["forbidden"], more: object = {}): Request {
  return { operation, input: (KeyId) => ({ KeyId, ...more }), forbidden };
}

function tagged(tags: Record<string, string>, forbidden: Request["forbidden"]): Request {
  const Tags = Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
  return onKey("TagResource", forbidden, { Tags });
}

function created(tags: Record<string, string>, more: object, why?: string): Request {
  const Tags = Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
  const forbidden: Request["forbidden"] = (_, { mode }) =>
    mode === "plan" ? "creates a key in the mode plan" : why;
  return { operation: "CreateKey", input: () => ({ Tags, ...more }), forbidden };
}

function granted(GranteePrincipal: string, forbidden: Request["forbidden"]): Request {
  return onKey("CreateGrant", forbidden, { GranteePrincipal, Operations: ["Decrypt"] });
}

function scheduled(windowDays: number): Request {
  return onKey(
    "ScheduleKeyDeletion",
    (situation, wanted) => {
      if (wanted.windowDays === "no deletion") return "deletes, and no policy does";
      if (windowDays < wanted.windowDays) return "deletes in less time than the policies require";
      return outOfUse(situation, wanted);
    },
    { PendingWindowInDays: windowDays },
  );
}

/** Enrolment takes ownership of a key without an owner. */
function takesOver(situation: Situation, { mode }: Wanted): string | undefined {
  if (mode === "plan") return "changes nothing in the mode plan";
  return situation.owner === "another" ? "takes another owner's key" : undefined;
}

const uses = "uses a key";
const rewrites = "changes who may use a key, or what it is";

const cryptography: Request[] = [
  onKey("Encrypt", never(uses), { Plaintext: message }),
  {
    operation: "Decrypt",
    input: (KeyId, CiphertextBlob) => ({ KeyId, CiphertextBlob }),
    forbidden: never(uses),
  },
  onKey("GenerateDataKey", never(uses), { KeySpec: "AES_256" }),
  onKey("GenerateDataKeyWithoutPlaintext", never(uses), { KeySpec: "AES_256" }),
  onKey("GenerateDataKeyPair", never(uses), { KeyPairSpec: "ECC_NIST_P256" }),
  onKey("GenerateDataKeyPairWithoutPlaintext", never(uses), { KeyPairSpec: "ECC_NIST_P256" }),
  onKey("Sign", never(uses), { Message: message, SigningAlgorithm: "ECDSA_SHA_256" }),
  onKey("Verify", never(uses), {
    Message: message,
    Signature: message,
    SigningAlgorithm: "ECDSA_SHA_256",
  }),
  onKey("GenerateMac", never(uses), { Message: message, MacAlgorithm: "HMAC_SHA_256" }),
  onKey("VerifyMac", never(uses), { Message: message, Mac: message, MacAlgorithm: "HMAC_SHA_256" }),
];

const reads: Request[] = [
  onKey("DescribeKey", harmless),
  onKey("GetKeyPolicy", harmless),
  onKey("GetKeyRotationStatus", harmless),
  onKey("ListGrants", harmless),
  onKey("ListResourceTags", harmless),
  onKey("ListAliases", harmless),
  onKey("GetKeyLastUsage", ({ owner }) =>
    owner === "ours" ? undefined : "reads the last use of a key of another owner",
  ),
  // keyturn archives the public keys of its own versions.
  onKey("GetPublicKey", ({ owner }) =>
    owner === "ours" ? undefined : "reads the public key of a key of another owner",
  ),
];

const ours = { "keyturn:owner": "acme" };

const changes: Request[] = [
  onKey("EnableKey", ofOurs),
  onKey("CancelKeyDeletion", ofOurs),
  onKey("DisableKey", outOfUse),
  ...[7, 9, 10, 30].map(scheduled),
  tagged({ "keyturn:retired": "r1" }, ofOurs),
  tagged({ "keyturn:retired": "r1", team: "a" }, never("sets tags that are not its own")),
  tagged({ team: "a" }, never("sets tags that are not its own")),
  tagged(ours, takesOver),
  tagged({ ...ours, "keyturn:retired": "r1" }, takesOver),
  // ForAllValues is true for a request without tags.
  tagged({}, never("names no tag")),
  onKey("UntagResource", never("names no tag"), { TagKeys: [] }),
  tagged({ "keyturn:owner": "beta" }, never("gives a key to another owner")),
  onKey("UntagResource", ofOurs, { TagKeys: ["keyturn:retired"] }),
  onKey("UntagResource", ofOurs, { TagKeys: ["keyturn:owner", "keyturn:alias"] }),
  onKey("UntagResource", never("takes tags off that are not its own"), { TagKeys: ["team"] }),
  onKey("UntagResource", never("takes tags off that are not its own"), {
    TagKeys: ["keyturn:retired", "team"],
  }),
  granted(`arn:aws:iam::${account}:role/orders`, ofOurs),
  granted(roleArn, never("grants to itself")),
  granted("dynamodb.amazonaws.com", never("grants to an AWS service")),
  onKey("CreateGrant", never("grants to an AWS service"), {
    GranteeServicePrincipal: "dynamodb.amazonaws.com",
    RetiringPrincipal: `arn:aws:iam::${account}:role/orders`,
    Operations: ["Decrypt"],
    Constraints: { SourceArn: "arn:aws:dynamodb:us-east-1:000000000000:table/t" },
  }),
  granted(`arn:aws:sts::${account}:assumed-role/${roleName}/1`, never("grants to itself")),
  onKey("RevokeGrant", never(rewrites), { GrantId: "1" }),
  onKey("PutKeyPolicy", never(rewrites), { Policy: "{}" }),
  onKey("UpdateKeyDescription", never(rewrites), { Description: "a" }),
  onKey("EnableKeyRotation", never(rewrites)),
  onKey("DisableKeyRotation", never(rewrites)),
  onKey("RotateKeyOnDemand", never(rewrites)),
];

const aliases: Request[] = [
  {
    operation: "UpdateAlias",
    input: (TargetKeyId) => ({ AliasName: "alias/orders", TargetKeyId }),
    forbidden: ofOurs,
  },
  {
    operation: "UpdateAlias",
    input: (TargetKeyId) => ({ AliasName: "alias/unmanaged", TargetKeyId }),
    forbidden: never("moves an alias that is not managed"),
  },
  {
    operation: "CreateAlias",
    input: (TargetKeyId) => ({ AliasName: "alias/new", TargetKeyId }),
    forbidden: never("makes an alias"),
  },
  {
    operation: "DeleteAlias",
    input: () => ({ AliasName: "alias/orders" }),
    forbidden: never("deletes an alias"),
  },
];

const creations: Request[] = [
  created(ours, {}),
  created({ ...ours, team: "a" }, {}),
  created({}, {}, "creates a key without owner"),
  created({ "keyturn:owner": "beta" }, {}, "creates a key of another owner"),
  created(ours, { BypassPolicyLockoutSafetyCheck: true }, "bypasses the lockout safety check"),
];

export const requests = [...cryptography, ...reads, ...changes, ...aliases, ...creations];

export const situations: Situation[] = Object.keys(owners).flatMap((owner) =>
  Object.keys(labels).flatMap((label) =>
    states.flatMap((state) =>
      quietDays.map((days) => ({ owner, label, state, quietDays: days }) as Situation),
    ),
  ),
);

export const oldestMs = 400 * dayMs;
