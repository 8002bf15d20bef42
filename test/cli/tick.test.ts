/** The exit codes and messages of `npm run tick`. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { isoOf } from "../../lambda/workflow/model/iso.ts";
import { firstInspectionAfterMs } from "../../lambda/workflow/drift/inspection-times.ts";
import { Account } from "../infra/account.ts";
import { document, orders } from "../infra/least-privilege-histories.ts";
import { nowOf, operatorOf } from "./binary.ts";
import { anything } from "./fleet.ts";
import { runInto, stackTrace, type Output } from "./unwritable.ts";

const program = join(import.meta.dirname, "../../cli/tick.ts");
const folder = mkdtempSync(join(tmpdir(), "keyturn-tick-"));
afterAll(() => rmSync(folder, { recursive: true }));

const configuration = join(folder, "keyturn.json");
beforeAll(() => writeFileSync(configuration, JSON.stringify(document)));

const somewhere = {
  KEYTURN_TABLE: "keyturn",
  KEYTURN_CONFIG: configuration,
  AWS_REGION: "us-east-1",
  AWS_ACCESS_KEY_ID: "none",
  AWS_SECRET_ACCESS_KEY: "none",
};

function ticked(
  args: string[],
  env: Record<string, string> = {},
  output: Output = "both are read",
) {
  return runInto(output, program, args, { ...somewhere, ...env }, folder);
}

describe("a tick with a wrong command line reports it in one line, and exits with 2:", () => {
  test.each<[what: string, args: string[], env: Record<string, string>, message: RegExp]>([
    ["an unknown option", ["--nonsense"], {}, /Unknown option '--nonsense'/],
    ["an argument", ["now"], {}, /Unexpected argument 'now'/],
    ["an option without its value", ["--table"], {}, /--table .*argument missing/],
    [
      "an endpoint that is not a URL",
      ["--endpoint-url", "there"],
      {},
      /--endpoint-url: got "there"/,
    ],
    ["an endpoint of the environment", [], { AWS_ENDPOINT_URL: "there" }, /AWS_ENDPOINT_URL: got/],
    ["a time that is not a number", ["--now", "noon"], {}, /--now: got "noon"/],
    ["a time beyond that of a Date", ["--now", "9".repeat(20)], {}, /--now: got "9+", .*up to/],
    [
      "a timeout beyond that of a timer",
      ["--timeout-ms", "9".repeat(20)],
      {},
      /--timeout-ms: got .*/,
    ],
    ["an event that is not a file", ["--event", "none.json"], {}, /--event: got ENOENT/],
  ])("%s", async (_, args, env, message) => {
    const { stdout, stderr, code } = await ticked(args, env);
    expect({ stdout, code }).toEqual({ stdout: "", code: 2 });
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^tick: .*\n\(see npm run tick -- --help\)\n$/);
    const silent = await ticked(args, env, "stderr is on a full disk");
    expect(silent).toEqual({ stdout: "", stderr: "", code: 2 });
  });
});

test("a tick that fails reports why in one line, and exits with 1", async () => {
  const { stdout, stderr, code } = await ticked(["--endpoint-url", "http://127.0.0.1:9"]);
  expect(stdout).toContain('"TableErrors":1');
  expect(stderr).toMatch(/^tick: the run failed: .*ECONNREFUSED.*$/m);
  expect(stderr).not.toMatch(stackTrace);
  expect(code).toBe(1);
});

describe("a tick whose log", () => {
  let account: Account;
  beforeAll(async () => {
    account = await Account.deployed({ document }, [anything]);
    account.makeKey(orders);
  });
  afterAll(() => account.close());
  const tickedInto = (output: Output) => {
    const env = { ...operatorOf(account), AWS_ACCESS_KEY_ID: "keyturn" };
    return ticked(nowOf(account), env, output);
  };

  test("cannot be written continues to its end, reports that in one line, and exits with 2", async () => {
    const { stderr, code } = await tickedInto("stdout is on a full disk");
    expect(stderr).toMatch(/^tick: cannot write to stdout: \w+: .*$/m);
    expect(stderr.match(/cannot write/g)).toHaveLength(1);
    expect(stderr).not.toMatch(stackTrace);
    expect(code).toBe(2);
    expect(await account.states(orders)).toHaveLength(1);
  });

  test("no one reads ends without an error, with the exit code of its run", async () => {
    const done = await tickedInto("the reader of stdout has left");
    expect(done.stderr).toMatch(/^(tick: nothing is due .*\n)?$/);
    expect(done.code).toBe(0);
  });
});

test("a tick without due work reports the next due time, and the clock that it used", async () => {
  const account = await Account.deployed({ document }, [anything]);
  onTestFinished(() => account.close());
  account.makeKey(orders);
  const env = { ...operatorOf(account), AWS_ACCESS_KEY_ID: "keyturn" };
  expect(await ticked(nowOf(account), env)).toMatchObject({ stderr: "", code: 0 });
  const { stdout, stderr, code } = await ticked(nowOf(account), env);
  const [nextMs, now] = [
    account.clock.nowMs() + firstInspectionAfterMs(orders),
    isoOf(account.clock.nowMs()),
  ];
  // A run takes time: the enrolment may be some seconds later.
  expect(stderr).toContain(`tick: nothing is due before ${isoOf(nextMs).slice(0, 16)}:`);
  expect(stderr).toContain(`(now ${now} by --now)`);
  expect(JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "")).toMatchObject({
    outcome: "nothing-due",
  });
  expect(code).toBe(0);
  const byHost = await ticked([], env);
  expect(byHost.stderr).toMatch(
    /^tick: .* \(now \S+ by this machine's clock; --now sets the time\)$/m,
  );
});
