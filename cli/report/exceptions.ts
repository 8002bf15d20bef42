/** The exceptions of a managed key, past and present. */
import type { KeyHistory } from "../../lambda/aws/dynamodb-reading.ts";
import type { JournalEntry } from "../../lambda/ports.ts";
import { presentCode } from "../../lambda/record/schema-2.ts";
import {
  effects,
  outages,
  type Effect,
  type FindingCode,
} from "../../lambda/workflow/model/findings.ts";
import type { ChainVerdict } from "../journal/chain.ts";
import type { VersionReport } from "./versions.ts";

export type Exception = {
  /** A finding code, or another label. */
  what: string;
  effect: Effect | undefined;
  subject: string;
  observed: string;
  fromMs: number | undefined;
  /** Undefined: open now. */
  toMs: number | undefined;
  /** The command to type next. */
  next: string | undefined;
};

export function exceptionsOf(
  history: KeyHistory,
  versions: VersionReport[],
  verdict: ChainVerdict,
  nowMs: number,
): Exception[] {
  return [
    ...broken(verdict),
    ...overduePeriods(history, versions),
    ...findingsIn(history),
    ...overrides(history.journal),
    ...useAttempts(history.journal),
  ].sort((a, b) => Number(b.toMs === undefined) - Number(a.toMs === undefined) || byStart(a, b));

  function byStart(a: Exception, b: Exception): number {
    return (b.fromMs ?? nowMs) - (a.fromMs ?? nowMs);
  }
}

function broken(verdict: ChainVerdict): Exception[] {
  if (verdict.kind === "whole") return [];
  const { revision, why } = verdict;
  const observed = `at line ${revision}: ${why}`;
  const rest = {
    effect: undefined,
    fromMs: undefined,
    toMs: undefined,
    next: "npx keyturn verify",
  };
  return [{ what: "JOURNAL BROKEN", subject: `line ${revision}`, observed, ...rest }];
}

function overduePeriods({ record }: KeyHistory, versions: VersionReport[]): Exception[] {
  return versions.flatMap(({ number, keyId, overdue }) =>
    overdue.map(({ fromMs, toMs }) => ({
      what: "OVERDUE",
      effect: "notice" as const,
      subject: keyId,
      observed: `version ${number} was active beyond its cryptoperiod`,
      fromMs,
      toMs,
      next: toMs === undefined ? `npx keyturn status ${record.alias}` : undefined,
    })),
  );
}

/** Reported in other sections: overdue by the versions' own times, rejected requests among the decisions. */
const reportedElsewhere: readonly string[] = ["OVERDUE", "REQUEST_REJECTED", "EVIDENCE_OVERRIDDEN"];

/** The policy requires an approval or acknowledgement: a wait for it is not an exception. */
const asPlanned: readonly string[] = ["APPROVAL_REQUIRED", "ACKNOWLEDGEMENT_AWAITED"];

/** The open findings, and the closed ones that held something or report an outage. */
function findingsIn({ record, journal }: KeyHistory): Exception[] {
  const rejectedIds = journal
    .filter(({ event }) => event === "request-rejected")
    .map(({ detail }) => String(detail.request).replaceAll(/\b[A-Z][A-Z_]+\b/g, presentCode));
  const opened = new Map<string, Exception>();
  const ended: Exception[] = [];
  for (const entry of journal) {
    if (entry.event !== "findings-opened" && entry.event !== "findings-closed") continue;
    for (const name of namesIn(entry.detail.closed, rejectedIds)) {
      const one = opened.get(name);
      opened.delete(name);
      if (one !== undefined) ended.push({ ...one, toMs: entry.atMs });
    }
    for (const name of namesIn(entry.detail.opened, rejectedIds))
      opened.set(name, openedBy(name, entry));
  }
  const open = record.findings.map(({ code, subject, observed, next, sinceMs }): Exception => {
    const known = opened.get(`${code} ${subject}`)?.fromMs;
    const fromMs = Math.min(sinceMs, known ?? sinceMs);
    return { what: code, effect: effects[code], subject, observed, fromMs, toMs: undefined, next };
  });
  const kept = ended.filter(
    ({ what, effect }) =>
      outages.some((code) => code === what) ||
      ((effect === "halt" || effect === "block") && !asPlanned.includes(what)),
  );
  return [...open, ...kept].filter(({ what }) => !reportedElsewhere.includes(what));
}

function openedBy(name: string, { atMs, reason }: JournalEntry): Exception {
  const space = name.indexOf(" ");
  const code = name.slice(0, space) as FindingCode;
  return {
    what: code,
    effect: effects[code],
    subject: name.slice(space + 1),
    observed: reason,
    fromMs: atMs,
    toMs: undefined,
    next: undefined,
  };
}

/**
 * Parses `CODE subject, CODE subject`. The author of a rejected request chose its id, which must not
 * pass for a finding: these ids are removed before the rest is split.
 */
function namesIn(list: string | number | undefined, rejectedIds: string[]): string[] {
  let rest = String(list ?? "");
  for (const id of rejectedIds) rest = rest.replaceAll(`REQUEST_REJECTED ${id}`, "");
  return rest.split(/, (?=[A-Z_]+ )/).filter((name) => /^[A-Z_]+ ./.test(name) && isKnown(name));
}

function isKnown(name: string): boolean {
  return Object.hasOwn(effects, name.slice(0, name.indexOf(" ")));
}

function overrides(journal: readonly JournalEntry[]): Exception[] {
  return journal
    .filter(({ event, detail }) => event === "approved" && detail.override === "true")
    .map(({ atMs, detail, reason }) => ({
      what: "EVIDENCE_OVERRIDDEN",
      effect: "notice" as const,
      subject: `version ${detail.version}`,
      observed: `${detail.by} overrode the evidence of its drain: ${reason}`,
      fromMs: atMs,
      toMs: atMs,
      next: undefined,
    }));
}

/** Uses, or use attempts, of a disabled version, which keyturn restored. */
function useAttempts(journal: readonly JournalEntry[]): Exception[] {
  return journal
    .filter(({ event }) => event === "restore-started")
    .map(({ atMs, detail, reason }) => ({
      what: "NEEDED AFTER ALL",
      effect: undefined,
      subject: `version ${detail.version}`,
      observed: reason,
      fromMs: atMs,
      toMs: atMs,
      next: undefined,
    }));
}
