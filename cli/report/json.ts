/** The report as JSON, one managed key at a time. */
import type { Report } from "./model.ts";
import { summaryOf } from "./summary.ts";

export const reportSchema = "keyturn/report/2";

export function* reportJson(report: Report): Generator<string> {
  const { tableName, period, madeAtMs, keys, unread } = report;
  const head = { schema: reportSchema, tableName, period, madeAtMs, unread };
  const opened = JSON.stringify({ ...head, summary: summaryOf(report) }).slice(0, -1);
  yield `${opened},"keys":[`;
  for (const [index, key] of keys.entries()) {
    yield `${index === 0 ? "\n" : ",\n"}${JSON.stringify(key)}`;
  }
  yield "\n]}\n";
}
