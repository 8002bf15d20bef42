/** Reports for the browser: the pure model's, from histories that the production code made. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KeyHistory } from "../../lambda/aws/dynamodb-reading.ts";
import { writeReport } from "../../cli/report/files.ts";
import { keyReport, type Report } from "../../cli/report/model.ts";
import { periodOf } from "../../cli/report/period.ts";
import { aYear, refusedIn, renamed } from "../cli/report-histories.ts";

export function reportOf(histories: KeyHistory[], nowMs: number): Report {
  const period = periodOf({ from: "2027-01-01", to: "2027-12-31" }, nowMs);
  const keys = histories.map((history) =>
    keyReport(history, period, nowMs, refusedIn(history, nowMs)),
  );
  return { tableName: "keyturn", period, madeAtMs: nowMs, keys, unread: [] };
}

/** The year's histories repeatedly, each under its own name. */
export async function manyKeys(count: number): Promise<Report> {
  const { histories, nowMs } = await aYear();
  const all = Array.from({ length: count }, (_, at) => {
    const history = histories[(at + 3) % histories.length];
    if (history === undefined) throw new Error("no history");
    if (at < histories.length) return history;
    return renamed(history, `${history.record.alias}-${String(at).padStart(4, "0")}`, at);
  });
  return reportOf(all, nowMs);
}

/** The path of its report.html. */
export async function onDisk(report: Report): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "keyturn-report-"));
  await writeReport(directory, report);
  return join(directory, "report.html");
}
