/**
 * The others without the callers that the configuration accepts. They have nothing but a name, and only a hash of each
 * acceptance shows whether it is theirs; pure.
 */
import { nameOf } from "../record/use-name.ts";
import { refusedErrors, refusedOperations } from "../workflow/model/refusals.ts";
import type { AcceptedRefusal, OtherRefusals, Refusals } from "../workflow/model/types.ts";

export function withoutAccepted(refusals: Refusals, accepted: AcceptedRefusal[]): Refusals {
  const hasOthers = Object.values(refusals.on).some(({ others }) => others !== undefined);
  if (!hasOthers || accepted.length === 0) return refusals;
  const names = new Set(accepted.flatMap(namesOf));
  const on = Object.entries(refusals.on).map(([subject, { uses, others }]) => {
    const left = others === undefined ? undefined : withoutNames(others, names);
    return [subject, left === undefined ? { uses } : { uses, others: left }] as const;
  });
  return { ...refusals, on: Object.fromEntries(on) };
}

/** Those without a name stay: nobody knows who they are. */
function withoutNames(others: OtherRefusals, names: Set<string>): OtherRefusals | undefined {
  const all = Object.entries(others.known);
  const left = all.filter(([name]) => !names.has(name));
  if (left.length === all.length) return others;
  const known = Object.fromEntries(left);
  if (others.isFull === true) return { ...others, known };
  if (left.length === 0) return undefined;
  return { ...others, known, lastAtMs: Math.max(...left.map(([, [, lastAtMs]]) => lastAtMs)) };
}

/** An operator copies the principal from a finding, which shows it encoded. */
function namesOf({ principal, operation, error }: AcceptedRefusal): string[] {
  const operations = operation === "*" ? [...refusedOperations] : [operation];
  const errors = error === "*" ? [...refusedErrors] : [error];
  return [principal, decoded(principal)].flatMap((who) =>
    operations.flatMap((what) => errors.map((why) => nameOf(who, what, why))),
  );
}

function decoded(principal: string): string {
  try {
    return decodeURIComponent(principal);
  } catch {
    return principal;
  }
}
