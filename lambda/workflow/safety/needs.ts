/**
 * Who needs a retired version without using it: a resource of an AWS service holds a grant, and its
 * service calls KMS only at attach, start or restore ("Determine past usage of a KMS key" in the KMS
 * Developer Guide warns of EBS). Each need has an id, by which an operator accepts it.
 */
import { serviceOf } from "../model/service-principal.ts";
import type { Destructive, Evidence, Grant, Rotation, Scene, Version } from "../model/types.ts";
import { valueOf } from "./observations.ts";

export type Need = { id: string; state: string };

/** A finding lists no more needs than this: a record has to hold its text. */
const needsMax = 20;
/** All further ones. No approval accepts it: no finding lists what it stands for. */
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
  return [...needs.slice(0, needsMax), { id: others, state }];
}

/** Without the values of an encryption context: they may be personal data. */
function describe({ grantee, constraints = {}, operations }: Grant): string {
  const { sourceArn, encryptionContextEquals, encryptionContextSubset } = constraints;
  const names = Object.keys({ ...encryptionContextEquals, ...encryptionContextSubset });
  const context =
    names.length === 0 ? "" : ` (encryption context keys: ${names.sort().join(", ")})`;
  const source = sourceArn === undefined ? "" : ` for ${sourceArn}`;
  return `${grantee}${source} may ${operations.join(", ")}${context}`;
}

/** The needs of a version that no approval accepts for this call. Its grants were observed before. */
export function openNeeds(
  { observed }: Pick<Scene, "observed">,
  { keyId }: Pick<Version, "keyId">,
  { approval }: Pick<Rotation, "approval">,
  of: Destructive,
): Need[] {
  const accepted = approval === undefined || !serves(approval.of, of) ? [] : approval.accepts;
  return notAccepted(needsOf(valueOf(observed.grants[keyId]) ?? []), accepted);
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

export function notAccepted(needs: Need[], accepts: string[]): Need[] {
  return needs.filter(({ id }) => id === others || !accepts.includes(id));
}

/** Whether an approval can accept all of these. */
export function canBeAccepted(needs: Need[]): boolean {
  return needs.every(({ id }) => id !== others);
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
