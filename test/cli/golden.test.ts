/** The exact output. `npx vitest run test/cli/golden.test.ts -u` updates it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Account } from "../infra/account.ts";
import { orders } from "../infra/least-privilege-histories.ts";
import { nowOf, typed } from "./binary.ts";
import { aFleet } from "./fleet.ts";
import { nextSecond } from "./typing.ts";

const folder = mkdtempSync(join(tmpdir(), "keyturn-golden-"));
const long = "alias/a-name-that-is-rather-long-for-a-terminal-of-eighty-columns";

/** One for all tests: reading commands do not change it. */
let account: Account;

afterAll(async () => {
  await account.close();
  rmSync(folder, { recursive: true });
});

const reading: Record<string, string[]> = {
  status: ["status"],
  "status-of-one": ["status", orders],
  doctor: ["doctor"],
  history: ["history", orders],
  verify: ["verify"],
  explain: ["explain", "ALIAS_MOVED"],
  "explain-all": ["explain"],
  plan: ["plan", "--until", "60d"],
  "plan-kept": ["plan", orders, "--until", "90d", "--out", "kept.json"],
  report: ["report", "--out", "report"],
};

/** Each was run once before: its answer is the same each time. */
const asking: Record<string, string[]> = {
  apply: ["apply", "applied.json", "--by", "ada"],
  rotate: ["rotate", long, "--anyway", "--by", "ada", "--reason", "a leaver"],
  "rotate-unknown": ["rotate", "alias/order"],
  "pause-refused": ["pause", "alias/invoices"],
  approve: ["approve", orders],
  enrol: ["enrol", "alias/payroll", "--policy", "short"],
  unenrol: ["unenrol", orders],
  reconcile: ["reconcile", "alias/moved", "--by", "ada"],
};

const outputs = [80, 120].flatMap((columns) =>
  [false, true].map((coloured) => ({ columns, coloured })),
);

describe.each([
  { of: "reading commands", commands: reading },
  { of: "requests", commands: asking },
])("the output of $of:", ({ commands }) => {
  const type = (args: string[], env = {}) =>
    typed(account, [...args, ...nowOf(account)], env, folder);
  beforeAll(async () => {
    account ??= await aFleet();
    if (commands !== asking) return;
    await type(["plan", orders, "--until", "90d", "--out", "applied.json"]);
    await type(["apply", "applied.json"]);
    await type(["rotate", long, "--by", "ada"]);
    // The first request is the one that is fulfilled.
    await nextSecond();
  }, 60_000);

  test.each(
    Object.entries(commands).flatMap(([name, args]) =>
      outputs.map((output) => ({ name, args, ...output })),
    ),
  )("$name, $columns columns, colour $coloured", async ({ name, args, columns, coloured }) => {
    const colour = coloured ? { FORCE_COLOR: "1" } : { NO_COLOR: "1" };
    const env = { COLUMNS: String(columns), ...colour };
    const { stdout, stderr, code } = await type(args, env);
    const all = `${alike(stdout)}\n-- stderr\n${alike(stderr)}\n-- exit ${code}\n`;
    const file = `golden/${name}-${columns}${coloured ? "-colour" : ""}.txt`;
    await expect(all).toMatchFileSnapshot(file);
    if (!coloured) expect(all).not.toContain("\u001b[");
  });

  test.each(Object.entries(commands))("%s, as JSON", async (name, args) => {
    const { stdout } = await type([...args, "--json"]);
    if (stdout !== "") expect(JSON.parse(stdout)).toHaveProperty("schema");
    await expect(alike(stdout)).toMatchFileSnapshot(`golden/${name}.json`);
  });
});

/** Without varying parts: ids of tables and requests, hashes over them, times. */
function alike(text: string): string {
  return text
    .replace(/answers in \d+ ms/, "answers in 0 ms")
    .replace(/"(tableId|id)": "[0-9a-f-]{30,40}"/g, '"$1": "<its id>"')
    .replace(/\d{8}T\d{6,9}Z-[0-9a-f]{16}/g, "<id of the request>")
    .replace(/^ {2}("hash"|"plan"): "[0-9a-f]{64}"/gm, '  $1: "<hash>"')
    .replace(/"bytes": \d+/g, '"bytes": 0')
    .replace(/"sha256": "[0-9a-f]{64}"/g, '"sha256": "<sha256>"')
    .replace(/^[0-9a-f]{64} {2}/gm, "<sha256>  ")
    .replace(/plan [0-9a-f]{12} applied/g, "plan <hash> applied");
}
