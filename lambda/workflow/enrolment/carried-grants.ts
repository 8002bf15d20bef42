/** Which grants of a version keyturn copies to the next one, and which it cannot copy. */
import { showGrants } from "../model/commands.ts";
import { finding, type Finding } from "../model/findings.ts";
import { isDeletedPrincipal, isMadeByService } from "../model/principals.ts";
import type { Grant, GrantCopy } from "../model/types.ts";

/** The prefix of the names that keyturn gives to its copies of grants without a name. */
const ourGrantNames = "keyturn-";

/** The most grants that a finding or the record names. */
const namedMax = 20;

/** AWS services make grants for their own resources, and a deleted principal needs none. */
export function grantsToCopy(grants: Grant[]): Grant[] {
  return grants.filter((grant) => !isMadeByService(grant) && deletedIn(grant) === undefined);
}

/** The grants that keyturn leaves out, each as `<grant id>: <deleted principal>`; at most twenty. */
export function grantsLeftOut(grants: Grant[]): string[] {
  const left = grants
    .filter((grant) => !isMadeByService(grant))
    .flatMap((grant) => {
      const deleted = deletedIn(grant);
      return deleted === undefined ? [] : [`${grant.grantId}: ${deleted}`];
    });
  return atMost(left);
}

/** Why keyturn cannot copy all of these; undefined where it can. */
export function whyGrantsNotCarried(
  keyId: string,
  wanted: Grant[],
  nowMs: number,
): Finding | undefined {
  const unknown = wanted.flatMap(({ grantId, notUnderstood }) =>
    notUnderstood === undefined ? [] : [`${grantId}: ${Object.keys(notUnderstood).join(", ")}`],
  );
  if (unknown.length === 0) return undefined;
  const observed = `keyturn does not know these members of grants: ${atMost(unknown).join("; ")}`;
  return finding("GRANT_NOT_UNDERSTOOD", keyId, observed, showGrants(keyId), nowMs);
}

/**
 * The copy of a grant. One without a name gets one: KMS creates a grant with the same name and terms
 * only once, even when the call is repeated (API reference, CreateGrant), and a listing may lag for
 * minutes.
 */
export function copyOf({ grantId, name, grantee, retiring, ...terms }: Grant): GrantCopy {
  const { operations, constraints } = terms;
  return {
    name: name ?? `${ourGrantNames}${grantId.slice(0, 32)}`,
    grantee,
    ...(retiring === undefined ? {} : { retiring }),
    operations,
    ...(constraints === undefined ? {} : { constraints }),
  };
}

/** The terms of a grant, without its id: what it permits, and to which principals. */
export function grantTerms(grant: Grant): string {
  const sorted = (pairs: Record<string, string> | undefined): [string, string][] =>
    Object.entries(pairs ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([
    grant.name?.startsWith(ourGrantNames) ? "" : (grant.name ?? ""),
    grant.grantee,
    grant.retiring ?? "",
    grant.constraints?.sourceArn ?? "",
    [...grant.operations].sort(),
    sorted(grant.constraints?.encryptionContextEquals),
    sorted(grant.constraints?.encryptionContextSubset),
    sorted(grant.notUnderstood),
  ]);
}

function deletedIn({ grantee, retiring = "" }: Grant): string | undefined {
  return [grantee, retiring].find(isDeletedPrincipal);
}

function atMost(lines: string[]): string[] {
  const more = lines.length - namedMax;
  return more <= 0 ? lines : [...lines.slice(0, namedMax), `${more} more`];
}
