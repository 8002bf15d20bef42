/**
 * The refusals of a version that the move to it cannot have caused: its key policy alone denies them, that policy
 * is the predecessor's, and nothing in it depends on the version.
 */
import { activeVersion } from "../model/record.ts";
import { isServicePrincipal } from "../model/principals.ts";
import type { Grant, KmsRead, RefusedUse, Scene, Version } from "../model/types.ts";
import { observationOf, valueOf } from "./observations.ts";

type Observed = Pick<Scene, "record" | "observed">;

/** The version that the active one replaced: of those that were active, the one retired last. */
export function predecessorOf({ versions }: Scene["record"]): Version | undefined {
  return versions
    .filter(({ activatedAtMs, retiredAtMs }) => ![activatedAtMs, retiredAtMs].includes(undefined))
    .sort((a, b) => (a.retiredAtMs ?? 0) - (b.retiredAtMs ?? 0))
    .at(-1);
}

/** The version that this one replaced, active or retired since. */
export function versionBefore(record: Scene["record"], version: Version): Version | undefined {
  if (version.state === "pending-activation") return activeVersion(record);
  if (version.retiredAtMs === undefined) return predecessorOf(record);
  const { activatedAtMs = 0 } = version;
  const earlier = record.versions.filter(
    ({ activatedAtMs: atMs }) => atMs !== undefined && atMs < activatedAtMs,
  );
  return predecessorOf({ ...record, versions: earlier });
}

/** Only where one of the refusals of this version may be excused. */
export function readsOfExcuse(scene: Observed, version: Version, uses: RefusedUse[]): KmsRead[] {
  const { record, observed } = scene;
  const before = versionBefore(record, version);
  if (before === undefined) return [];
  if (!uses.some(({ byKeyPolicy }) => byKeyPolicy === true)) return [];
  const reads: KmsRead[] = [
    { kind: "policy", keyId: version.keyId },
    { kind: "policy", keyId: before.keyId },
    { kind: "grants", keyId: before.keyId },
  ];
  return reads.filter((read) => observationOf(observed, read) === undefined);
}

export function excused(
  { record, observed }: Observed,
  version: Version,
  use: RefusedUse,
): boolean {
  const before = versionBefore(record, version);
  if (use.byKeyPolicy !== true || before === undefined) return false;
  const now = valueOf(observed.policy[version.keyId]);
  const then = valueOf(observed.policy[before.keyId]);
  const grants = valueOf(observed.grants[before.keyId]);
  if (now === undefined || then === undefined || grants === undefined) return false;
  const dependsOnVersion =
    /kms:(?:ResourceAliases|RequestAlias)/i.test(now.document) ||
    record.versions.some(({ keyId }) => now.document.includes(keyId));
  const hadGrant = grants.some((grant) => mayBeFor(grant, use.principal));
  return now.hash === then.hash && !dependsOnVersion && !hadGrant;
}

/** KMS shows a role that is deleted, or was just made, by an id alone: it may be anybody. */
function mayBeFor({ grantee, granteeIsService }: Grant, principal: string): boolean {
  if (callerOf(grantee) === callerOf(principal)) return true;
  const [arn, , , , account, resource] = grantee.split(":");
  const wholeAccount = arn === "arn" && resource === "root" ? account : grantee;
  const isAccount = /^[0-9]{12}$/.test(wholeAccount ?? "");
  const isSameAccount = principal.split(":")[4] === account;
  // The principal of a federated user is the user who made the session.
  if (resource?.startsWith("federated-user/") === true) return isSameAccount;
  if (isAccount) return principal.split(":")[4] === wholeAccount;
  return arn !== "arn" && granteeIsService !== true && !isServicePrincipal(grantee);
}

/** Equal for a role, by its path or without, and for its sessions. */
function callerOf(principal: string): string {
  const [, , service, , account, resource = ""] = principal.split(":");
  const names = resource.split("/");
  if (service === "sts" && names[0] === "assumed-role") return `${account} role ${names[1]}`;
  if (service === "iam" && names[0] === "role") return `${account} role ${names.at(-1)}`;
  return principal;
}
