/** Writes the files of a report: all of them, or none. */
import { createHash } from "node:crypto";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { exitCodes, Failure } from "../terminal/failure.ts";
import { csv, csvFiles } from "./csv.ts";
import { reportJson } from "./json.ts";
import type { Report } from "./model.ts";
import { page, type WrittenPage } from "./page.ts";

const pieceBytes = 1 << 18;

/** Makes the directory, and checks before any read of the table that it is writable. */
export async function madeDirectory(directory: string): Promise<void> {
  await orFailure(directory, async () => {
    await makeDirectory(directory);
    const probe = join(directory, `.report-${process.pid}.tmp`);
    await (await open(probe, "w")).close();
    await rm(probe);
  });
}

/**
 * With its parents. Node's own recursive mkdir never returns if mkdir fails with ENOENT although the
 * parent exists, as in /proc.
 */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (await isDirectory(path)) return;
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" || (await isDirectory(dirname(path)))) throw error;
    await makeDirectory(dirname(path));
    await makeDirectory(path);
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

/** Writes under temporary names first: when report.html exists, all other files exist too. */
export async function writeReport(directory: string, report: Report): Promise<WrittenPage[]> {
  const written: WrittenPage[] = [];
  const put = async (name: string, pieces: Iterable<string>): Promise<void> => {
    written.push({ path: name, ...(await write(hidden(directory, name), pieces)) });
  };
  return orFailure(directory, async () => {
    try {
      for (const file of csvFiles) await put(file.name, csv(file, report));
      await put("report.json", reportJson(report));
      await put("report.html", page(report, [...written]));
      for (const { path } of written) await rename(hidden(directory, path), join(directory, path));
    } catch (error) {
      const left = written.map(({ path }) => path).concat("report.html", "report.json");
      const all = [...left, ...csvFiles.map(({ name }) => name)];
      await Promise.allSettled(all.map((name) => rm(hidden(directory, name), { force: true })));
      throw error;
    }
    return written;
  });
}

function hidden(directory: string, name: string): string {
  return join(directory, `.${name}.${process.pid}.tmp`);
}

async function write(
  path: string,
  pieces: Iterable<string>,
): Promise<{ sha256: string; bytes: number }> {
  const file = await open(path, "w");
  const hash = createHash("sha256");
  let bytes = 0;
  const flush = async (text: string): Promise<void> => {
    const data = Buffer.from(text);
    hash.update(data);
    bytes += data.length;
    await file.writeFile(data);
  };
  try {
    let waiting = "";
    for (const piece of pieces) {
      waiting += piece;
      if (waiting.length < pieceBytes) continue;
      await flush(waiting);
      waiting = "";
    }
    await flush(waiting);
  } finally {
    await file.close();
  }
  return { sha256: hash.digest("hex"), bytes };
}

async function orFailure<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const message = `the report cannot be written to ${directory}: ${code}`;
    throw new Failure(exitCodes.usage, message, `ls -ld ${directory}`, error);
  }
}
