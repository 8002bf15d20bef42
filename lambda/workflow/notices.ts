/** Findings that block nothing, derived from the record alone. */
import {
  showAliases,
  showAutoRotation,
  showGrants,
  showHistory,
  showKey,
  showLastUse,
  showPolicy,
} from "./model/commands.ts";
import { judge } from "./safety/evidence.ts";
import { finding, type Finding } from "./model/findings.ts";
import { isoOf } from "./model/iso.ts";
import { requestCommand } from "./model/request-command.ts";
import { rejectedForMs } from "./model/limits.ts";
import { activeVersion, isRetiring } from "./model/record.ts";
import { overdueAtMs } from "./active-version.ts";
import { clockIsSkewed } from "./safety/settle.ts";
import { heldAfterRollback, isHeld } from "./safety/holds.ts";
import { accountsIn } from "./safety/other-accounts.ts";
import { whyKept } from "./safety/public-keys.ts";
import type { ManagedKey } from "./model/types.ts";

const stuckTries = 8;
const largeRecordBytes = 100_000;

export function notices(record: ManagedKey, nowMs: number): Finding[] {
  return [
    ...overdue(record, nowMs),
    ...record.unlistedAliases.map((alias) =>
      finding(
        "UNLISTED_ALIAS",
        alias,
        `${alias} points at the key of ${record.alias}`,
        showAliases(activeVersion(record)?.keyId ?? alias),
        nowMs,
      ),
    ),
    ...heldAfterRollback(record),
    ...refusals(record, nowMs),
    ...notEnforced(record, nowMs),
    ...overridden(record, nowMs),
    ...neverDeleted(record, nowMs),
    ...rotationNotCarried(record, nowMs),
    ...callersUnseen(record, nowMs),
    ...policiesChanged(record, nowMs),
    ...grantsLeftOut(record, nowMs),
    ...acceptedUnknowns(record, nowMs),
    ...skew(record, nowMs),
  ];
}

/** For repeated passes without a result: `tries` counts them in a row. */
export function stuck(alias: string, tries: number, why: string, nowMs: number): Finding[] {
  if (tries < stuckTries) return [];
  const observed = `${tries} passes in a row had no result; the last one: ${why}`;
  return [finding("STUCK", alias, observed, showHistory(alias), nowMs)];
}

function overdue(record: ManagedKey, nowMs: number): Finding[] {
  const active = activeVersion(record);
  if (record.enrolledAtMs === undefined || active === undefined) return [];
  const sinceMs = overdueAtMs(record, active);
  if (nowMs < sinceMs) return [];
  const observed = `the cryptoperiod of version ${active.number} ended at ${isoOf(sinceMs)}`;
  const { alias } = record;
  const next = isHeld(record, "rollback") ? requestCommand(alias, "resume") : showHistory(alias);
  return [finding("OVERDUE", alias, observed, next, sinceMs)];
}

function refusals({ alias, rejected }: ManagedKey, nowMs: number): Finding[] {
  return rejected
    .filter(({ atMs }) => nowMs < atMs + rejectedForMs)
    .map(({ id, kind, why, atMs }) =>
      finding("REQUEST_REJECTED", id, `${kind}: ${why}`, showHistory(alias), atMs),
    );
}

function callersUnseen({ rotations, versions }: ManagedKey, nowMs: number): Finding[] {
  return rotations.filter(isRetiring).flatMap(({ from, policy, sharedWith = [] }) => {
    const old = versions.find(({ number }) => number === from);
    if (old === undefined || policy.retire === "retain" || sharedWith.length === 0) return [];
    const observed = `version ${from}, ${old.keyId}, allows ${accountsIn(sharedWith)}`;
    return [finding("CALLERS_UNSEEN", old.keyId, observed, showPolicy(old.keyId), nowMs)];
  });
}

function policiesChanged({ alias, versions }: ManagedKey, nowMs: number): Finding[] {
  return versions.flatMap(({ number, keyId, state, policyChangedTo: policy }) => {
    if (policy === undefined) return [];
    const observed = `the key policy of version ${number} (${state}), ${keyId}, was changed`;
    const next = requestCommand(alias, "accept-policy", { version: number, policy });
    return [finding("KEY_POLICY_CHANGED", keyId, observed, next, nowMs)];
  });
}

/** Until the drain ends: by then the operator has read it, and the grant may be revoked with its version. */
function grantsLeftOut({ rotations, versions }: ManagedKey, nowMs: number): Finding[] {
  return rotations.flatMap(({ from, step, grantsLeft = [] }) => {
    const old = versions.find(({ number }) => number === from);
    if (old === undefined || step === "revoke" || grantsLeft.length === 0) return [];
    const { keyId } = old;
    const observed = `the next version has no copy of these grants on version ${from}, ${keyId}: ${grantsLeft.join("; ")}`;
    return [finding("GRANT_LEFT_OUT", keyId, observed, showGrants(keyId), nowMs)];
  });
}

function neverDeleted(record: ManagedKey, nowMs: number): Finding[] {
  const active = activeVersion(record);
  if (record.policy.retire !== "delete" || record.enrolledAtMs === undefined) return [];
  const why = active === undefined ? undefined : whyKept(active);
  if (active === undefined || why === undefined) return [];
  const { number, keyId } = active;
  const observed = `version ${number}, ${keyId}, will be disabled and kept: ${why}`;
  return [finding("NEVER_DELETED", record.alias, observed, showKey(keyId), nowMs)];
}

/** Until the next version is active: that is one that keyturn made. */
function rotationNotCarried(record: ManagedKey, nowMs: number): Finding[] {
  const { number, keyId, autoRotation } = activeVersion(record) ?? {};
  if (keyId === undefined || autoRotation === undefined) return [];
  const observed = `KMS rotates the material of version ${number}, ${keyId}`;
  return [finding("ROTATION_NOT_CARRIED", keyId, observed, showAutoRotation(keyId), nowMs)];
}

/** Versions that keyturn made under such a policy have the statement; older ones do not. */
function notEnforced({ policy, versions }: ManagedKey, nowMs: number): Finding[] {
  if (policy.originate !== "alias-only") return [];
  return versions
    .filter(({ state }) => state === "active" || state === "draining")
    .filter(({ aliasOnly }) => aliasOnly !== true)
    .map(({ number, keyId }) => {
      const observed = `version ${number}, ${keyId}, has no KeyturnAliasOnly statement in its key policy`;
      const next = showPolicy(keyId);
      return finding("ALIAS_ONLY_NOT_ENFORCED", keyId, observed, next, nowMs);
    });
}

function overridden({ versions }: ManagedKey, nowMs: number): Finding[] {
  return versions.flatMap(({ number, keyId, overriddenBy }) => {
    if (overriddenBy === undefined) return [];
    const observed = `version ${number}, ${keyId}: ${overriddenBy} overrode the evidence`;
    const next = showLastUse(keyId);
    return [finding("EVIDENCE_OVERRIDDEN", keyId, observed, next, nowMs)];
  });
}

function acceptedUnknowns(record: ManagedKey, nowMs: number): Finding[] {
  return record.rotations.flatMap(({ from, evidence, policy }) => {
    const old = record.versions.find(({ number }) => number === from);
    if (old === undefined || evidence === undefined) return [];
    const verdict = judge(evidence.lastUse, old.retiredAtMs ?? 0, policy, nowMs);
    if (verdict.kind !== "unknown" || policy.drain.evidence !== "advisory") return [];
    const next = showLastUse(old.keyId);
    return [finding("USAGE_UNKNOWN_ACCEPTED", old.keyId, verdict.why, next, nowMs)];
  });
}

function skew(record: ManagedKey, nowMs: number): Finding[] {
  if (!clockIsSkewed(record, nowMs)) return [];
  const untilMs = Math.max(...record.unsettled.map((entry) => entry.untilMs));
  const observed = `a settle mark expires at ${isoOf(untilMs)}`;
  return [finding("CLOCK_SKEW", record.alias, observed, "date -u", nowMs)];
}

/** Measured once a pass: it takes longer than all decisions of the pass. */
export function largeness(record: ManagedKey, nowMs: number): Finding[] {
  const { alias } = record;
  const bytes = JSON.stringify(record).length;
  if (bytes <= largeRecordBytes) return [];
  const next = showHistory(alias);
  return [finding("RECORD_LARGE", alias, `the record has ${bytes} bytes`, next, nowMs)];
}
