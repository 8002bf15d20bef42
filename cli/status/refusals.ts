/** The refused uses of a managed key, and who accepted them; pure. */
import { acceptedOf } from "../../lambda/configuration/patterns.ts";
import { byAlias } from "../../lambda/workflow/model/refusals.ts";
import type {
  AcceptedRefusal,
  ManagedKey,
  Refusals,
  RefusalsWatch,
} from "../../lambda/workflow/model/types.ts";
import { isCollected, type KnownRefusals } from "../forecast/refusals.ts";
import { idOf, idOfOthers, isAccepted, settledAt } from "../../lambda/workflow/safety/refusals.ts";

/** Those without an id of their own. */
export const furtherUses = "further uses beyond the first twenty";

type Times = { firstAtMs: number; lastAtMs: number; count: number };

export type RefusedUseView = Times & {
  id: string;
  /** The version that refused it; undefined where the call named the alias for data of another version. */
  version: number | undefined;
  /** Undefined: the uses beyond the first twenty, together. */
  call: { principal: string; operation: string; error: string } | undefined;
  acceptedBy: "configuration" | "approval" | undefined;
};

export type RefusalsView = {
  /** Whether the deployment collects them; undefined where the table does not show it. */
  isCollected: boolean | undefined;
  /** Since when without a gap, and the last proof of it. */
  collectedSinceMs: number | undefined;
  heardAtMs: number | undefined;
  /** Refused calls of the account whose event names no key. */
  unattributed: number;
  uses: RefusedUseView[];
  /** The standing acceptances of the applied configuration; undefined where it is not known. */
  accepted: AcceptedRefusal[] | undefined;
};

export function refusalsView(
  record: ManagedKey,
  { refusals, watch, configuration }: KnownRefusals,
): RefusalsView {
  const { acceptedRefusals } = configuration ?? {};
  const accepted =
    acceptedRefusals === undefined ? undefined : acceptedOf({ acceptedRefusals }, record.alias);
  return {
    isCollected: isCollected({ configuration, watch }),
    ...provenBy(watch, record),
    unattributed: watch?.unattributed ?? 0,
    uses: [...record.versions, undefined]
      .flatMap((version) => usesOn(record, refusals, version, accepted ?? []))
      .sort(byVersionAndTime),
    accepted,
  };
}

/** Before the first canary, nothing proves that events arrive. */
function provenBy(
  watch: RefusalsWatch | undefined,
  { collectedFromMs = 0 }: ManagedKey,
): Pick<RefusalsView, "collectedSinceMs" | "heardAtMs"> {
  if (watch === undefined || watch.heardAtMs === 0) {
    return { collectedSinceMs: undefined, heardAtMs: undefined };
  }
  const { sinceMs, heardAtMs } = watch;
  return { collectedSinceMs: Math.max(sinceMs, collectedFromMs), heardAtMs };
}

function usesOn(
  { rotations }: ManagedKey,
  refusals: Refusals | undefined,
  version: ManagedKey["versions"][number] | undefined,
  accepted: AcceptedRefusal[],
): RefusedUseView[] {
  const { uses = {}, others } = refusals?.on[version?.keyId ?? byAlias] ?? {};
  const prefix = version?.number ?? byAlias;
  const approvals = rotations.flatMap(({ approval }) => approval ?? []);
  const isApproved = (id: string, changedAtMs = 0): boolean =>
    approvals.some(({ accepts, atMs }) => accepts.includes(id) && changedAtMs <= atMs);
  const own = Object.values(uses).map((use): RefusedUseView => {
    const { principal, operation, error, firstAtMs, lastAtMs, count } = use;
    const id = idOf(prefix, use);
    const word = isApproved(id) ? "approval" : undefined;
    return {
      ...{ id, version: version?.number, call: { principal, operation, error } },
      ...{ firstAtMs, lastAtMs, count },
      acceptedBy: isAccepted(accepted, use) ? "configuration" : word,
    };
  });
  if (others === undefined) return own;
  const { firstAtMs, lastAtMs, count } = others;
  const id = idOfOthers(prefix);
  const acceptedBy = isApproved(id, settledAt(others)) ? "approval" : undefined;
  const all = { id, version: version?.number, call: undefined, firstAtMs, lastAtMs, count };
  return [...own, { ...all, acceptedBy }];
}

/** Those that nobody accepted first, the latest first. */
function byVersionAndTime(a: RefusedUseView, b: RefusedUseView): number {
  return (
    (a.version ?? Infinity) - (b.version ?? Infinity) ||
    Number(a.acceptedBy !== undefined) - Number(b.acceptedBy !== undefined) ||
    b.lastAtMs - a.lastAtMs
  );
}
