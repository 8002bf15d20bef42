/**
 * Reads from a finding what an operator would approve: the texts that `approval.ts` and
 * `revoke/quiet.ts` write. Commands and simulated operators use it; the function does not.
 */
import type { Finding, FindingCode } from "../model/findings.ts";
import type { Destructive } from "../model/types.ts";

/** `accepts`: the ids of the needs that the finding lists. */
export type RequiredApproval = { of: Destructive; evidence: string; accepts: string[] };

const codes: FindingCode[] = [
  "APPROVAL_REQUIRED",
  "GRANT_HOLDS_OLD_VERSION",
  "ORIGINATED_AFTER_ACTIVATION",
];

/** Each id begins an item of a list, the first one perhaps after "is held by", and a colon ends it. */
const idsInText = /(?<=; |is held by )(?:grant:[0-9a-zA-Z]+|refused:[^\s;,]+)(?=: )/g;

/** Undefined where the finding asks for no approval, or does not have the evidence yet. */
export function requiredApproval({
  code,
  observed,
}: Pick<Finding, "code" | "observed">): RequiredApproval | undefined {
  const [, evidence] = /; evidence ([0-9a-f]{64})$/.exec(observed) ?? [];
  if (!codes.includes(code) || evidence === undefined) return undefined;
  const of = observed.startsWith("to delete ") ? "delete" : "disable";
  return { of, evidence, accepts: observed.match(idsInText) ?? [] };
}
