/** Text from other writers of the table, on an operator's terminal. */
import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { marshall } from "@aws-sdk/util-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { widthOf } from "../../cli/terminal/text.ts";
import { Account } from "../infra/account.ts";
import { document, orders } from "../infra/least-privilege-histories.ts";
import { region, tableName } from "../infra/role.ts";
import { nowOf, typed } from "./binary.ts";
import { aFleet, anything } from "./fleet.ts";

const escape = "\u001b";
const colours = new RegExp(`${escape}\\[\\d+m`, "g");
const steers = `${escape}[2J${escape}]0;owned\u0007\u009b31m\nok    all is well 鍵🔑`;

describe("the author of a request", () => {
  let account: Account;
  beforeAll(async () => {
    account = await Account.deployed({ document }, [anything]);
    account.makeKey(orders);
    await account.passDays(1);
    await account.request(orders, { kind: "pause", by: `ada${steers}`, reason: steers });
    await account.passDays(1);
    await account.request(orders, { kind: steers, by: steers });
    await account.passDays(1);
    await account.request(orders, { kind: "resume", by: steers, reason: steers });
  });
  afterAll(() => account.close());

  test.each([
    ["status"],
    [`status ${orders}`],
    ["doctor"],
    [`history ${orders}`],
    ["verify"],
    [`history ${orders} --json`],
    [`status ${orders} --json`],
  ])("cannot control an operator's terminal: %s", async (line) => {
    const env = { FORCE_COLOR: "1", COLUMNS: "70" };
    const { stdout, stderr } = await typed(account, [...line.split(" "), ...nowOf(account)], env);
    const printed = stdout + stderr;
    expect(printed.replaceAll(colours, "")).not.toMatch(/[^\P{Cc}\n]/u);
    expect(printed).not.toMatch(/^ok +all is well/m);
  });

  test("is shown with the request, also before a run processes it", async () => {
    const { stdout } = await typed(account, ["status", orders, ...nowOf(account)]);
    expect(stdout).toMatch(/^ {2}held +by ada.*since 2027-01-\d\d \d\d:\d\d, pause/m);
    expect(stdout).toMatch(
      /last requests\n[^]*paused, requested by ada[^]*request-rejected: kind: got /,
    );
    expect(stdout).toMatch(/waiting requests\n {2}resume by \\u001b/);
    const json = await typed(account, ["status", orders, "--json"]);
    const { requests } = JSON.parse(json.stdout) as { requests: { body: { by: string } }[] };
    expect(requests[0]?.body.by).toBe(steers);
  });
});

describe("in a narrow terminal", () => {
  let account: Account;
  beforeAll(async () => {
    account = await aFleet(40);
    await account.request("alias/moved", { kind: "pause", reason: "鍵".repeat(40) });
    await account.passDays(1);
  });
  afterAll(() => account.close());

  test.each([
    ["status"],
    ["status alias/moved"],
    [`status ${orders}`],
    ["doctor"],
    ["history alias/moved"],
    ["verify"],
    ["explain"],
    ["explain ORIGINATED_AFTER_ACTIVATION"],
    ["--help"],
    ["status --help"],
    ["approve --help"],
    ["status alias/none"],
    ["status --table a-table-that-is-not-there"],
  ])("every breakable line fits: %s", async (line) => {
    const now = line.includes("--help") ? [] : nowOf(account);
    const done = await typed(account, [...line.split(" "), ...now], { COLUMNS: "40" });
    const long = (done.stdout + done.stderr).split("\n").filter((one) => widthOf(one) > 40);
    // Commands, hashes, ARNs and ids of needs, which are not broken.
    const whole =
      /^ *(aws|npx keyturn) |^ *[0-9a-f]{64}$|^\s*(intact +)?alias\/\S+$|^ +(v\d+ +)?(arn|refused):\S+$/;
    expect(long.filter((one) => !whole.test(one))).toEqual([]);
  });
});

describe("a record that newer code wrote", () => {
  let account: Account;
  beforeAll(async () => {
    account = await Account.deployed({ document }, [anything]);
    account.makeKey(orders);
    await account.passDays(1);
    const { endpoint } = account.aws;
    const credentials = { accessKeyId: "person", secretAccessKey: "secret" };
    const db = new DynamoDB({ endpoint, region, credentials });
    const newer = { pk: "key#alias/newer", sk: "record", queue: "due", dueAtMs: 1e13, schema: 4 };
    await db.putItem({ TableName: tableName, Item: marshall({ ...newer, extra: true }) });
    db.destroy();
  });
  afterAll(() => account.close());

  test("is reported, in the list and alone", async () => {
    const all = await typed(account, ["status", ...nowOf(account)]);
    expect(all.stdout).toMatch(/^alias\/newer .* SCHEMA_NEWER$/m);
    expect(all).toMatchObject({ code: 1 });
    const one = await typed(account, ["status", "newer"]);
    expect(one.code).toBe(1);
    expect(one.stderr).toContain("alias/newer has schema 4, which newer code wrote");
    expect(one.stderr).toContain("next: npx keyturn explain SCHEMA_NEWER");
    const doctor = await typed(account, ["doctor", ...nowOf(account)]);
    expect(doctor.stdout).toContain("record schemas: 1 (alias/newer)");
  });

  test("does not hide that another table is not a state table of keyturn", async () => {
    const { endpoint } = account.aws;
    const credentials = { accessKeyId: "person", secretAccessKey: "secret" };
    const db = new DynamoDB({ endpoint, region, credentials });
    await db.createTable({
      TableName: "theirs",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
    });
    db.destroy();
    for (const command of ["status", "doctor", `status ${orders}`, `history ${orders}`]) {
      const done = await typed(account, [...command.split(" "), "--table", "theirs"]);
      expect(done).toMatchObject({ stdout: "", code: 3 });
      expect(done.stderr).toContain("this is not a state table of keyturn");
    }
  });
});

test("the help of every command has an example", async () => {
  const { stdout } = await typed(undefined, ["--help"], { COLUMNS: "200" });
  const names = [...stdout.matchAll(/^ {2}([a-z]+) /gm)].map(([, name = ""]) => name);
  expect(names).toContain("status");
  for (const name of names.filter((one) => one !== "help" && one !== "keyturn")) {
    const help = await typed(undefined, [name, "--help"]);
    expect(help.stdout, name).toMatch(/^Examples?:\n {2}npx keyturn /m);
    expect(help.code).toBe(0);
  }
});
