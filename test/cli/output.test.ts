/** The command, if its answer or its notes cannot be written. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Account } from "../infra/account.ts";
import { document, orders } from "../infra/least-privilege-histories.ts";
import { sample } from "../sizes.ts";
import { binary, nowOf, operatorOf, typed } from "./binary.ts";
import { anything } from "./fleet.ts";
import { runInto, stackTrace, type Output } from "./unwritable.ts";

const folder = mkdtempSync(join(tmpdir(), "keyturn-output-"));
afterAll(() => rmSync(folder, { recursive: true }));

let account: Account;
beforeAll(async () => {
  account = await Account.deployed({ document }, [anything]);
  account.makeKey(orders);
  await account.passDays(2);
});
afterAll(() => account.close());

function typedInto(output: Output, args: string[]) {
  return runInto(output, binary, [...args, ...nowOf(account)], operatorOf(account), folder);
}

const lost = /^keyturn: cannot write to stdout: \w+: .*\n$/m;

const answering = [
  "status",
  "status --json",
  `status ${orders}`,
  "doctor",
  `history ${orders}`,
  "verify",
  "explain",
  "plan --until 90d",
  "--help",
];

describe.each(sample([...answering, "status --watch"], 4))("keyturn %s", (line) => {
  test("reports in one line that its answer is lost, and exits with 2", async () => {
    const { stderr, code } = await typedInto("stdout is on a full disk", line.split(" "));
    expect(stderr).toMatch(lost);
    expect(stderr).not.toMatch(stackTrace);
    expect(code).toBe(2);
    const both = await typedInto("stdout and stderr are on a full disk", line.split(" "));
    expect(both).toEqual({ stdout: "", stderr: "", code: 2 });
  });

  test("ends without an error if no one reads its answer", async () => {
    const { stderr, code } = await typedInto("the reader of stdout has left", line.split(" "));
    expect(stderr).not.toMatch(stackTrace);
    expect(stderr).not.toMatch(lost);
    expect([0, 1]).toContain(code);
  });
});

test.each(sample(answering, 4))(
  "keyturn %s answers if its notes cannot be written",
  async (line) => {
    const whole = await typed(account, [...line.split(" "), ...nowOf(account)], {}, folder);
    const alone = await typedInto("stderr is on a full disk", line.split(" "));
    // The duration of a read differs from one doctor to the next.
    const plain = (answer: string): string => answer.replace(/\d+ ms/g, "ms");
    expect(plain(alone.stdout)).toBe(plain(whole.stdout));
    expect(alone).toMatchObject({ stderr: "", code: whole.code });
  },
);

test("an answer that is written in part is lost", async () => {
  const whole = await typedInto("both are read", ["explain", "--json"]);
  const cut = await typedInto("stdout is on a disk that is almost full", ["explain", "--json"]);
  const written = readFileSync(join(folder, "answer"), "utf8");
  expect(written.length).toBeLessThan(whole.stdout.length);
  expect(cut.stderr).toMatch(lost);
  expect(cut.code).toBe(2);
});

test.each<[what: string, args: string[], code: number]>([
  ["an unknown command", ["statsu"], 2],
  ["an unknown alias", ["status", "alias/unknown"], 4],
])("%s has its exit code even if it cannot be reported", async (_, args, code) => {
  const done = await typedInto("stderr is on a full disk", args);
  expect(done).toEqual({ stdout: "", stderr: "", code });
});

test("a request is written even if its answer is lost", async () => {
  const { stderr, code } = await typedInto("stdout is on a full disk", ["pause", orders]);
  expect(stderr).toMatch(lost);
  expect(code).toBe(2);
  const { stdout } = await typed(account, ["status", orders, "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({ requests: [{ body: { kind: "pause" } }] });
});

describe("a report exits with 2, one line and no file, if its directory", () => {
  test("is on a full disk", async () => {
    const out = join(folder, "full");
    mkdirSync(out);
    const done = await typedInto("stderr is on a full disk", ["report", "--out", out]);
    expect(done.code).toBe(2);
    expect(readdirSync(out)).toEqual([]);
  });

  test.each<[what: string, out: string]>([
    ["cannot be made, though its parent exists", "/proc/keyturn"],
    ["cannot be made, nor its parents", "/proc/keyturn/of/june"],
    ["is in a file", "/dev/null/report"],
    ["has no name", ""],
  ])("%s", async (_, out) => {
    const done = await typedInto("both are read", ["report", "--out", out]);
    expect(done.stdout).toBe("");
    expect(done.stderr).toMatch(/^keyturn: the report cannot be written to .*: E[A-Z]+\n/);
    expect(done.stderr).not.toMatch(stackTrace);
    expect(done.code).toBe(2);
  });
});

test("a report makes its directory with all parents", async () => {
  const out = join(folder, "reports", "of", "june");
  expect((await typedInto("both are read", ["report", "--out", out])).code).toBe(0);
  expect(readdirSync(out)).toContain("report.html");
});
