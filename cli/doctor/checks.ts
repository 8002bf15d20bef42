/** A check of the service, and the content of the table that it reads; pure. */
import type { Finding, FindingCode } from "../../lambda/workflow/model/findings.ts";
import type { Heard, Sign } from "./signs.ts";

export type Check = {
  name: string;
  verdict: "ok" | "attention";
  observed: string;
  /** The command to type next. */
  next?: string;
};

export type Chored = { dueAtMs: number; findings: Finding[] } | undefined;

export type Signs = {
  nowMs: number;
  tableName: string;
  /** How long the table took to answer. */
  tookMs: number;
  /** How far this machine's clock is ahead of AWS's; undefined if they cannot be compared. */
  aheadMs: number | undefined;
  keys: Sign[];
  /** Aliases whose record newer code wrote. */
  unread: string[];
  /** Undefined before the first run. */
  audit: Chored;
  tagSearch: Chored;
  /** The latest end of the present run. */
  runUntilMs: number | undefined;
  /** The managed keys with refused uses that no run has read, and since when each waits. */
  refusalsDue: { alias: string; dueAtMs: number }[];
} & Heard;

/** Three intervals of the default schedule. A run processes due work within one. */
export const lateMs = 15 * 60_000;

export const listRules = "aws events list-rules --query 'Rules[].[Name,State]'";

export function explain(code: FindingCode): string {
  return `npx keyturn explain ${code}`;
}

export function counted(name: string, found: string[], well: string, next: string): Check {
  if (found.length === 0) return { name, verdict: "ok", observed: well };
  return { name, verdict: "attention", observed: listed(found), next };
}

const namedAtMost = 3;

export function listed(found: string[]): string {
  const more = found.length > namedAtMost ? ` and ${found.length - namedAtMost} more` : "";
  return `${found.length} (${found.slice(0, namedAtMost).join(", ")}${more})`;
}
