/** `keyturn report`: writes the compliance report, as self-contained files. */
import { join } from "node:path";
import type { StateReader } from "../../lambda/aws/dynamodb-reading.ts";
import { exitCodes, type ExitCode } from "../terminal/failure.ts";
import { madeDirectory, writeReport } from "../report/files.ts";
import { keyReport, type KeyReport, type Report } from "../report/model.ts";
import { periodOf, type Period } from "../report/period.ts";
import { summaryOf } from "../report/summary.ts";
import { noteText } from "../terminal/print.ts";
import type { Session } from "../session.ts";
import { printable } from "../terminal/text.ts";

export const reportWrittenSchema = "keyturn/report-written/1";

export type ReportOptions = { out: string; from?: string; to?: string };

const readers = 4;

export async function report(session: Session, options: ReportOptions): Promise<ExitCode> {
  const { state, talk, nowMs, json, tableName } = session;
  const period = periodOf(options, nowMs);
  await madeDirectory(options.out);
  const made: Report = {
    tableName,
    period,
    madeAtMs: nowMs,
    ...(await read(state, period, nowMs)),
  };
  const written = await writeReport(options.out, made);
  const files = written.map((file) => ({ ...file, path: join(options.out, file.path) }));
  const summary = summaryOf(made);
  const { keys, exceptions, broken, unread } = summary;
  const kinds = "findings, overdue versions, overrides, restores";
  const isWhole = broken.length + unread.length === 0;
  const code = isWhole ? exitCodes.ok : exitCodes.attention;
  if (json) {
    talk.json({ schema: reportWrittenSchema, nowMs, period, summary, files });
    return code;
  }
  // The format of `sha256sum --check`.
  for (const { path, sha256 } of files) talk.line(`${sha256}  ${path}`);
  for (const alias of broken) {
    talk.note(
      `${talk.styled("red", "BROKEN")} ${printable(alias)}: the hash chain of its journal is broken`,
    );
  }
  for (const alias of unread) {
    talk.note(`${talk.styled("red", "MISSING")} ${printable(alias)}: newer code wrote its record`);
  }
  const store =
    "The report contains the head of each journal: store the report where principals that can write to the table cannot change it.";
  noteText(
    talk,
    "",
    `${keys} managed keys, ${exceptions} exceptions in the period (${kinds}). ${store}`,
  );
  if (broken[0] !== undefined) {
    talk.note(`next: npx keyturn verify ${printable(broken[0])} --table ${tableName}`);
  }
  return code;
}

/** Keeps the report of each key, and drops its history before it reads the next one. */
async function read(
  state: StateReader,
  period: Period,
  nowMs: number,
): Promise<Pick<Report, "keys" | "unread">> {
  const aliases = (await state.aliases()).sort();
  const [watch, configuration] = await Promise.all([state.refusalsWatch(), state.configuration()]);
  const found: (KeyReport | undefined)[] = [];
  let next = 0;
  const reader = async (): Promise<void> => {
    while (next < aliases.length) {
      const at = next++;
      const alias = aliases[at] ?? "";
      const [history, refusals] = await Promise.all([state.history(alias), state.refusals(alias)]);
      const refused = { refusals, watch, configuration };
      found[at] = history === undefined ? undefined : keyReport(history, period, nowMs, refused);
    }
  };
  await Promise.all(Array.from({ length: readers }, reader));
  return {
    keys: found.filter((key) => key !== undefined),
    unread: aliases.filter((_, at) => found[at] === undefined),
  };
}
