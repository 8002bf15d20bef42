import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Plan } from "../../cli/plan/plan.ts";
import { canonicalHash } from "../../lambda/record/canonical.ts";
import type { Account } from "../infra/account.ts";
import { document, orders } from "../infra/least-privilege-histories.ts";
import { after, deployedYoung, shared, type } from "./typing.ts";

const young = shared(deployedYoung);
const folder = mkdtempSync(join(tmpdir(), "keyturn-plans-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

/** A plan in a file, and its content. */
async function planned(account: Account, ...args: string[]): Promise<{ file: string; plan: Plan }> {
  const file = join(folder, `${(files += 1)}.json`);
  const { code, stderr } = await type(account, "plan", ...args, "--out", file);
  const waits = /needs? an operator.*: APPROVAL_REQUIRED/.test(stderr) ? 1 : 0;
  expect([code, stderr]).toEqual([waits, expect.stringContaining(`Written to ${file}`)]);
  return { file, plan: JSON.parse(readFileSync(file, "utf8")) as Plan };
}

function rewritten(file: string, change: (plan: Plan) => object): void {
  const plan = JSON.parse(readFileSync(file, "utf8")) as Plan;
  writeFileSync(file, JSON.stringify({ ...plan, ...change(plan) }));
}

describe("plan", () => {
  test("names a coming approval by its time, and no command that would fail now", async () => {
    const account = await after(2);
    const { stderr } = await type(account, "plan", "--until", "200d");
    expect(stderr).toMatch(/orders will need an operator at [-\d]+ [\d:]+: APPROVAL_REQUIRED/);
    expect(stderr).toContain("at that time: npx keyturn status alias/orders");
    expect(stderr).not.toContain("keyturn approve");
  });

  test("predicts the later calls, at the right time", async () => {
    const account = await after(2);
    const { stdout, stderr, code } = await type(account, "plan", "--until", "60d");
    expect(code).toBe(0);
    const rows = stdout.split("\n").filter((line) => line.includes("CreateKey v2"));
    expect(rows).toHaveLength(1);
    expect(stderr).toMatch(/^3 changing calls for 1 of 1 managed key until /);
    expect(stderr).toMatch(/cost \$1 a month now and \$2 a month on 2027-03-04 \(\+\$1\)/);
    const [day = ""] = rows[0]?.split(" ") ?? [];
    const atMs = Date.parse(`${day}T00:00Z`);
    await account.passDays((atMs - account.clock.nowMs()) / 86_400_000 - 0.1);
    expect(await account.states(orders)).toEqual(["active"]);
    await account.passDays(0.2);
    expect(await account.states(orders)).toEqual(["draining", "active"]);
  });

  test("writes nothing to the table, and calls no KMS operation", async () => {
    const account = await after(2);
    account.aws.resetCalls();
    await type(account, "plan", "--until", "90d");
    const { kms, dynamodb } = account.aws.calls();
    expect(kms).toEqual({});
    expect(Object.keys(dynamodb).sort()).toEqual(["BatchGetItem", "GetItem", "Query"]);
  });

  test("includes waiting requests", async () => {
    const account = await after(2);
    await type(account, "rotate", orders, "--reason", "a leaver");
    const { stdout } = await type(account, "plan");
    expect(stdout).toContain("CreateKey v2");
    expect((await type(account, "plan", "--until", "1d", "--json")).stdout).toContain("a leaver");
  });

  test("reports what an operator must do before anything moves", async () => {
    const account = await after(70);
    account.ask("UpdateAlias", { AliasName: orders, TargetKeyId: account.makeKey("alias/x") });
    await account.passDays(2);
    const { stdout, stderr, code } = await type(account, "plan");
    expect([stdout, code]).toEqual(["", 1]);
    expect(stderr).toContain(`${orders} needs an operator: ALIAS_MOVED`);
    expect(stderr).toMatch(/next: aws kms update-alias/);
  });

  test("names the managed keys that it cannot predict, and shows the others", async () => {
    const others = [orders, "alias/invoices", "alias/newer"];
    const managedKeys = others.map((alias) => ({ alias, policy: "short" }));
    const account = await after(0, { managedKeys });
    for (const alias of others.slice(1)) account.makeKey(alias);
    await account.passDays(2);
    await account.rewrite("record", { aliases: null });
    await account.rewrite("record", { schema: 99 }, "key#alias/newer");
    const { stdout, stderr, code } = await type(account, "plan", "--until", "60d");
    expect([stdout, code]).toEqual([expect.stringContaining("alias/invoices"), 1]);
    expect(stderr).toMatch(/alias\/orders: the next runs cannot be predicted: .*not iterable/s);
    expect(stderr).toMatch(/alias\/newer: .* newer code wrote the record, with schema 99/);
  });

  test("reports the cost of the retired versions that the policies keep, as synthesis does", async () => {
    const drain = { atLeast: "12h", quietFor: "2h" };
    const often = { cryptoperiod: "2d", lead: "0m", propagation: "5m", drain } as const;
    const account = await after(1, { policies: { short: often } });
    const { stderr } = await type(account, "plan", "--until", "1h");
    expect(stderr.replaceAll(/\s+/g, " ")).toContain(
      'retire: "disable" keeps every retired version for ever, at $1 a month each: 1 managed key retires about 182 a year, $182 a month after one year, $911 a month after five (docs/policies.md#the-cost-of-retired-versions)',
    );
    const { stdout } = await type(account, "plan", "--until", "1h", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      keptVersions: { managedKeys: 1, versionsAYear: 182, monthlyUsd: { afterOneYear: 182 } },
    });
  });

  test("reports no such cost where it is trivial", async () => {
    const kept = { ...document.policies["short"], retire: "disable" } as const;
    const account = await after(2, { policies: { short: kept } });
    expect((await type(account, "plan")).stderr).not.toContain("retire:");
    expect((await type(account, "plan", "--json")).stdout).not.toContain("keptVersions");
  });

  test("as JSON is the document that --out writes", async () => {
    const account = await after(2);
    const { stdout } = await type(account, "plan", "--json", "--until", "60d");
    const { schema, hash, ...body } = JSON.parse(stdout) as Plan;
    expect(schema).toBe("keyturn/plan/2");
    expect(canonicalHash({ schema, ...body })).toBe(hash);
    expect(body.managedKeys[0]).toMatchObject({ alias: orders, rotates: false, keysThen: 2 });
  });

  test.each([
    ["--until", "7x", 2, "expected epoch milliseconds, or 2027"],
    ["--until", "500d", 2, "expected 400d at most"],
    ["--until", "2020-01-01", 2, "is not within the next 400 days"],
    ["--out", "/nowhere/at/all.json", 2, "cannot be written to /nowhere/at/all.json (ENOENT)"],
  ])("rejects %s %s", async (option, value, code, message) => {
    const answer = await type(await young(), "plan", option, value);
    expect(answer).toMatchObject({ code, stdout: "" });
    expect(answer.stderr).toContain(message);
  });
});

describe("apply", () => {
  test("requests the rotation of the plan, and no other", async () => {
    const account = await after(2);
    const { file, plan } = await planned(account, "--until", "80d");
    expect(plan.managedKeys).toMatchObject([{ alias: orders, rotates: true }]);
    const done = await type(account, "apply", file);
    expect(done.code).toBe(0);
    expect(done.stdout).toMatch(/^Requested the rotation of alias\/orders, as request /);
    await account.passDays(1);
    expect(await account.states(orders)).toEqual(["draining", "active"]);
  });

  test("twice writes one request", async () => {
    const account = await after(2);
    const { file } = await planned(account, "--until", "80d");
    await type(account, "apply", file);
    expect((await type(account, "apply", file)).stdout).toMatch(/^Already requested: the rotation/);
    await account.passDays(1);
    const { stdout } = await type(account, "history", orders, "--json");
    expect(stdout.match(/"event": "rotation-requested"/g)).toHaveLength(1);
    expect(stdout).not.toContain("request-rejected");
  });

  test("is rejected if the state changed before it", async () => {
    const account = await after(2);
    const { file } = await planned(account, "--until", "80d");
    await account.request(orders, { kind: "pause" });
    await account.passDays(1);
    const { code, stdout, stderr } = await type(account, "apply", file);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/the state has changed since the plan was made; no request was written/);
    expect(stderr).toMatch(/next: npx keyturn plan --out /);
    await account.passDays(1);
    expect(await account.states(orders)).toEqual(["active"]);
  });

  test("is rejected by the function if the state changed right after it", async () => {
    const account = await after(2);
    const { file } = await planned(account, "--until", "80d");
    // Its id sorts before that of the plan's request: the run processes it first.
    await account.request(orders, { kind: "pause", sk: "00000000-pause" });
    expect((await type(account, "apply", file)).code).toBe(0);
    await account.passDays(1);
    expect(await account.states(orders)).toEqual(["active"]);
    const codes = (await account.findings(orders)).map(({ code }) => code);
    expect(codes).toEqual(expect.arrayContaining(["PAUSED", "REQUEST_REJECTED"]));
  });

  test.each(["rotate", "resume"])(
    "requests no rotation that the function would reject, after %s was requested",
    async (kind) => {
      const account = await after(2);
      await account.request(orders, { kind });
      // If one is requested already, that is the next rotation but one.
      const { plan } = await planned(account, "--until", "200d");
      expect(plan.managedKeys.map(({ rotates }) => rotates)).toEqual([false]);
    },
  );

  test("requests no rotation while one is under way", async () => {
    const account = await after(54.005);
    const { plan } = await planned(account, "--until", "200d");
    const events = plan.managedKeys.flatMap((one) => one.planned.map(({ event }) => event));
    expect([plan.managedKeys[0]?.rotates, events.includes("opened")]).toEqual([false, true]);
  });

  test("reports that a plan has nothing to apply", async () => {
    const account = await after(2);
    const { file } = await planned(account, "--until", "5d");
    const { code, stderr } = await type(account, "apply", file);
    expect([code, stderr]).toEqual([0, expect.stringContaining("there is nothing to apply")]);
  });

  test.each<[string, (plan: Plan) => object, number, string]>([
    [
      "another table",
      ({ hash: _, ...plan }) => sealedAs(plan, { table: { name: "x", id: "y" } }),
      2,
      "is for table x, not for keyturn",
    ],
    [
      "a new table of the same name",
      ({ hash: _, ...plan }) => sealedAs(plan, { table: { name: "keyturn", id: "y" } }),
      1,
      "its record is of table",
    ],
    [
      "another version of keyturn",
      ({ hash: _, ...plan }) => sealedAs(plan, { keyturn: "9.9.9" }),
      2,
      "was made by keyturn 9.9.9",
    ],
    [
      "a later schema",
      () => ({ schema: "keyturn/plan/3" }),
      2,
      "has the schema keyturn/plan/3; this keyturn applies keyturn/plan/2",
    ],
    [
      "another kind of document",
      () => ({ schema: "keyturn/status/1" }),
      2,
      "is not a plan: its schema is not",
    ],
    ["edited content", () => ({ untilMs: 4e12 }), 2, "was edited after it was written"],
    ["invalid content", () => ({ managedKeys: [{}] }), 2, "is not a complete plan: managedKeys.0"],
    [
      "a past time",
      ({ hash: _, ...plan }) => sealedAs(plan, { untilMs: plan.madeAtMs - 1 }),
      1,
      "the plan expired at",
    ],
  ])("rejects a plan of %s", async (_, change, code, message) => {
    const account = await young();
    const { file } = await planned(account, "--until", "80d");
    rewritten(file, change);
    const answer = await type(account, "apply", file);
    expect(answer).toMatchObject({ code, stdout: "" });
    expect(answer.stderr).toContain(message);
    expect(answer.stderr).not.toMatch(/^\s+at /m);
    const { stdout } = await type(account, "status", orders, "--json");
    expect(JSON.parse(stdout)).toMatchObject({ requests: [] });
  });

  test.each([
    ["no file", undefined, "cannot be read (ENOENT)"],
    ["not JSON", "{", "is not a plan: it is not JSON"],
    ["null", "null", "is not a plan: its schema is not"],
  ])("rejects a plan file: %s", async (_, text, message) => {
    const account = await young();
    const file = join(folder, `${(files += 1)}.json`);
    if (text !== undefined) writeFileSync(file, text);
    const answer = await type(account, "apply", file);
    expect(answer).toMatchObject({ code: 2, stdout: "" });
    expect(answer.stderr).toContain(message);
  });
});

function sealedAs(plan: Omit<Plan, "hash">, change: object): object {
  const body = { ...plan, ...change };
  return { ...body, hash: canonicalHash(body) };
}
