/** Whether the service itself is well, out of what the table holds; pure. */
import { effects, type Finding, type FindingCode } from "../lambda/workflow/findings.ts";
import { servingVersion } from "../lambda/workflow/record.ts";
import { overdueAtMs } from "../lambda/workflow/serving.ts";
import type { ManagedKey } from "../lambda/workflow/types.ts";
import { ago, roughly } from "./words.ts";

export type Check = {
  name: string;
  verdict: "ok" | "attention";
  seen: string;
  /** The command to type next. */
  next?: string;
};

export type Signs = {
  nowMs: number;
  tableName: string;
  records: ManagedKey[];
  /** Undefined before the first run. */
  audit: { dueAtMs: number; findings: Finding[] } | undefined;
  tagSearch: { dueAtMs: number; findings: Finding[] } | undefined;
  /** When an event came through CloudTrail last. */
  heardAtMs: number | undefined;
};

/** Three intervals of the usual schedule: what is due for longer, no run has taken up. */
const lateMs = 15 * 60_000;

export function diagnose({ records: unsorted, ...rest }: Signs): Check[] {
  const records = unsorted.toSorted((a, b) => (a.alias < b.alias ? -1 : 1));
  const signs = { ...rest, records };
  const { audit, tagSearch } = signs;
  const named = (codes: FindingCode[]) => withFindings(records, codes);
  return [
    runs(signs),
    counted(
      "halted or waiting",
      needing(records),
      "every managed key moves",
      "keyturn status --findings",
    ),
    counted(
      "overdue",
      overdue(signs),
      "no version is past its cryptoperiod",
      "keyturn status --overdue",
    ),
    counted("stuck", named(["STUCK"]), "no step is beyond its limit", "keyturn explain STUCK"),
    counted(
      "drifted aliases",
      named(["ALIAS_MOVED", "ALIAS_SET_SPLIT", "ALIAS_NOT_FOUND"]),
      "every alias is where it belongs",
      "keyturn explain ALIAS_MOVED",
    ),
    counted(
      "clocks",
      named(["CLOCK_SKEW"]),
      "no run's clock was far off",
      "keyturn explain CLOCK_SKEW",
    ),
    orphans(signs),
    counted(
      "unknown keys",
      subjects(audit?.findings),
      "the audit knows every key of ours",
      "keyturn explain UNKNOWN_KEY",
    ),
    counted(
      "enrolment by tag",
      subjects(tagSearch?.findings),
      "no tagged key was refused",
      "keyturn explain NOT_ENROLLED_BY_TAG",
    ),
    watch(signs),
  ];
}

function needing(records: ManagedKey[]): string[] {
  const waits = ({ code }: Finding): boolean => ["halt", "block"].includes(effects[code]);
  return records.filter(({ findings }) => findings.some(waits)).map(({ alias }) => alias);
}

/** What falls due is taken up within an interval, or nobody runs. */
function runs({ records, audit, tagSearch, nowMs }: Signs): Check {
  const name = "runs";
  if (audit === undefined && tagSearch === undefined) {
    const next = "aws events list-rules --query 'Rules[].[Name,State]'";
    return { name, verdict: "attention", seen: "no run has come yet", next };
  }
  const dues = [...records, audit, tagSearch].flatMap((one) => one?.dueAtMs ?? []);
  const oldestMs = Math.min(...dues);
  if (nowMs <= oldestMs + lateMs) return { name, verdict: "ok", seen: "nothing is due for long" };
  const seen = `something is due since ${roughly(nowMs - oldestMs)}, and no run took it up`;
  return {
    name,
    verdict: "attention",
    seen,
    next: "aws events list-rules --query 'Rules[].[Name,State]'",
  };
}

function overdue({ records, nowMs }: Signs): string[] {
  return records.flatMap((record) => {
    const serving = servingVersion(record);
    return serving !== undefined && overdueAtMs(record, serving) <= nowMs ? [record.alias] : [];
  });
}

function orphans({ records }: Signs): Check {
  const open = records.flatMap(({ extras }) =>
    extras.filter(({ quarantinedAtMs }) => quarantinedAtMs === undefined),
  );
  const keys = open.map(({ keyId }) => keyId);
  return counted(
    "orphans",
    keys,
    "no key was made in excess",
    "keyturn explain EXTRA_NOT_QUARANTINED",
  );
}

function watch({ heardAtMs, nowMs }: Signs): Check {
  const name = "the drain's watch";
  if (heardAtMs === undefined) {
    return {
      name,
      verdict: "ok",
      seen: "no event was awaited yet, or the stack has watchDrain: false",
    };
  }
  return { name, verdict: "ok", seen: `an event came through CloudTrail ${ago(heardAtMs, nowMs)}` };
}

function withFindings(records: ManagedKey[], codes: FindingCode[]): string[] {
  return records
    .filter(({ findings }) => findings.some(({ code }) => codes.includes(code)))
    .map(({ alias }) => alias);
}

function subjects(findings: Finding[] = []): string[] {
  return findings.map(({ subject }) => subject);
}

const namedAtMost = 3;

function counted(name: string, found: string[], well: string, next: string): Check {
  if (found.length === 0) return { name, verdict: "ok", seen: well };
  const more = found.length > namedAtMost ? ` and ${found.length - namedAtMost} more` : "";
  const seen = `${found.length}: ${found.slice(0, namedAtMost).join(", ")}${more}`;
  return { name, verdict: "attention", seen, next };
}
