/**
 * Asymmetric keys: who holds the public key encrypts, encapsulates, agrees or verifies without KMS, and
 * no signal shows it. So what such a key made is kept readable, and signatures stay verifiable.
 */
import { withVersion } from "../model/record.ts";
import type { Decision, KeyShape, Policy, Scene, Version } from "../model/types.ts";
import { mayStillLag, valueOf } from "./observations.ts";

export function isAsymmetric({ spec }: KeyShape): boolean {
  return spec !== "SYMMETRIC_DEFAULT" && !spec.startsWith("HMAC_");
}

/** A caller with the old public key gets another secret than KMS, and neither reports an error. */
export function failsSilently({ usage }: KeyShape): boolean {
  return usage === "KEY_AGREEMENT" || usage === "ENCAPSULATE_DECAPSULATE";
}

/**
 * Why a version of this kind is never deleted, whatever its policy says; undefined where it may be.
 * A signature can be verified without KMS by the archived public key.
 */
export function whyKept({ shape, publicKey }: Version): string | undefined {
  if (!isAsymmetric(shape)) return undefined;
  if (shape.usage !== "SIGN_VERIFY") {
    return "callers may still use its public key, and only this version has the private key";
  }
  return publicKey === undefined ? "its public key could not be archived" : undefined;
}

/** What becomes of a retired version. */
export function retiredAs({ retire }: Policy, version: Version): Policy["retire"] {
  return retire === "delete" && whyKept(version) !== undefined ? "disable" : retire;
}

/** Archives the public key while the version is Enabled; KMS may refuse it of a disabled one. */
export function archive(
  { record, observed, context }: Scene,
  version: Version,
): Decision | undefined {
  const { number, keyId, shape, publicKey } = version;
  if (!isAsymmetric(shape) || publicKey !== undefined) return undefined;
  const observation = observed["public-key"][keyId];
  if (observation === undefined) {
    return { kind: "observe", reads: [{ kind: "public-key", keyId }] };
  }
  const lag = observation.kind === "denied" ? mayStillLag(record, context.nowMs) : undefined;
  if (lag !== undefined) return lag;
  // Without the right to read it, the version is only kept longer: nothing waits for it.
  const found = valueOf(observation);
  if (found === undefined) return undefined;
  return {
    kind: "change",
    next: withVersion(record, { ...version, publicKey: found }),
    entry: {
      event: "public-key-archived",
      reason: "archived while the version is Enabled",
      // The journal outlives the version: its line is the archive.
      detail: { version: number, keyId, spec: shape.spec, publicKey: found },
    },
  };
}
