/** The report as CSV (RFC 4180), one file for each kind of fact. Times are ISO 8601 in UTC. */
import { dayMs } from "../../lambda/workflow/model/limits.ts";
import { furtherUses } from "../status/refusals.ts";
import type { KeyReport, Report } from "./model.ts";
import { phaseTexts } from "./phases.ts";
import { isoAt } from "./wording.ts";

type Value = string | number | undefined;
export type CsvFile = { name: string; columns: string[]; rowsOf: (key: KeyReport) => Value[][] };

export const csvFiles: CsvFile[] = [
  {
    name: "inventory.csv",
    columns:
      "alias,aliases,owner,enrolled_by,enrolled_at,unenrolled_at,spec,usage,origin,active_version,active_key_arn,policy,cryptoperiod_days,drain_days,quiet_days,evidence,originate,retire,approval,journal_lines,journal_head,chain".split(
        ",",
      ),
    rowsOf: (key) => {
      const { alias, aliases, owner, enrolledBy, policy, active, versions, chain } = key;
      const version = versions.findLast(({ number }) => number === active);
      const { spec, usage, origin } = version?.shape ?? versions.at(-1)?.shape ?? {};
      const { cryptoperiodMs, drain, originate, retire, approval } = policy;
      return [
        [
          ...[alias, aliases.join(" "), owner, enrolledBy, iso(key.enrolledAtMs)],
          ...[iso(key.unenrolment?.atMs), spec, usage, origin, active, version?.arn],
          ...[policy.name, days(cryptoperiodMs), days(drain.atLeastMs), days(drain.quietForMs)],
          ...[drain.evidence, originate, retire, approval, key.journal.lines],
          ...(chain.kind === "whole"
            ? [chain.head, "whole"]
            : [undefined, `broken at line ${chain.revision}`]),
        ],
      ];
    },
  },
  {
    name: "versions.csv",
    columns:
      "alias,version,key_id,key_arn,phase,nist_sp_800_57,from,until,version_in_service_days,cryptoperiod_days,cryptoperiod_ends_at,deletion_at,compromised_at,note,public_key".split(
        ",",
      ),
    rowsOf: ({ alias, versions }) =>
      versions.flatMap((version) =>
        version.phases.map(({ kind, fromMs, toMs, note }) => [
          ...[alias, version.number, version.keyId, version.arn, kind, phaseTexts[kind].nist],
          ...[iso(fromMs), iso(toMs), days(version.activeMs), days(version.cryptoperiodMs)],
          ...[iso(version.cryptoperiodEndsAtMs), iso(version.deletionAtMs)],
          ...[iso(version.compromisedAtMs), note, version.publicKey],
        ]),
      ),
  },
  {
    name: "rotations.csv",
    columns:
      "alias,rotation_id,kind,from_version,to_version,began_at,new_version_serves_at,old_version_quiet_at,old_version_disabled_at,deletion_scheduled_at,completed_at,outcome,reason".split(
        ",",
      ),
    rowsOf: ({ alias, rotations }) =>
      rotations.map((one) => [
        ...[alias, one.id, one.kind, one.from, one.to, iso(one.beganAtMs)],
        ...[iso(one.activatedAtMs), iso(one.drainedAtMs), iso(one.disabledAtMs)],
        ...[iso(one.deletionScheduledAtMs), iso(one.completedAtMs), one.outcome, one.reason],
      ]),
  },
  {
    name: "decisions.csv",
    columns:
      "alias,taken_up_at,asked,version,by_as_they_wrote,outcome,reason,evidence,journal_line,request_id,rotation_id,accepted".split(
        ",",
      ),
    rowsOf: ({ alias, decisions }) =>
      decisions.map((one) => [
        ...[alias, iso(one.atMs), one.asked, one.version, one.by, one.outcome, one.reason],
        ...[one.evidence, one.line, one.requestId, one.rotationId, one.accepts],
      ]),
  },
  {
    name: "evidence.csv",
    columns:
      "alias,version,key_id,rotation_id,originate,read_at,for,last_use,quiet_days,quiet_days_asked,evidence_hash,journal_line,disabled_at,approved_by,approved_at,overridden,deletion_approved_by,deletion_approved_at,accepted".split(
        ",",
      ),
    rowsOf: ({ alias, drains }) =>
      drains.flatMap((drain) =>
        drain.readings.map((one) => [
          ...[alias, drain.version, drain.keyId, drain.rotationId, drain.originate],
          ...[iso(one.atMs), one.what, one.lastUse, days(one.quietMs), days(drain.quietForMs)],
          ...[one.hash, one.line, iso(drain.disabledAtMs), drain.approval?.by],
          ...[iso(drain.approval?.atMs), drain.approval?.override === true ? "yes" : "no"],
          ...[drain.deletionApproval?.by, iso(drain.deletionApproval?.atMs)],
          (drain.deletionApproval ?? drain.approval)?.accepts,
        ]),
      ),
  },
  {
    name: "refusals.csv",
    columns:
      "alias,version,principal,operation,error,first_at,last_at,times,accepted_by,id,collected_since,last_canary_at".split(
        ",",
      ),
    rowsOf: ({ alias, refusals: { uses, collectedSinceMs, heardAtMs } }) =>
      uses.map(({ version = "by alias", call, firstAtMs, lastAtMs, count, acceptedBy, id }) => [
        ...[alias, version, call?.principal ?? furtherUses, call?.operation, call?.error],
        ...[iso(firstAtMs), iso(lastAtMs), count, acceptedBy, id],
        ...[iso(collectedSinceMs), iso(heardAtMs)],
      ]),
  },
  {
    name: "acceptances.csv",
    columns: "alias,pattern,principal,operation,error".split(","),
    rowsOf: ({ alias, refusals: { accepted = [] } }) =>
      accepted.map((one) => [alias, one.alias, one.principal, one.operation, one.error]),
  },
  {
    name: "exceptions.csv",
    columns: "alias,what,effect,subject,from,until,observed,next".split(","),
    rowsOf: ({ alias, exceptions }) =>
      exceptions.map((one) => [
        ...[alias, one.what, one.effect, one.subject, iso(one.fromMs)],
        ...[one.toMs === undefined ? "open" : iso(one.toMs), one.observed, one.next],
      ]),
  },
];

function iso(atMs: number | undefined): string | undefined {
  return atMs === undefined ? undefined : isoAt(atMs);
}

function days(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round((ms / dayMs) * 1000) / 1000;
}

export function* csv({ columns, rowsOf }: CsvFile, { keys }: Report): Generator<string> {
  yield line(columns);
  for (const key of keys) for (const row of rowsOf(key)) yield line(row);
}

function line(values: Value[]): string {
  return `${values.map(field).join(",")}\r\n`;
}

/** A spreadsheet runs a cell that starts like a formula. The author of a reason must not do so. */
export function field(value: Value): string {
  if (value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r\n]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
