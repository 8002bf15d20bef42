/** The files of the report, with any content of the table, and the output of the command. */
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Failure } from "../../cli/terminal/failure.ts";
import { csv, csvFiles, field } from "../../cli/report/csv.ts";
import { reportJson } from "../../cli/report/json.ts";
import { keyReport, type Report } from "../../cli/report/model.ts";
import { page } from "../../cli/report/page.ts";
import { periodOf } from "../../cli/report/period.ts";
import type { Account } from "../infra/account.ts";
import { orders } from "../infra/least-privilege-histories.ts";
import { startMs } from "../world.ts";
import { nowOf, typed, type Typed } from "./binary.ts";
import { aFleet } from "./fleet.ts";
import { aYear, rechained, refusedIn } from "./report-histories.ts";
import { after } from "./typing.ts";

const { histories, nowMs } = await aYear();
const year: Report = {
  tableName: "keyturn",
  period: { fromMs: startMs, toMs: nowMs },
  madeAtMs: nowMs,
  keys: histories.map((history) =>
    keyReport(history, { fromMs: startMs, toMs: nowMs }, nowMs, refusedIn(history, nowMs)),
  ),
  unread: [],
};

const htmlOf = (report: Report): string => [...page(report, [])].join("");

describe("text from other writers of the table", () => {
  const owned = `"><x-owned onload='alert(1)'>&lt;\u202e\u0007`;
  /** The fields whose values the report itself uses as keys. */
  const ours = ["kind", "phase", "outcome"];

  /** Puts the attack before and after every text. */
  function forged<T>(value: T, name = ""): T {
    if (typeof value === "string") {
      return ours.includes(name) ? value : (`${owned}${value}${owned}` as T);
    }
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map((one: unknown) => forged(one, name)) as T;
    const fields = Object.entries(value).map(([key, one]) => [key, forged<unknown>(one, key)]);
    return Object.fromEntries(fields) as T;
  }

  test("is text everywhere in the HTML", () => {
    const html = htmlOf(forged(year));
    expect(html).not.toContain("<x-owned");
    for (const steering of ["\u202e", "\u0007"]) expect(html).not.toContain(steering);
    const shown = "&quot;&gt;&lt;x-owned onload=&#39;alert(1)&#39;&gt;&amp;lt;\\u202e\\u0007";
    expect(html.split(shown).length).toBeGreaterThan(500);
  });

  test("cannot open or close a finding by the id of a rejected request", () => {
    const [history] = histories;
    if (history === undefined) throw new Error("no history");
    const id = "x, ALIAS_MOVED alias/archive";
    const rejected = {
      event: "request-rejected",
      reason: "sk: got it",
      detail: { request: id, asked: "malformed" },
    };
    const reported = {
      event: "findings-opened",
      reason: "sk: got it",
      detail: { opened: `REQUEST_REJECTED ${id}`, closed: "", next: "" },
    };
    const ended = {
      event: "findings-closed",
      reason: "no longer so",
      detail: { opened: "", closed: `REQUEST_REJECTED ${id}`, next: "" },
    };
    const [line] = history.journal;
    if (line === undefined) throw new Error("no line");
    const added = [rejected, reported, ended].map((one, at) => ({
      ...line,
      ...one,
      revision: history.journal.length + 1 + at,
      atMs: nowMs - 1,
    }));
    const more = { ...history, ...rechained([...history.journal, ...added]) };
    const report = keyReport(more, year.period, nowMs);
    expect(report.chain.kind).toBe("whole");
    expect(report.exceptions.map(({ what }) => what)).not.toContain("ALIAS_MOVED");
    expect(report.decisions.at(-1)).toMatchObject({
      outcome: "refused",
      requestId: id,
      by: "not given",
    });
  });

  test.each([
    ["=1+1", "'=1+1"],
    ["+1", "'+1"],
    ["-1", "'-1"],
    ["@SUM(A1)", "'@SUM(A1)"],
    ["\t=1", "'\t=1"],
    ["\r=1", `"'\r=1"`],
    ["\n=1", `"'\n=1"`],
    ['=HYPERLINK("http://x", "a")', `"'=HYPERLINK(""http://x"", ""a"")"`],
    ['say "a, b"', `"say ""a, b"""`],
    ["2027-01-01", "2027-01-01"],
    ["alias/orders", "alias/orders"],
  ])("is not a formula in a spreadsheet: %j", (given, expected) => {
    expect(field(given)).toBe(expected);
  });

  test("does not change the number of cells in a line of CSV", () => {
    for (const file of csvFiles) {
      const text = [...csv(file, forged(year))].join("");
      const unquoted = text.replace(/"(?:[^"]|"")*"/g, "").trimEnd();
      const counts = new Set(unquoted.split("\r\n").map((line) => line.split(",").length));
      expect([...counts], file.name).toEqual([file.columns.length]);
    }
  });
});

describe("the HTML", () => {
  test("is one document that makes no requests", () => {
    const html = htmlOf(year);
    expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(html).not.toMatch(/<(script|link|img|iframe|object|embed)\b|\son\w+=|@import|src=/i);
    expect(html.match(/url\([^)]*\)/g)?.every((one) => one.startsWith("url(#"))).toBe(true);
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, id] of html.matchAll(/ href="#([^"]+)"/g)) expect(ids).toContain(id);
    expect(html).not.toMatch(/\bundefined\b|\bNaN\b|Invalid Date/);
  });

  test("states the limits of KMS's evidence, and the findings of scanners", () => {
    const html = htmlOf(year).replaceAll(/\s+/g, " ");
    expect(html).toContain("a later Decrypt can therefore hide an earlier Encrypt");
    expect(html).toContain("up to an hour of lag");
    expect(html).toContain("Security Hub KMS.3");
    expect(html).toContain("rotated by alias: up to 3 of the 6 keys here");
    expect(html).toContain("cmk-backing-key-rotation-enabled");
    expect(html).toContain("aws cloudtrail lookup-events");
  });

  test.each([
    ["no key", { keys: [] }, "No managed key yet."],
    ["a record of newer code", { unread: ["alias/new"] }, "It is <strong>missing</strong>"],
  ])("reports %s", (_, changes, message) => {
    const html = htmlOf({ ...year, ...changes }).replaceAll(/\s+/g, " ");
    expect(html).toContain(message);
    expect(html).not.toMatch(/\bundefined\b|\bNaN\b/);
  });
});

test("the JSON names its schema, and has the content of the HTML", () => {
  const made = JSON.parse([...reportJson(year)].join("")) as Record<string, unknown>;
  expect(made.schema).toBe("keyturn/report/2");
  expect(made.summary).toMatchObject({ keys: 6, overdue: 1, broken: [], unread: [] });
  expect(made.keys).toEqual(JSON.parse(JSON.stringify(year.keys)));
});

describe("the period", () => {
  const may = Date.UTC(2027, 4, 10, 12);

  test.each([
    [{}, Date.UTC(2026, 4, 10, 12), may],
    [{ from: "2027-01-01", to: "2027-03-31" }, Date.UTC(2027, 0, 1), Date.UTC(2027, 3, 1)],
    [{ to: "2027-03-31" }, Date.UTC(2026, 3, 1), Date.UTC(2027, 3, 1)],
    [{ from: "2027-02-28T12:30:00Z" }, Date.UTC(2027, 1, 28, 12, 30), may],
    [{ from: "2027-02-28T12:30" }, Date.UTC(2027, 1, 28, 12, 30), may],
    [{ from: "2027-02-28T12:30:00+02:00" }, Date.UTC(2027, 1, 28, 10, 30), may],
  ])("%j is from %d up to %d", (given, fromMs, toMs) => {
    expect(periodOf(given, may)).toEqual({ fromMs, toMs });
  });

  test.each([
    [{ from: "2027-13-01" }, "--from: got"],
    [{ from: "2027-02-31" }, "--from: got"],
    [{ to: "yesterday" }, "--to: got"],
    [{ to: "2027-1-1" }, "--to: got"],
    [{ to: "2027-01-01T25:00:00Z" }, "--to: got"],
    [{ from: "01/02/2027" }, "expected a date in UTC such as"],
    [{ from: "2027-03-01", to: "2027-02-01" }, "--from must be before --to"],
    [{ from: "2028-01-01" }, "--from must be before --to"],
  ])("rejects %j", (given, message) => {
    const parsed = (): unknown => periodOf(given, may);
    expect(parsed).toThrow(message);
    expect(parsed).toThrow(Failure);
  });
});

describe("the command", () => {
  let account: Account;
  let out: string;
  const report = (dir: string, ...more: string[]): Promise<Typed> =>
    typed(account, ["report", "--out", dir, ...more, ...nowOf(account)]);
  beforeAll(async () => {
    account = await aFleet(40);
    out = await mkdtemp(join(tmpdir(), "keyturn-report-"));
  }, 60_000);
  afterAll(() => account.close());

  test("writes all files or none, and prints their hashes in the format of sha256sum", async () => {
    const directory = join(out, "made", "for it");
    const { stdout, stderr, code } = await report(directory);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^4 managed keys, \d+ exceptions in the period \(/);
    const names = await readdir(directory);
    expect(names.sort()).toEqual(
      [...csvFiles.map(({ name }) => name), "report.html", "report.json"].sort(),
    );
    const html = await readFile(join(directory, "report.html"), "utf8");
    for (const line of stdout.trimEnd().split("\n")) {
      const [, hash = "", path = ""] = /^([0-9a-f]{64}) {2}(.*)$/.exec(line) ?? [];
      const actual = createHash("sha256")
        .update(await readFile(path))
        .digest("hex");
      expect(hash).toBe(actual);
      if (!path.endsWith(".html")) expect(html).toContain(hash);
    }
    expect(html).toContain("alias/invoices");
  });

  test("with --json answers with one document that names its schema", async () => {
    const { stdout, code } = await report(join(out, "json"), "--json");
    const { schema, files } = JSON.parse(stdout) as { schema: string; files: object[] };
    expect({ schema, code }).toEqual({ schema: "keyturn/report-written/1", code: 0 });
    expect(files).toHaveLength(csvFiles.length + 2);
    expect(files[0]).toHaveProperty("sha256");
  });

  test("twice has the same answer", async () => {
    const first = await report(join(out, "same"));
    const second = await report(join(out, "same"));
    expect(second).toEqual(first);
  });

  test.each([
    ["a file in place of the directory", ["--out", "file"], "cannot be written to"],
    ["a malformed date", ["--out", "x", "--from", "2027-02-30"], "--from: got"],
    ["a period that ends first", ["--out", "x", "--from", "2029-01-01"], "before --to"],
    ["no directory named", [], "--out"],
  ])("reports %s, exits with 2, and writes nothing", async (_, args, message) => {
    await writeFile(join(out, "file"), "");
    const placed = args.map((arg) => (arg === "file" || arg === "x" ? join(out, arg) : arg));
    const { stdout, stderr, code } = await typed(account, [
      ...["report", ...placed],
      ...nowOf(account),
    ]);
    expect({ stdout, code }).toEqual({ stdout: "", code: 2 });
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(await readdir(out)).not.toContain("x");
  });
});

test("an edited journal is at the top of the report, and the exit code is 1", async () => {
  const account = await after(70);
  await account.rewrite("journal#0000000003", { reason: "nothing happened" });
  const out = await mkdtemp(join(tmpdir(), "keyturn-report-"));
  const { stderr, code } = await typed(account, ["report", "--out", out, ...nowOf(account)]);
  expect(code).toBe(1);
  expect(stderr).toContain(`BROKEN ${orders}`);
  expect(stderr).toContain(`next: npx keyturn verify ${orders}`);
  const html = await readFile(join(out, "report.html"), "utf8");
  const [head = ""] = html.split("<main");
  expect(head).toContain("This report is not reliable for all keys");
  expect(html).toContain("BROKEN at line 3");
  expect(html).toContain("JOURNAL BROKEN");
});
