/**
 * Journal lines are hashed, and so lines of an earlier version keep its names of events and
 * findings. A reader that uses the names translates them here; `verify` does not.
 */
import type { JournalEntry } from "../ports.ts";
import type { EventName } from "../workflow/model/events.ts";
import { presentCode } from "./schema-2.ts";

const renamedEvents: Record<string, EventName> = {
  needed: "restore-started",
  returned: "reactivated",
  hurried: "expedited",
  would: "call-planned",
  wanted: "rotation-requested",
  "request-refused": "request-rejected",
  "stack-told": "stack-reported",
  "found-wrong": "findings-opened",
  "put-right": "findings-closed",
  "enabled-again": "re-enabled",
  "enrol-asked": "enrol-requested",
  "un-enrol-asked": "un-enrol-requested",
  "enrolled-anew": "re-enrolled",
};

/** Both list findings as "CODE subject", with a comma between them. */
const renamedLists: Record<string, string> = { came: "opened", went: "closed" };

/** The line with the present names, from any version; its hash stays the original one. */
export function inPresentNames(line: JournalEntry): JournalEntry {
  const { event, detail } = line;
  const named = Object.entries(detail).map(([name, value]): [string, string | number] => {
    const list = renamedLists[name];
    return list === undefined ? [name, value] : [list, withCodes(String(value))];
  });
  return { ...line, event: renamedEvents[event] ?? event, detail: Object.fromEntries(named) };
}

function withCodes(findings: string): string {
  return findings.replaceAll(/\b[A-Z][A-Z_]+\b/g, presentCode);
}
