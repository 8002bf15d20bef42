/** `npm start` as a user runs it: the real command, a short story, and failing proofs. */
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { beforeAll, describe, expect, test } from "vitest";
import { readConfiguration } from "../../lambda/configuration/configuration.ts";
import { makeFleet } from "../../demo/fleet.ts";
import { readOptions, UsageError } from "../../demo/options.ts";
import { prove, type Evidence, type Proof } from "../../demo/proof.ts";
import { choosePaint, type Entry } from "../../demo/timeline.ts";
import { dayMs } from "../fixtures.ts";
import { aWorld, type World } from "../world.ts";
import { ended, start, type Ended } from "./process.ts";

type Reported = Omit<Entry, "atMs"> & { kind: string; at: string };
function demo(args: string[], environment?: NodeJS.ProcessEnv): Promise<Ended> {
  return ended(start("demo/main.ts", args, environment));
}

describe("a short story", () => {
  let [json, plain, again]: Ended[] = [];
  let reported: Reported[] = [];
  let proof: Proof | undefined;

  beforeAll(async () => {
    const shortest = ["--days", "120", "--keys", "1", "--seed", "7"];
    // The user's AWS profile and endpoint must have no effect.
    const misleading = { AWS_PROFILE: "production", AWS_ENDPOINT_URL_KMS: "http://127.0.0.1:1" };
    [json, plain, again] = await Promise.all([
      demo(["--days", "200", "--keys", "2", "--seed", "7", "--json"]),
      demo(shortest, { TERM: "xterm" }),
      demo(shortest, misleading),
    ]);
    const lines = json?.stdout.trimEnd().split("\n") ?? [];
    reported = lines.slice(0, -1).map((line) => JSON.parse(line) as Reported);
    proof = JSON.parse(lines.at(-1) ?? "") as Proof;
  }, 600_000);

  test("ends with a proof that holds, and with exit code 0", () => {
    expect(json?.stderr).toBe("");
    expect(proof?.proofs.filter(({ ok }) => !ok)).toEqual([]);
    expect(proof).toMatchObject({ kind: "proof", ok: true, days: 200, orphansAdopted: 1 });
    expect(proof?.proofs.length).toBeGreaterThan(10);
    expect(proof?.items).toEqual({ produced: 68, readable: 68 });
    expect(proof?.rotations).toBeGreaterThanOrEqual(3);
    expect(proof?.runs).toMatchObject({ killed: 1, left: 1, failedPasses: 0 });
    expect(proof?.findings).toEqual({ raised: 3, putRight: 3 });
    expect(proof?.keysByState).toMatchObject({ deleted: 2 });
    expect(json?.code).toBe(0);
  });

  test("counts the calls of keyturn, the application and the operator separately", () => {
    expect(Object.keys(proof?.calls.keyturn.changing ?? {})).toEqual([
      ...["CreateKey", "DisableKey", "ScheduleKeyDeletion", "TagResource", "UpdateAlias"],
    ]);
    expect(proof?.calls.others.application).toMatchObject({ Encrypt: 34 });
    expect(proof?.calls.others.operator).toEqual({ UpdateAlias: 2 });
  });

  test("reports the five steps in order, each incident, and keyturn's reaction", () => {
    const steps = reported.flatMap(({ who, step, aliases }) =>
      who === "keyturn" && step !== undefined && aliases.includes("alias/orders") ? [step] : [],
    );
    const rotation = ["generate", "distribute", "activate", "drain", "revoke", "revoke", "revoke"];
    expect(steps.slice(0, 7)).toEqual(rotation);
    const text = reported.map(({ who, what }) => `${who}: ${what}`).join("\n");
    expect(text).toMatch(/machine: the run is killed[^]*keyturn: finds [^\n]* adopts it as v2/);
    expect(text).toMatch(/machine: two runs start[^]*keyturn: one run finds the run claim held/);
    expect(text).toMatch(/operator: moves the alias to v1[^]*keyturn: halts with ALIAS_MOVED/);
    expect(text).toMatch(/operator: moves the alias back to v2[^]*keyturn: closes ALIAS_MOVED/);
    expect(text).toMatch(/application: reads or verifies every item that it ever made: 34 of 34/);
    expect(text).toMatch(
      /operator: requests a rollback of v2[^]*keyturn: v1 is active again; v2 drains/,
    );
    expect(text).toMatch(/application: tries to decrypt[^]*keyturn: enables v1 and v2 again/);
    expect(text).toMatch(
      /mode plan: would call CreateKey[^]*in mode act, a day later: calls CreateKey/,
    );
    const dates = reported.map(({ at }) => at);
    expect(dates).toEqual(dates.toSorted());
  });

  test("prints the same story for the same seed, in any AWS environment", () => {
    expect(again?.stdout).toBe(plain?.stdout);
  });

  test("prints text by default, without colour into a pipe", () => {
    expect(plain).toMatchObject({ code: 0, stderr: "" });
    const lines = plain?.stdout.split("\n") ?? [];
    expect(lines[0]).toBe(
      "keyturn rotates one KMS key for 120 simulated days, in an AWS embedded in this process.",
    );
    expect(lines.at(-2)).toMatch(/^All \d+ proofs hold\.$/);
    expect(plain?.stdout).not.toContain("\u001b");
    expect(plain?.stdout).toMatch(
      /\n2027-03-\d\d 06:50 {2}machine {6}generate {4}alias\/orders: the run/,
    );
  });
});

describe("the command line", () => {
  test.each([
    [["--keys", "0"], '--keys: got "0", expected a whole number from 1 to 200'],
    [["--keys", "201"], "from 1 to 200"],
    [["--days", "1.5"], '--days: got "1.5", expected a whole number from 120 to 3650'],
    [["--days", "119"], "from 120 to 3650"],
    [["--seed", "x"], "--seed"],
    [["--seed", ""], "--seed"],
    [["--port", "80"], "--serve"],
    [["--serve", "--port", "70000"], "from 1 to 65535"],
    [["--serve", "--days", "0"], "from 1 to 3650"],
    [["--colour"], "Unknown option '--colour'"],
    [["300"], "Unexpected argument '300'"],
  ])("rejects %j", (args, message) => {
    expect(() => readOptions(args)).toThrow(UsageError);
    expect(() => readOptions(args)).toThrow(message);
  });

  test("a usage error exits with 2, prints the reason on stderr and starts nothing", async () => {
    const { code, stdout, stderr } = await demo(["--keys", "none"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^--keys: got "none"/);
    expect(stderr).toContain("npm start -- [--days N]");
  });

  test("--help lists every option", async () => {
    const { code, stdout } = await demo(["--help"]);
    expect(code).toBe(0);
    for (const flag of ["--days", "--keys", "--seed", "--json", "--serve", "--port"]) {
      expect(stdout).toContain(flag);
    }
  });

  test.each([
    [{}, true, true],
    [{}, false, false],
    [{ NO_COLOR: "1" }, true, false],
    [{ NO_COLOR: "" }, true, true],
    [{ TERM: "dumb" }, true, false],
    [{ FORCE_COLOR: "1" }, false, true],
    [{ FORCE_COLOR: "0" }, true, false],
  ])("in an environment of %j, on a terminal: %s, colour: %s", (environment, isTty, colour) => {
    const text = choosePaint(environment, isTty)("red", "text");
    expect(text).toBe(colour ? "\u001b[31mtext\u001b[39m" : "text");
  });
});

describe("--serve", () => {
  test("serves the fleet, advances its clock, runs keyturn, and stops on SIGINT", async () => {
    const child = start("demo/main.ts", ["--serve", "--keys", "2", "--json"]);
    const end = ended(child);
    const lines = createInterface({ input: child.stdout ?? process.stdin });
    const [first] = (await once(lines, "line")) as [string];
    const { env } = JSON.parse(first) as { env: Record<string, string> };
    expect(env.AWS_DEFAULT_REGION).toBe(env.AWS_REGION);
    const endpoint = env.AWS_ENDPOINT_URL ?? "";
    const at = (path: string, init?: RequestInit) => fetch(`${endpoint}/_keyturn/${path}`, init);

    expect(await (await at("health")).json()).toMatchObject({ status: "ok" });
    const before = (await (await at("clock")).json()) as { nowMs: number };
    const body = JSON.stringify({ advanceMs: 10 * dayMs });
    const moved = (await (await at("clock", { method: "POST", body })).json()) as typeof before;
    expect(moved.nowMs - before.nowMs).toBeGreaterThanOrEqual(10 * dayMs);
    expect(moved.nowMs - before.nowMs).toBeLessThan(11 * dayMs);

    const path = env.KEYTURN_CONFIG ?? "";
    expect(readConfiguration(readFileSync(path, "utf8")).managedKeys).toHaveLength(2);
    const tick = await ended(start("cli/tick.ts", ["--now", String(moved.nowMs)], env));
    expect(tick.stdout).toContain('"outcome":"worked"');
    expect(await (await at("events")).text()).toContain("Rotation enrolled");
    const event = join(dirname(path), "attempt.json");
    writeFileSync(
      event,
      JSON.stringify({ source: "acme", detail: { eventSource: "kms.amazonaws.com" } }),
    );
    const reported = await ended(start("cli/tick.ts", ["--event", event], env));
    expect(reported.stdout).toContain('"outcome":"ignored"');
    const missing = await ended(start("cli/tick.ts", ["--event", `${event}.missing`], env));
    expect(missing).toMatchObject({ code: 2, stdout: "" });
    expect(missing.stderr).toMatch(/--event: got .*no such file.*expected a file that holds JSON/);

    child.kill("SIGINT");
    expect((await end).code).toBe(0);
    expect(existsSync(path)).toBe(false);
    await expect(at("health")).rejects.toThrow();
  });
});

describe("a proof FAILED", () => {
  let world: World;
  let evidence: Evidence;

  beforeAll(async () => {
    world = await aWorld();
    await world.passDays(200);
    evidence = {
      days: 200,
      nowMs: world.clock.nowMs(),
      fleet: makeFleet(1).map((member) => ({
        ...member,
        aliases: [member.alias],
        retire: "disable",
      })),
      kms: world.kms,
      observer: { observations: 1, violations: [], calls: {} } as unknown as Evidence["observer"],
      runs: { worked: 1, nothingDue: 0, left: 1, killed: 1, failedPasses: 0, outOfTime: 0 },
      records: [await world.record()],
      lines: world.events,
      memory: { overlapLeft: true },
      victims: { kill: "alias/orders", overlap: "alias/orders", hand: "alias/orders" },
      items: { produced: 3, readable: 3, lost: [] },
      refused: [],
    };
  });

  /** The failing proofs, by the first three words of their names. */
  const failing = (changes: Partial<Evidence>): string[] =>
    prove({ ...evidence, ...changes })
      .proofs.filter(({ ok }) => !ok)
      .map(({ name }) => name.split(" ").slice(0, 3).join(" "));

  /** An incident that never happened fails too. */
  const neverHappened = ["keyturn adopted the", "the alias moved"];

  test("only for the incidents that never happened, if all is well", () => {
    expect(failing({})).toEqual(neverHappened);
  });

  test("for an unreadable item, a failed request, an alias without a key", () => {
    const items = { produced: 3, readable: 2, lost: ["item 2"] };
    expect(failing({ items })).toContain("everything ever encrypted,");
    expect(failing({ refused: ["item 4"] })).toContain("no request of");
    const observer = { ...evidence.observer, violations: ["alias/orders"] };
    expect(failing({ observer: observer as Evidence["observer"] })).toContain("no alias ever");
  });

  test("for a journal with a changed line, a lost line, two swapped lines", () => {
    const [first, second, ...rest] = evidence.lines;
    if (first === undefined || second === undefined) throw new Error("no journal");
    const changed = [{ ...first, reason: "another" }, second, ...rest];
    for (const lines of [changed, [first, ...rest], [second, first, ...rest]]) {
      expect(failing({ lines })).toContain("every journal arrived");
    }
  });

  test("for a key past its cryptoperiod, a failed run, a run that did not exit", () => {
    expect(failing({ nowMs: evidence.nowMs + 90 * dayMs })).toContain("no key is");
    expect(failing({ runs: { ...evidence.runs, failedPasses: 1 } })).toContain("no run failed");
    expect(failing({ memory: {} })).toContain("of two overlapping");
  });

  test("for an enabled old version, an orphan, an alias that points at another key", async () => {
    const [old] = evidence.records[0]?.versions ?? [];
    await world.ask("EnableKey", { KeyId: old?.keyId });
    expect(failing({})).toContain("every retired version");
    await world.ask("CreateKey", {});
    expect(failing({})).toContain("every KMS key");
    await world.ask("UpdateAlias", { AliasName: "alias/orders", TargetKeyId: old?.keyId });
    expect(failing({})).toContain("each managed key");
  });
});
