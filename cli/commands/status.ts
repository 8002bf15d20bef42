/** `keyturn status`: one row for each managed key. */
import { exitCodes, type ExitCode } from "../terminal/failure.ts";
import {
  byNeed,
  needsPerson,
  overviewOf,
  unreadOverview,
  type Overview,
} from "../status/overview.ts";
import { noteText } from "../terminal/print.ts";
import type { Session } from "../session.ts";
import { columnsFor } from "../status/table.ts";
import { tableLines } from "../terminal/table-view.ts";

export type StatusFilter = { findings?: boolean; overdue?: boolean; moving?: boolean };

export const statusSchema = "keyturn/status/2";

export async function statusOfAll(
  { state, talk, nowMs, json }: Session,
  filter: StatusFilter,
): Promise<ExitCode> {
  const unread: Overview[] = [];
  const read = await state.managedKeys(
    (record) => overviewOf(record, nowMs),
    (alias, schema) => unread.push(unreadOverview(alias, schema, nowMs)),
  );
  const all = [...read, ...unread];
  const shown = all.filter((one) => matches(one, filter, nowMs)).sort(byNeed);
  const needing = all.filter(needsPerson);
  const code = needing.length > 0 ? exitCodes.attention : exitCodes.ok;
  if (json) {
    talk.json({ schema: statusSchema, nowMs, managedKeys: shown });
    return code;
  }
  if (all.length === 0) {
    const none = "No managed keys yet. The next run enrols those of the configuration.";
    noteText(talk, "", none);
    return code;
  }
  for (const line of tableLines(columnsFor(talk, nowMs), shown, talk.columns)) talk.line(line);
  const moving = all.filter(({ rotationId }) => rotationId !== undefined);
  const counts = [
    all.length === 1 ? "1 managed key" : `${all.length} managed keys`,
    ...(shown.length === all.length ? [] : [`${shown.length} shown`]),
    `${moving.length} in rotation`,
    needing.length === 1 ? "1 needs attention" : `${needing.length} need attention`,
  ];
  noteText(talk, "", counts.join(", "));
  return code;
}

function matches(one: Overview, filter: StatusFilter, nowMs: number): boolean {
  if (filter.findings === true && one.findings.length === 0) return false;
  if (filter.moving === true && one.rotationId === undefined) return false;
  return filter.overdue !== true || (one.overdueAtMs ?? Infinity) <= nowMs;
}
