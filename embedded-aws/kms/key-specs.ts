/**
 * The capabilities of each key spec. Source: "Key spec reference" and "Cryptographic operations" of
 * the AWS KMS Developer Guide, and the CreateKey page of the API reference.
 */
import { AwsError } from "../http/aws-error.ts";

export type KeyUsage =
  | "ENCRYPT_DECRYPT"
  | "SIGN_VERIFY"
  | "GENERATE_VERIFY_MAC"
  | "KEY_AGREEMENT"
  | "ENCAPSULATE_DECAPSULATE";

type SpecTraits = {
  type: "symmetric" | "asymmetric" | "hmac";
  /** The request quota that its cryptographic operations share. */
  quota: "symmetric" | "rsa" | "ecc" | "ml-dsa" | "ml-kem";
  usages: readonly KeyUsage[];
  /** The algorithms by usage; none if the spec is only offered in China or not supported here yet. */
  algorithms: Partial<Record<KeyUsage, readonly string[]>>;
};

const rsaSigning = ["RSASSA_PKCS1_V1_5", "RSASSA_PSS"].flatMap((padding) =>
  ["SHA_256", "SHA_384", "SHA_512"].map((hash) => `${padding}_${hash}`),
);

const rsa: SpecTraits = {
  type: "asymmetric",
  quota: "rsa",
  usages: ["ENCRYPT_DECRYPT", "SIGN_VERIFY"],
  algorithms: {
    ENCRYPT_DECRYPT: ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"],
    SIGN_VERIFY: rsaSigning,
  },
};

const nistCurve = (signing: string): SpecTraits => ({
  type: "asymmetric",
  quota: "ecc",
  usages: ["SIGN_VERIFY", "KEY_AGREEMENT"],
  algorithms: { SIGN_VERIFY: [signing], KEY_AGREEMENT: ["ECDH"] },
});

const signingOnly = (quota: "ecc" | "ml-dsa", algorithms: string[]): SpecTraits => ({
  type: "asymmetric",
  quota,
  usages: ["SIGN_VERIFY"],
  algorithms: { SIGN_VERIFY: algorithms },
});

const encapsulating: SpecTraits = {
  type: "asymmetric",
  quota: "ml-kem",
  usages: ["ENCAPSULATE_DECAPSULATE"],
  algorithms: { ENCAPSULATE_DECAPSULATE: ["ML_KEM"] },
};

const hmac = (hash: string): SpecTraits => ({
  type: "hmac",
  quota: "symmetric",
  usages: ["GENERATE_VERIFY_MAC"],
  algorithms: { GENERATE_VERIFY_MAC: [`HMAC_SHA_${hash}`] },
});

const notOffered = (usages: KeyUsage[]): SpecTraits => ({
  type: "asymmetric",
  quota: "ecc",
  usages,
  algorithms: {},
});

export const keySpecs = {
  SYMMETRIC_DEFAULT: {
    type: "symmetric",
    quota: "symmetric",
    usages: ["ENCRYPT_DECRYPT"],
    algorithms: { ENCRYPT_DECRYPT: ["SYMMETRIC_DEFAULT"] },
  },
  RSA_2048: rsa,
  RSA_3072: rsa,
  RSA_4096: rsa,
  ECC_NIST_P256: nistCurve("ECDSA_SHA_256"),
  ECC_NIST_P384: nistCurve("ECDSA_SHA_384"),
  ECC_NIST_P521: nistCurve("ECDSA_SHA_512"),
  ECC_SECG_P256K1: signingOnly("ecc", ["ECDSA_SHA_256"]),
  ECC_NIST_EDWARDS25519: signingOnly("ecc", ["ED25519_SHA_512", "ED25519_PH_SHA_512"]),
  HMAC_224: hmac("224"),
  HMAC_256: hmac("256"),
  HMAC_384: hmac("384"),
  HMAC_512: hmac("512"),
  ML_DSA_44: signingOnly("ml-dsa", ["ML_DSA_SHAKE_256"]),
  ML_DSA_65: signingOnly("ml-dsa", ["ML_DSA_SHAKE_256"]),
  ML_DSA_87: signingOnly("ml-dsa", ["ML_DSA_SHAKE_256"]),
  SM2: notOffered(["ENCRYPT_DECRYPT", "SIGN_VERIFY", "KEY_AGREEMENT"]),
  ML_KEM_512: encapsulating,
  ML_KEM_768: encapsulating,
  ML_KEM_1024: encapsulating,
} as const satisfies Record<string, SpecTraits>;

export type KeySpec = keyof typeof keySpecs;

export const keySpecNames = Object.keys(keySpecs) as KeySpec[];

export function traitsOf(spec: KeySpec): SpecTraits {
  return keySpecs[spec];
}

/** The algorithms of a key, which DescribeKey lists under a name that depends on its usage. */
export function algorithmsOf(key: { spec: KeySpec; usage: KeyUsage }): readonly string[] {
  return traitsOf(key.spec).algorithms[key.usage] ?? [];
}

export function checkAlgorithm(key: { spec: KeySpec; usage: KeyUsage }, algorithm: string): void {
  if (algorithmsOf(key).includes(algorithm)) return;
  const message = `Algorithm ${algorithm} is incompatible with key spec ${key.spec}.`;
  throw new AwsError("InvalidKeyUsageException", message);
}
