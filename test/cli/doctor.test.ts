import { describe, expect, test } from "vitest";
import type { Signs } from "../../cli/doctor/checks.ts";
import { diagnose } from "../../cli/doctor/diagnosis.ts";
import { signOf } from "../../cli/doctor/signs.ts";
import type { ManagedKey } from "../../lambda/workflow/model/types.ts";
import { newManagedKey } from "../../lambda/workflow/model/record.ts";
import { dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { falseAws } from "./false-aws.ts";
import { typed } from "./binary.ts";

const nowMs = Date.UTC(2027, 5, 1);

function aRecord(changes: Partial<ManagedKey> = {}): ManagedKey {
  const policy = {} as ManagedKey["policy"];
  const home = { alias: "alias/orders", aliases: ["alias/orders"], policy, dependents: [] };
  const of = { owner: "acme", tableId: "one" };
  return {
    ...newManagedKey(of, home, "configuration", nowMs - hourMs),
    dueAtMs: nowMs,
    ...changes,
  };
}

function signsWith(changes: Partial<Signs>, record = aRecord()): Signs {
  const { heardAtMs, refusalsWatch, collectsRefusals } = changes;
  const heard = { heardAtMs, refusalsWatch, collectsRefusals };
  return {
    nowMs,
    tableName: "keyturn",
    tookMs: 3,
    aheadMs: 0,
    keys: [signOf(record, heard, nowMs)],
    unread: [],
    audit: { dueAtMs: nowMs + dayMs, findings: [] },
    tagSearch: { dueAtMs: nowMs + dayMs, findings: [] },
    runUntilMs: undefined,
    refusalsDue: [],
    ...heard,
    ...changes,
  };
}

/** The warnings for a service with these signs, and no others. */
function reads(changes: Partial<Signs>, record?: ManagedKey): string[] {
  const found = diagnose(signsWith(changes, record)).filter(({ verdict }) => verdict !== "ok");
  for (const { next } of found) expect(next).toMatch(/^(npx keyturn|aws|date) /);
  return found.map(({ name, observed }) => `${name}: ${observed}`);
}

describe("doctor", () => {
  test("finds no problem in a working service", () => {
    expect(reads({})).toEqual([]);
  });

  test.each([
    ["the audit of all aliases runs weekly: last 2d ago, next in 5d", nowMs + 5 * dayMs],
    ["the audit of all aliases runs weekly: next in 30m", nowMs + 30 * minuteMs],
    ["no audit of all aliases has taken place yet", undefined],
  ])("reports the time of its observation of the aliases: %s", (when, dueAtMs) => {
    const audit = dueAtMs === undefined ? undefined : { dueAtMs, findings: [] };
    const aliases = diagnose(signsWith({ audit })).find(({ name }) => name === "drifted aliases");
    expect(aliases?.observed).toBe(
      `every alias was on its active version when last observed; ${when}`,
    );
  });

  test("reports the age of the last recorded work if due work is not processed", () => {
    const late = aRecord({
      dueAtMs: nowMs - 2 * dayMs,
      authorizationChangedAtMs: nowMs - 3 * dayMs,
    });
    const audit = { dueAtMs: nowMs - 2 * dayMs, findings: [] };
    expect(reads({ audit, tagSearch: audit }, late)).toEqual([
      "runs: work has been due for 2d, and no run has processed it; the last run that recorded work was 3d ago",
    ]);
  });

  test.each([
    [
      3 * minuteMs,
      "this machine's clock: 3m ahead of AWS's; ages shown here are wrong by that much",
    ],
    [-2 * hourMs, "this machine's clock: 2h behind AWS's; ages shown here are wrong by that much"],
  ])("compares the operator's clock with AWS's (%d ms)", (aheadMs, observed) => {
    expect(reads({ aheadMs })).toEqual([observed]);
    expect(reads({ aheadMs: 900 })).toEqual([]);
    expect(reads({ aheadMs: undefined })).toEqual([]);
  });

  test("reports a claim or mark that no run with a correct clock can have written", () => {
    const untilMs = nowMs + 31 * minuteMs;
    const skewed = ["clocks of runs: 1 (alias/orders)"];
    expect(reads({}, aRecord({ claim: { runId: "one", epoch: 3, untilMs } }))).toEqual(skewed);
    expect(reads({}, aRecord({ unsettled: [{ epoch: 3, untilMs }] }))).toEqual(skewed);
    const untilSoonMs = nowMs + 29 * minuteMs;
    expect(reads({}, aRecord({ unsettled: [{ epoch: 3, untilMs: untilSoonMs }] }))).toEqual([]);
  });

  test("reports a missing event only if one is expected", () => {
    const heardAtMs = nowMs - 40 * dayMs;
    expect(reads({ heardAtMs })).toEqual([]);
    const awaited = {
      code: "DRAIN_NOT_WATCHED",
      subject: "id-1",
      observed: "",
      next: "",
      sinceMs: nowMs,
    } as const;
    expect(reads({ heardAtMs }, aRecord({ findings: [awaited] }))).toEqual([
      "halted or waiting for an operator: 1 (alias/orders)",
      "monitoring of the drain: last canary event received 40d ago; one is expected for 1 (alias/orders)",
    ]);
  });

  test.each([
    ["GRANT_HOLDS_OLD_VERSION", "retired versions still needed: 1 (alias/orders)"],
    ["ORIGINATED_AFTER_ACTIVATION", "retired versions still needed: 1 (alias/orders)"],
    ["APPROVAL_REQUIRED", "approvals: 1 (alias/orders)"],
  ] as const)("names the keys that an operator decides on: %s", (code, observed) => {
    const awaited = { code, subject: "k-1", observed: "", next: "", sinceMs: 0 };
    expect(reads({}, aRecord({ findings: [awaited] }))).toEqual([
      "halted or waiting for an operator: 1 (alias/orders)",
      observed,
    ]);
  });

  test("names keys of another owner, unknown keys, and records that it cannot read", () => {
    const finding = {
      code: "UNKNOWN_KEY",
      subject: "k-1",
      observed: "",
      next: "",
      sinceMs: 0,
    } as const;
    const other = { ...finding, code: "OTHER_OWNER" } as const;
    const audit = { dueAtMs: nowMs + dayMs, findings: [finding] };
    expect(reads({ audit, unread: ["alias/new"] }, aRecord({ findings: [other] }))).toEqual([
      "halted or waiting for an operator: 1 (alias/orders)",
      "keys of another owner: 1 (alias/orders)",
      "record schemas: 1 (alias/new)",
      "unknown keys: 1 (k-1)",
    ]);
  });
});

test("doctor compares the clocks by the date of AWS's answer, unless --now is given", async () => {
  const env = await falseAws((response, _, operation) => {
    response.setHeader("date", new Date(Date.now() - 2 * hourMs).toUTCString());
    response.end(JSON.stringify(operation === "Query" ? { Items: [], Count: 0 } : {}));
  });
  const { stdout } = await typed(undefined, ["doctor"], env);
  expect(stdout).toMatch(/^WARN +this machine's clock: [12]h ahead of AWS's/m);
  expect(stdout).toMatch(/^ok +table: "keyturn" answers in \d+ ms$/m);
  const pretended = await typed(undefined, ["doctor", "--now", "2027-01-01"], env);
  expect(pretended.stdout).toMatch(/^ok +this machine's clock: not compared/m);
});
