/**
 * KMS's own rotation of key material (EnableKeyRotation). keyturn replaces keys: a new key has it off, and the role may
 * not enable it. keyturn reports that before it creates the new key.
 */
import { without } from "../model/record.ts";
import { valueOf } from "../safety/observations.ts";
import type { Key, KmsRead, ObservedState, Version } from "../model/types.ts";

/** KMS rotates the material of such keys alone (API reference, EnableKeyRotation). */
export function readsOfAutoRotation({ keyId, spec, origin }: Key): KmsRead[] {
  const canRotate = spec === "SYMMETRIC_DEFAULT" && origin === "AWS_KMS";
  return canRotate ? [{ kind: "auto-rotation", keyId }] : [];
}

/** The version with KMS's answer. Where KMS gave none, as to a role without the right, it stays as it was. */
export function withAutoRotation(version: Version, observed: ObservedState): Version {
  const answer = valueOf(observed["auto-rotation"][version.keyId]);
  if (answer === undefined) return version;
  return { ...without(version, "autoRotation"), ...(answer ? { autoRotation: true } : {}) };
}
