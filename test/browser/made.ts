/** Reports to look at: made by the pure model, out of lives that the production run lived. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KeyHistory } from "../../lambda/aws/dynamodb-reading.ts";
import { writeReport } from "../../cli/report/files.ts";
import { keyReport, type Report } from "../../cli/report/model.ts";
import { periodOf } from "../../cli/report/period.ts";
import { aYear, renamed } from "../cli/report-lives.ts";

export function reportOf(lives: KeyHistory[], nowMs: number): Report {
  const period = periodOf({ from: "2027-01-01", to: "2027-12-31" }, nowMs);
  const keys = lives.map((life) => keyReport(life, period, nowMs));
  return { tableName: "keyturn", period, madeAtMs: nowMs, keys, unread: [] };
}

/** The year's lives again and again, each under a name of its own. */
export async function manyKeys(count: number): Promise<Report> {
  const { lives, nowMs } = await aYear();
  const all = Array.from({ length: count }, (_, at) => {
    const life = lives[(at + 3) % lives.length];
    if (life === undefined) throw new Error("nobody lived");
    if (at < lives.length) return life;
    return renamed(life, `${life.record.alias}-${String(at).padStart(4, "0")}`, at);
  });
  return reportOf(all, nowMs);
}

/** The path of its report.html. */
export async function onDisk(report: Report): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "keyturn-report-"));
  await writeReport(directory, report);
  return join(directory, "report.html");
}
