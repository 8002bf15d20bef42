import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { frameOf } from "../../cli/terminal/frame.ts";
import { Account } from "../infra/account.ts";
import { document, orders } from "../infra/least-privilege-histories.ts";
import { binary, nowOf, operatorOf } from "./binary.ts";
import { anything } from "./fleet.ts";

describe("a frame", () => {
  const lines = ["ALIAS  WHY", "one", "two", "three", "four"];
  const picture = { title: "now", trouble: "", lines, notes: ["4 managed keys"] };

  test("has all lines if the terminal is high enough", () => {
    expect(frameOf(picture, 20, 80)).toEqual(["now", ...lines, "4 managed keys"]);
  });

  test("counts the other lines if it is not", () => {
    expect(frameOf(picture, 5, 80)).toEqual([
      "now",
      "ALIAS  WHY",
      "one",
      "… and 3 more lines",
      "4 managed keys",
    ]);
  });

  test("shows the failure, and is never higher or wider than the terminal", () => {
    const failed = frameOf({ ...picture, trouble: "it cannot be reached" }, 4, 9);
    expect(failed).toHaveLength(4);
    expect(failed[1]).toBe("it canno…");
  });
});

describe("status --watch", () => {
  let account: Account;
  beforeAll(async () => {
    account = await Account.deployed({ document }, [anything]);
    account.makeKey(orders);
    await account.passDays(1);
  });
  afterAll(() => account.close());

  /** Runs a command, calls `then` with all output so far at each output, and waits for its end. */
  async function watched(
    command: string[],
    then: (printed: string, interrupt: () => void) => void,
  ): Promise<{ stdout: string; stderr: string; code: number | null }> {
    const env = { PATH: process.env.PATH, TERM: "xterm", ...operatorOf(account) };
    const [program = "", ...args] = command;
    const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    const printed = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].on("data", (chunk) => {
        printed[stream] += String(chunk);
        then(printed.stdout + printed.stderr, () => child.kill("SIGINT"));
      });
    }
    const [code] = (await once(child, "close")) as [number | null];
    return { ...printed, code };
  }

  const watching = [process.execPath, binary, "status", "--watch", "0.2"];

  test("in a pipe prints one block with its time after the other, and exits with 0 on SIGINT", async () => {
    const { stdout, stderr, code } = await watched(
      [...watching, "--now", "2027-01-02T00:10:00Z"],
      (printed, interrupt) => printed.split("alias/orders").length > 2 && interrupt(),
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^2027-01-02 00:10:0\d UTC\nALIAS .*\nalias\/orders /);
    expect(stdout).toMatch(/\n\n2027-01-02 00:10:0\d UTC\nALIAS /);
    expect(stderr).toMatch(/^1 managed key, /);
    expect(stdout).not.toContain("\u001b");
  });

  test("as JSON prints one document a line", async () => {
    const { stdout, code } = await watched([...watching, "--json"], (printed, interrupt) => {
      if (printed.split("\n").length > 2) interrupt();
    });
    expect(code).toBe(0);
    for (const line of stdout.trimEnd().split("\n")) {
      expect(JSON.parse(line)).toMatchObject({ schema: "keyturn/status/2" });
    }
  });

  test("continues when the table fails for a while, and reports that", async () => {
    const { stdout, stderr, code } = await watched(watching, (printed, interrupt) => {
      const blocks = printed.split("alias/orders").length - 1;
      const isReported = printed.includes("lack the permission");
      account.aws.fault =
        blocks === 1 && !isReported
          ? () => ({ kind: "before", code: "AccessDeniedException", status: 400 })
          : undefined;
      if (isReported && blocks > 1) interrupt();
    });
    account.aws.fault = undefined;
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /these credentials lack the permission.*this is the last answer before the failure/,
    );
    expect(stdout).toMatch(/alias\/orders [^]*alias\/orders /);
  });

  test("of a table that does not exist ends at once", async () => {
    const none = await watched([...watching, "--table", "other"], () => undefined);
    expect(none).toMatchObject({ code: 3, stdout: "" });
  });

  test("on a terminal overwrites its last frame, and restores the terminal", async () => {
    const typed = [...watching, ...nowOf(account)].map((word) => `'${word}'`).join(" ");
    // util-linux' `script` gives it a terminal; Ctrl-C goes to the shell's child.
    const inTerminal = `stty rows 6 cols 40; exec ${typed}`;
    const script = ["script", "-qefc", inTerminal, "/dev/null"];
    const { stdout, code } = await watched(
      ["bash", "-c", `(sleep 3; printf '\\003') | ${script.map(quoted).join(" ")}`],
      () => undefined,
    );
    expect(stdout).toContain("\u001b[?1049h\u001b[?25l");
    expect(stdout.split("\u001b[H").length).toBeGreaterThan(3);
    expect(stdout).toMatch(/Ctrl-C ends/);
    expect(stdout).not.toContain("\u001b[2J");
    expect(stdout.trimEnd().endsWith("\u001b[?25h\u001b[?1049l")).toBe(true);
    expect(code).toBe(0);
  });
});

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
