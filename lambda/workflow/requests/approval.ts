/** An operator's approval of drain evidence: valid for one version and one observed last use. */
import { describeLastUse } from "../safety/evidence.ts";
import { evidenceOf } from "../safety/destruction.ts";
import { showGrants, showStatus } from "../model/commands.ts";
import { finding } from "../model/findings.ts";
import { requestCommand } from "../model/request-command.ts";
import { fulfil, reject } from "./fulfil.ts";
import { recheckMs } from "../model/limits.ts";
import { rotationOut, versionOf, withRotation, withVersion } from "../model/record.ts";
import {
  allNeeds,
  canBeAccepted,
  heldBy,
  listed,
  notAccepted,
  openNeeds,
} from "../safety/needs.ts";
import { accountsIn } from "../safety/other-accounts.ts";
import { stillToObserve, valueOf } from "../safety/observations.ts";
import { readsOfRefusals } from "../safety/refusals.ts";
import { stackOf } from "../safety/version-tags.ts";
import type {
  Decision,
  Destructive,
  Evidence,
  KmsRead,
  Need,
  Request,
  Scene,
  StepScene,
  Version,
} from "../model/types.ts";

type Approve = Extract<Request, { kind: "approve" }>;

/** keyturn reads the last use again first, and rejects the approval of outdated evidence. */
export function decideApproval(scene: Scene, request: Approve): Decision {
  const { record, context, observed } = scene;
  const { version: number, by } = request;
  const rotation = rotationOut(record, number);
  if (rotation === undefined || rotation.restored !== undefined) {
    return reject(scene, request, `version ${number} is not being retired`);
  }
  const old = versionOf(record, number);
  if (old.overriddenBy !== undefined && old.state === "disabled") {
    return reject(scene, request, `version ${number} was disabled on overridden evidence`);
  }
  if (old.state === "pending-deletion") {
    return reject(scene, request, `the deletion of version ${number} is scheduled already`);
  }
  // The evidence of a disabled version stays the same: without `of`, a request that is sent again, or
  // late, would approve the deletion.
  const of: Destructive = old.state === "disabled" ? "delete" : "disable";
  if (request.of !== of) {
    return reject(scene, request, `the next call is ${of}, not ${request.of}`);
  }
  if (request.override) {
    if (request.confirm !== record.alias) {
      return reject(scene, request, `confirm is ${request.confirm}, not ${record.alias}`);
    }
    if (rotation.urgent !== true) {
      return reject(scene, request, `version ${number} was not declared compromised`);
    }
  } else {
    const { keyId } = old;
    const reads: KmsRead[] = [
      { kind: "last-use", keyId },
      { kind: "grants", keyId },
      ...readsOfRefusals(scene),
    ];
    const first = stillToObserve(observed, reads);
    if (first !== undefined) return first;
    const { hash, lastUse } = evidenceOf({ old, observed, context });
    if (hash !== request.evidence) {
      const why = `the evidence is now ${hash}: ${describeLastUse(lastUse)}`;
      return reject(scene, request, why);
    }
    const left = notAccepted(allNeeds(scene, old, rotation, of), request.accepts, context.nowMs);
    if (left.length > 0) {
      const why = `the request does not accept ${left.map(({ id }) => id).join(", ")}`;
      return reject(scene, request, why);
    }
  }
  const { evidence, override } = request;
  const accepts = [...new Set(request.accepts)].sort();
  const approval = { evidence, of, accepts, override, by, atMs: context.nowMs };
  const accepting = accepts.length === 0 ? {} : { accepts: accepts.join(" ") };
  const detail = { evidence, of, override: String(override), ...accepting };
  const version = override ? { ...old, overriddenBy: by } : old;
  const next = withRotation(withVersion(record, version), { ...rotation, approval });
  const entry = { rotationId: rotation.id, step: rotation.step, detail };
  return fulfil(scene, request, next, "approved", entry);
}

/** Needs without any signal in KMS: the approval of a deletion accepts them. */
export const unseenByKms =
  "KMS cannot show backups, snapshots, callers of other accounts or copies of a public key";

/** The wait for an approval before the destructive call that `of` names. */
export function approvalRequired(scene: StepScene, evidence: Evidence, of: Destructive): Decision {
  const { record, rotation, old, context } = scene;
  const { number, keyId } = old;
  const { sharedWith = [] } = rotation;
  const needs = allNeeds(scene, old, rotation, of);
  const stack = stackOf(scene);
  // At an update CloudFormation reads every key of the stack.
  const inStack = stack === undefined ? "" : `; updates of its stack ${stack} then fail`;
  const shared = sharedWith.length === 0 ? "" : `; it allows ${accountsIn(sharedWith)}`;
  const unseen =
    of === "delete" ? `${shared}; ${unseenByKms}${unattributed(scene)}${inStack}` : shared;
  const observed = `to ${of} version ${number}, ${keyId}: last use ${describeLastUse(evidence.lastUse)}${listed(needs)}${unseen}; evidence ${evidence.hash}`;
  const next = approveCommand(record.alias, old, evidence, needs, of);
  const what = finding("APPROVAL_REQUIRED", keyId, observed, next, context.nowMs);
  const untilMs = context.nowMs + 6 * recheckMs;
  return { kind: "wait", untilMs, reason: "an operator must approve", finding: what };
}

/** Refused calls whose event names no key may concern this version, too. */
function unattributed({ observed, record }: StepScene): string {
  const { unattributed: count = 0 } = valueOf(observed["refusals-watch"][record.alias]) ?? {};
  if (count === 0) return "";
  return `; CloudTrail has ${count} refused ${count === 1 ? "call that names" : "calls that name"} no key`;
}

/** A resource with a grant may need the version after any quiet time. */
export function heldByGrants(scene: StepScene, evidence: Evidence): Decision | undefined {
  const { record, rotation, old, context } = scene;
  if (rotation.approval?.override === true) return undefined;
  // A later use voids the approval, and with it what the approval accepts.
  const isCurrent = rotation.approval?.evidence === evidence.hash;
  const all = allNeeds(scene, old, rotation, "disable");
  const needs = isCurrent ? openNeeds(scene, old, rotation, "disable") : all;
  if (needs.length === 0) return undefined;
  const observed = `${heldBy(old, needs)}; evidence ${evidence.hash}`;
  const next = approveCommand(record.alias, old, evidence, all, "disable");
  const what = finding("GRANT_HOLDS_OLD_VERSION", old.keyId, observed, next, context.nowMs);
  const untilMs = context.nowMs + 6 * recheckMs;
  return { kind: "wait", untilMs, reason: "a grant holds the version", finding: what };
}

/** The command that approves this call, and accepts these needs. */
export function approveCommand(
  alias: string,
  { number, keyId }: Version,
  evidence: Evidence,
  needs: Need[],
  of: Destructive,
): string {
  if (!canBeAccepted(needs)) return of === "delete" ? showStatus(alias) : showGrants(keyId);
  const accepting = needs.length === 0 ? {} : { accept: needs.map(({ id }) => id).join(",") };
  return requestCommand(alias, "approve", {
    version: number,
    ...(of === "delete" ? { of } : {}),
    evidence: evidence.hash,
    ...accepting,
  });
}
