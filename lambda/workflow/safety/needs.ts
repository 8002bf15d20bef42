/**
 * Who needs a retired version without using it: a resource of an AWS service holds a grant, and its
 * service calls KMS only at attach, start or restore ("Determine past usage of a KMS key" in the KMS
 * Developer Guide warns of EBS). Each need has an id, by which an operator accepts it.
 */
import { serviceOf } from "../model/principals.ts";
import type {
  Destructive,
  Evidence,
  Grant,
  Need,
  Rotation,
  Scene,
  Version,
} from "../model/types.ts";
import { valueOf } from "./observations.ts";
import { encoded, needsOfRefusals } from "./refusals.ts";

/** A finding lists no more needs than this: a record has to hold its text. */
const needsMax = 20;
/** All further ones: no finding lists what it stands for. */
const others = "grants:others";

/** The operations of a grant that read what exists, or that let a service make such a grant. */
const needing = new Set([
  "CreateGrant",
  "Decapsulate",
  "Decrypt",
  "DeriveSharedSecret",
  "ReEncryptFrom",
  "Verify",
  "VerifyMac",
]);

/** The needs that these grants show: twenty, and one for all others. */
export function needsOf(grants: Grant[]): Need[] {
  const needs = grants
    .filter((grant) => serviceOf(grant) !== undefined)
    .filter(({ operations }) => operations.some((operation) => needing.has(operation)))
    .map((grant) => ({ id: `grant:${grant.grantId}`, state: describe(grant) }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  if (needs.length <= needsMax) return needs;
  const more = needs.length - needsMax;
  const state = `${more} more grants of AWS services, which no approval accepts`;
  return [...needs.slice(0, needsMax), { id: others, state, changedAtMs: Infinity }];
}

/**
 * Without the values of an encryption context: they may be personal data. Encoded: the maker of a grant chooses these
 * texts, and must not write the id of another need.
 */
function describe({ grantee, constraints = {}, operations }: Grant): string {
  const { sourceArn, encryptionContextEquals, encryptionContextSubset } = constraints;
  const names = Object.keys({ ...encryptionContextEquals, ...encryptionContextSubset });
  const context =
    names.length === 0 ? "" : ` (encryption context keys: ${names.sort().map(encoded).join(", ")})`;
  const source = sourceArn === undefined ? "" : ` for ${encoded(sourceArn)}`;
  return `${encoded(grantee)}${source} may ${operations.join(", ")}${context}`;
}

/** Everything that needs a version before this call. Its grants and refusals were observed before. */
export function allNeeds(
  scene: Pick<Scene, "record" | "observed" | "context">,
  old: Version,
  rotation: Rotation,
  of: Destructive,
): Need[] {
  const grants = needsOf(valueOf(scene.observed.grants[old.keyId]) ?? []);
  // Refused callers lose nothing more by a DisableKey, which a restore undoes.
  return of === "disable" ? grants : [...grants, ...needsOfRefusals(scene, old, rotation)];
}

/** Refused uses that the approval of the deletion does not accept. */
export function openRefusals(
  scene: Pick<Scene, "record" | "observed" | "context">,
  old: Version,
  rotation: Rotation,
): Need[] {
  const { accepts = [], atMs = 0 } = rotation.approval ?? {};
  return notAccepted(needsOfRefusals(scene, old, rotation), accepts, atMs);
}

/** Those that this approval does not accept for this call. */
export function openNeeds(
  scene: Pick<Scene, "record" | "observed" | "context">,
  old: Version,
  rotation: Rotation,
  of: Destructive,
): Need[] {
  const { approval } = rotation;
  const needs = allNeeds(scene, old, rotation, of);
  if (approval === undefined || !serves(approval.of, of)) return needs;
  return notAccepted(needs, approval.accepts, approval.atMs);
}

/** How a finding lists needs after what it observed. */
export function listed(needs: Need[]): string {
  return needs.map((need) => `; ${describeNeed(need)}`).join("");
}

/** The state of a version that these needs hold. */
export function heldBy({ number, keyId }: Version, needs: Need[]): string {
  return `version ${number}, ${keyId}, is held by ${needs.map(describeNeed).join("; ")}`;
}

function describeNeed({ id, state }: Need): string {
  return `${id}: ${state}`;
}

/** Those that an approval of this time does not accept. */
export function notAccepted(needs: Need[], accepts: string[], atMs: number): Need[] {
  return needs.filter(({ id, changedAtMs = 0 }) => changedAtMs > atMs || !accepts.includes(id));
}

/** Whether an approval can accept all of these. */
export function canBeAccepted(needs: Need[]): boolean {
  return needs.every(({ changedAtMs }) => changedAtMs !== Infinity);
}

/** An approval given before DisableKey never serves for a deletion. */
function serves(given: Destructive, wanted: Destructive): boolean {
  return given === "delete" || wanted === "disable";
}

/** Whether an operator approved of this evidence for this call. An override serves DisableKey only. */
export function isApproved(
  { approval }: Pick<Rotation, "approval">,
  evidence: Evidence,
  of: Destructive,
): boolean {
  if (approval === undefined || !serves(approval.of, of)) return false;
  if (approval.override) return of === "disable";
  return approval.evidence !== "" && approval.evidence === evidence.hash;
}
