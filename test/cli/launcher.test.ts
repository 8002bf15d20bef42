/** The file that npm links as `keyturn`, run by a new enough Node and by one that claims to be older. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";

const launcher = join(import.meta.dirname, "../../cli/keyturn.js");
const older = `data:text/javascript,Object.defineProperty(process,"versions",{value:{node:"20.1.0"}})`;

async function launched(path: string, options: string[], args: string[]) {
  const child = spawn(process.execPath, [...options, path, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  return { stdout, stderr, code };
}

test("it runs directly if Node is new enough", async () => {
  const { stdout, code } = await launched(launcher, [], ["--help"]);
  expect(stdout).toMatch(/^Usage: keyturn /);
  expect(code).toBe(0);
});

test("it starts the Node among its packages if this one is too old", async () => {
  const done = await launched(launcher, ["--import", older], ["explain", "ALIAS_MOVED", "--json"]);
  expect(JSON.parse(done.stdout)).toMatchObject({ code: "ALIAS_MOVED" });
  expect(done).toMatchObject({ stderr: "", code: 0 });
  const not = await launched(launcher, ["--import", older], ["explain", "NOTHING_OF_THE_KIND"]);
  expect(not.code).toBe(4);
});

test("it reports in one sentence that Node is too old if there is no other", async () => {
  const folder = mkdtempSync(join(tmpdir(), "keyturn-launcher-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const alone = join(folder, "keyturn.mjs");
  copyFileSync(launcher, alone);
  const { stdout, stderr, code } = await launched(alone, ["--import", older], ["status"]);
  expect({ stdout, code }).toEqual({ stdout: "", code: 2 });
  expect(stderr).toMatch(
    /^keyturn: needs Node.js 24 or newer; this is v\S+, and there is no newer one among its packages\.\n$/,
  );
});
