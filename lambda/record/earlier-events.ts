/**
 * Lines of a journal are hashed, so those that an earlier version wrote keep the names that it gave to
 * events and findings. A reader that goes by names takes lines through here; `verify` does not.
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

/** The line under the present names, whichever version wrote it; its hash stays that of the line. */
export function inPresentNames(line: JournalEntry): JournalEntry {
  const { event, detail } = line;
  const named = Object.entries(detail).map(([name, value]): [string, string | number] => [
    name,
    (name === "came" || name === "went") && typeof value === "string" ? withCodes(value) : value,
  ]);
  return { ...line, event: renamedEvents[event] ?? event, detail: Object.fromEntries(named) };
}

/** `came` and `went` list findings as "CODE subject", with a comma between them. */
function withCodes(findings: string): string {
  return findings.replaceAll(/\b[A-Z][A-Z_]+\b/g, presentCode);
}
