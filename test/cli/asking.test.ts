import { describe, expect, test } from "vitest";
import { configurationHash, parseConfiguration } from "../../lambda/configuration/configuration.ts";
import { document, orders } from "../infra/least-privilege-histories.ts";
import { after, deployedYoung, nextSecond, open, shared, type } from "./typing.ts";

const young = shared(deployedYoung);
const payroll = "alias/team-blue/payroll";

describe("enrol", () => {
  test("enrols a key that the configuration does not name", async () => {
    const account = await after(2, open);
    const key = account.makeKey(payroll);
    const asked = await type(
      account,
      "enrol",
      payroll,
      "--policy",
      "short",
      "--reason",
      "ours now",
    );
    expect(asked.code).toBe(0);
    await account.passDays(1);
    const { stdout } = await type(account, "status", payroll);
    expect(stdout).toContain(key);
    expect((await type(account, "history", payroll)).stdout).toContain("ours now");
  });

  test.each([
    ["an unknown policy", payroll, "shorty", 2, "Did you mean short?"],
    ["an alias that no pattern allows", "alias/others", "short", 1, "its patterns: alias/team-*"],
    ["a managed key", orders, "short", 1, "is already a managed key"],
  ])("with %s is rejected at once", async (_, alias, policy, code, message) => {
    const account = await young();
    const answer = await type(account, "enrol", alias, "--policy", policy);
    expect(answer).toMatchObject({ code, stdout: "" });
    expect(answer.stderr).toContain(message);
  });
});

describe("a request", () => {
  test("shows its effect, and is rejected at once if the function would reject it", async () => {
    const account = await after(2);
    const first = await type(account, "rotate", orders);
    expect(first.stderr).toContain("CreateKey v2");
    await nextSecond();
    const again = await type(account, "rotate", orders);
    expect(again).toMatchObject({ code: 1, stdout: "" });
    expect(again.stderr).toContain("a rotation is already requested");
    expect((await type(account, "rotate", orders, "--anyway")).code).toBe(0);
  });

  test("is written even if its effect cannot be predicted", async () => {
    const account = await after(2);
    await account.rewrite("record", { extras: [null] });
    const { code, stderr } = await type(account, "pause", orders);
    expect([code, stderr]).toEqual([0, expect.stringContaining("cannot be predicted: ")]);
    const { stdout } = await type(account, "status", orders, "--json");
    expect(JSON.parse(stdout)).toMatchObject({ requests: [{}] });
  });

  test("notes that mode plan makes no calls", async () => {
    const account = await after(2);
    const hash = configurationHash(parseConfiguration(document));
    await account.rewrite("applied", { mode: "plan" }, `configuration#${hash}`);
    const { stderr } = await type(account, "rotate", orders);
    expect(stderr).toContain("The deployment is in mode plan");
  });

  test("to roll back means the active version by default", async () => {
    const account = await after(70);
    const { stdout } = await type(account, "rollback", orders, "--json");
    expect(JSON.parse(stdout)).toMatchObject({ request: { kind: "rollback", version: 2 } });
    await account.passDays(1);
    expect(await account.states(orders)).toEqual(["active", "draining"]);
  });

  test("to resume past the cryptoperiod reports that a rotation opens at once", async () => {
    const account = await after(70);
    await type(account, "rollback", orders);
    await account.passDays(1);
    const { stdout } = await type(account, "status", orders);
    expect(stdout).toMatch(/^OVERDUE .*\n.*\n {2}next: npx keyturn resume alias\/orders$/m);
    const { stderr } = await type(account, "resume", orders);
    expect(stderr).toContain("A new rotation opens at once: cryptoperiod ended.");
    await account.passDays(1);
    expect((await type(account, "history", orders)).stdout).toContain("cryptoperiod ended");
  });

  test("to approve binds to the evidence in the finding, and requires the alias", async () => {
    const policies = { short: { ...document.policies.short, approval: "revoke" as const } };
    const account = await after(85, { policies });
    expect((await account.findings(orders)).map(({ code }) => code)).toEqual(["APPROVAL_REQUIRED"]);
    expect((await type(account, "status", orders)).stdout).toContain("waits for an approval\n");
    const shown = await type(account, "approve", orders);
    expect(shown).toMatchObject({ code: 2, stdout: "" });
    expect(shown.stderr).toMatch(/to disable version 1, .*evidence [0-9a-f]{64}/s);
    expect((await type(account, "approve", orders, "--confirm", orders)).code).toBe(0);
    await account.passDays(1);
    expect(await account.states(orders)).toEqual(["disabled", "active"]);
    expect((await type(account, "status", orders)).stdout).toMatch(
      /^ {2}approved {2}DisableKey of v1 by .+ at \d{4}-[\d-]+ [\d:]+$/m,
    );
  });
});
