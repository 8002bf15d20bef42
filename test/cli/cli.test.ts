import { describe, expect, test } from "vitest";
import { dayMs } from "../fixtures.ts";
import type { Account } from "../infra/account.ts";
import { orders } from "../infra/least-privilege-histories.ts";
import { nowOf, typed, typedInto } from "./binary.ts";
import { after, deployedFor, shared } from "./typing.ts";

const rotating = shared(() => deployedFor(70));
const young = shared(() => deployedFor(2));
const drifted = shared(async () => {
  const account = await deployedFor(70);
  const [first = ""] = account.aws.kms.world.keys.keys();
  account.ask("UpdateAlias", { AliasName: orders, TargetKeyId: first });
  await account.passDays(2);
  return account;
});

describe("status", () => {
  test("is a row for each managed key, with its age, its step, and what it waits for", async () => {
    const account = await rotating();
    const { stdout, stderr, code } = await typed(account, ["status", ...nowOf(account)]);
    expect(stdout.split("\n")[0]).toMatch(/^ALIAS +KIND +VERSION +AGE +STEP +NEXT +WHY$/);
    expect(stdout.split("\n")[1]).toMatch(
      /^alias\/orders +symmetric +v2 +█░+ 15d\/60d +drain +in /,
    );
    expect(stderr).toBe("1 managed key, 1 in rotation, 0 need attention\n");
    expect(code).toBe(0);
  });

  test("of one has its versions, its rotation, and each finding with the next command", async () => {
    const account = await drifted();
    const { stdout, code } = await typed(account, ["status", "orders", ...nowOf(account)]);
    expect(stdout).toMatch(/^v1 +draining +/m);
    expect(stdout).toMatch(/^v2 +active +/m);
    expect(stdout).toContain("ALIAS_MOVED");
    expect(stdout).toMatch(/next: aws kms /);
    expect(code).toBe(1);
  });

  test.each([40, 80, 120])("fits %d columns", async (columns) => {
    const account = await rotating();
    const args = ["status", ...nowOf(account)];
    const { stdout } = await typed(account, args, { COLUMNS: String(columns) });
    const longest = Math.max(...stdout.split("\n").map((line) => line.length));
    expect(longest).toBeLessThanOrEqual(columns);
    expect(stdout).toContain("alias/orders");
  });

  test("as JSON is one document that names its schema", async () => {
    const account = await young();
    const { stdout } = await typed(account, ["status", "--json", ...nowOf(account)]);
    const { schema, managedKeys } = JSON.parse(stdout) as Record<string, unknown>;
    expect(schema).toBe("keyturn/status/2");
    expect(managedKeys).toMatchObject([{ alias: orders, version: 1, step: "idle" }]);
  });
});

describe("a request", () => {
  test("is processed by the next run, and is in the journal with its author and reason", async () => {
    const account = await after(2);
    const first = account.targetOf(orders);
    const asked = await typed(account, ["rotate", orders, "--by", "ada", "--reason", "leaver"]);
    expect(asked.code).toBe(0);
    expect(asked.stdout).toMatch(/^Requested rotate for alias\/orders, as request \d{8}T\d{9}Z-/);
    await account.passDays(1);
    expect(account.targetOf(orders)).not.toBe(first);
    const reported = await typed(account, ["history", orders, "--json"]);
    const { entries } = JSON.parse(reported.stdout) as {
      entries: { reason: string; detail: object }[];
    };
    expect(JSON.stringify(entries)).toMatch(/ada/);
    expect(JSON.stringify(entries)).toMatch(/leaver/);
  });

  test("that is irreversible requires the alias, and is not written without it", async () => {
    const account = await after(2);
    const rejected = await typed(account, ["unenrol", orders]);
    expect(rejected).toMatchObject({ code: 2, stdout: "" });
    expect(rejected.stderr).toContain(`--confirm ${orders}`);
    const done = await typed(account, ["unenrol", orders, "--confirm", orders]);
    expect(done.code).toBe(0);
    await account.passDays(1);
    expect(await account.states(orders)).toEqual([]);
  });

  test("is not written if the function would find it malformed, or reject it", async () => {
    const account = await young();
    const unread = await typed(account, ["rotate", orders, "--reason", "x".repeat(2000)]);
    expect(unread.code).toBe(2);
    expect(unread.stderr).toContain("reason: got");
    const rejected = await typed(account, ["rollback", orders, ...nowOf(account)]);
    expect(rejected).toMatchObject({ code: 1, stdout: "" });
    expect(rejected.stderr).toContain("the function would reject the request now");
    const { stdout } = await typed(account, ["status", orders, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ requests: [] });
  });
});

describe("verify", () => {
  test("finds an intact journal intact, and one with a changed line broken at that line", async () => {
    const account = await after(70);
    const whole = await typed(account, ["verify"]);
    expect(whole).toMatchObject({ code: 0 });
    expect(whole.stdout).toMatch(/^intact +alias\/orders: \d+ lines, head [0-9a-f]{64}$/m);
    await account.rewrite("journal#0000000003", { reason: "nothing happened" });
    const broken = await typed(account, ["verify", orders]);
    expect(broken.code).toBe(1);
    expect(broken.stdout).toMatch(/^BROKEN +alias\/orders: at line 3: its hash is /);
  });
});

describe("doctor", () => {
  const reads = async (account: Account): Promise<string[]> => {
    const { stdout, code } = await typed(account, ["doctor", ...nowOf(account)]);
    const found = stdout.split("\n").filter((line) => line.startsWith("WARN"));
    expect(code).toBe(found.length === 0 ? 0 : 1);
    return found;
  };

  test("finds no problem in a working service", async () => {
    const account = await rotating();
    expect(await reads(account)).toEqual([]);
  });

  test("reports a schedule that stopped, and one that never started", async () => {
    const account = await after(2);
    account.clock.advance(10 * dayMs);
    expect(await reads(account)).toEqual([
      expect.stringMatching(/runs: work has been due for \d+d/),
    ]);
    expect(await reads(await after(0))).toEqual([
      expect.stringContaining("runs: no run has taken place yet"),
    ]);
  });

  test("reports a drifted alias, and a halted managed key, with the next command", async () => {
    const account = await drifted();
    const found = (await reads(account)).join("\n");
    expect(found).toContain("halted or waiting for an operator: 1 (alias/orders)");
    expect(found).toContain("drifted aliases: 1 (alias/orders)");
  });
});

test("a pipe that is closed early causes no error", async () => {
  const { stderr, code } = await typedInto("head -1", ["explain"]);
  expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
});

describe("a failure:", () => {
  test.each([
    ["no table named", ["status"], { KEYTURN_TABLE: "" }, 2, "no table: name it"],
    [
      "no such table",
      ["status", "--table", "other"],
      {},
      3,
      "this Region and account has no such table",
    ],
    ["no server", ["status"], { AWS_ENDPOINT_URL: "http://127.0.0.1:9" }, 3, "cannot be reached"],
    ["an unknown alias", ["status", "alias/order"], {}, 4, "Did you mean alias/orders?"],
    ["an unknown code", ["explain", "ALIAS_MOVE"], {}, 4, "Did you mean ALIAS_MOVED?"],
    ["an unknown command", ["statsu"], {}, 2, "unknown command 'statsu'"],
  ] as const)("%s is reported without a stack trace", async (_, args, env, code, message) => {
    const account = await young();
    const { stderr, stdout, ...rest } = await typed(account, [...args], env);
    expect(rest.code).toBe(code);
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stdout).toBe("");
  });
});
