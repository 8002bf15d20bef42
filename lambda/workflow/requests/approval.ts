/** An operator's approval of drain evidence: valid for one version and one observed last use. */
import { describeLastUse } from "../safety/evidence.ts";
import { evidenceOf } from "../safety/destruction.ts";
import { finding } from "../model/findings.ts";
import { requestCommand } from "../model/request-command.ts";
import { fulfil, reject } from "./fulfil.ts";
import { recheckMs } from "../model/limits.ts";
import { rotationOut, versionOf, withRotation, withVersion } from "../model/record.ts";
import { stillToObserve } from "../safety/observations.ts";
import type { Decision, Evidence, Request, Rotation, Scene, StepScene } from "../model/types.ts";

type Approve = Extract<Request, { kind: "approve" }>;

export function isApproved({ approval }: Pick<Rotation, "approval">, evidence: Evidence): boolean {
  if (approval === undefined) return false;
  return approval.override || (approval.evidence !== "" && approval.evidence === evidence.hash);
}

/** keyturn reads the last use again first, and rejects the approval of outdated evidence. */
export function decideApproval(scene: Scene, request: Approve): Decision {
  const { record, context, observed } = scene;
  const { version: number, by } = request;
  const rotation = rotationOut(record, number);
  if (rotation === undefined || rotation.restored !== undefined) {
    return reject(scene, request, `version ${number} is not being retired`);
  }
  const old = versionOf(record, number);
  if (request.override) {
    if (request.confirm !== record.alias) {
      return reject(scene, request, `confirm is ${request.confirm}, not ${record.alias}`);
    }
    if (rotation.urgent !== true) {
      return reject(scene, request, `version ${number} was not declared compromised`);
    }
  } else {
    const first = stillToObserve(observed, [{ kind: "last-use", keyId: old.keyId }]);
    if (first !== undefined) return first;
    const { hash, lastUse } = evidenceOf({ old, observed, context });
    if (hash !== request.evidence) {
      const why = `the evidence is now ${hash}: ${describeLastUse(lastUse)}`;
      return reject(scene, request, why);
    }
  }
  const { evidence, override } = request;
  const approval = { evidence, override, by, atMs: context.nowMs };
  const detail = { evidence, override: String(override) };
  const version = override ? { ...old, overriddenBy: by } : old;
  const next = withRotation(withVersion(record, version), { ...rotation, approval });
  const entry = { rotationId: rotation.id, step: rotation.step, detail };
  return fulfil(scene, request, next, "approved", entry);
}

/** The wait for an approval before the destructive call that `of` names. */
export function approvalRequired(
  { record, old, context }: StepScene,
  evidence: Evidence,
  of: "disable" | "delete",
): Decision {
  const { number, keyId } = old;
  const observed = `to ${of} version ${number}, ${keyId}: last use ${describeLastUse(evidence.lastUse)}; evidence ${evidence.hash}`;
  const next = requestCommand(record.alias, "approve", {
    version: number,
    evidence: evidence.hash,
  });
  const what = finding("APPROVAL_REQUIRED", keyId, observed, next, context.nowMs);
  const untilMs = context.nowMs + 6 * recheckMs;
  return { kind: "wait", untilMs, reason: "an approval", finding: what };
}
