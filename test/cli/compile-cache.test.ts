/** The compile cache of the command, and the environments without one. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { beforeEach, afterEach, describe, expect, test } from "vitest";
import { binary } from "./binary.ts";

/** Far more than a start takes. The test kills a start that never ends. */
const timeout = 30_000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keyturn-compile-cache-"));
});
afterEach(() => {
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true });
});

/** Starts the command in an empty directory; `limit` is the shell's limit on file sizes. */
async function started(env: Record<string, string>, limit = "unlimited") {
  const command = `ulimit -f ${limit}; exec "${process.execPath}" "${binary}" explain ALIAS_MOVED`;
  const cwd = join(folder, "working-directory");
  mkdirSync(cwd, { recursive: true });
  const child = spawn("bash", ["-c", command], {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout,
    killSignal: "SIGKILL",
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  return { answer: stdout.split(" ")[0], stderr, code, littered: readdirSync(cwd) };
}

const works = { answer: "ALIAS_MOVED", stderr: "", code: 0, littered: [] };

/** All files in the folder, at any depth. */
function files(): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}

const emptyFiles = (): string[] => files().filter((path) => statSync(path).size === 0);

describe("the command works, and writes nothing, if", () => {
  test.each<[what: string, env: Record<string, string>]>([
    ["no directory can be made in the home directory", { HOME: "/proc" }],
    ["the home directory is a file", { HOME: "/dev/null" }],
    ["the home directory does not exist", { HOME: "/nonexistent/home" }],
    ["the home directory is a relative path", { HOME: "relative" }],
    ["the home directory is empty", { HOME: "" }],
    ["no home directory is set", {}],
    ["no directory can be made in the cache directory", { XDG_CACHE_HOME: "/proc" }],
    ["the cache directory is a relative path", { XDG_CACHE_HOME: "relative" }],
  ])("%s", async (_, env) => {
    expect(await started(env)).toEqual(works);
    expect(files()).toEqual([]);
  });

  test("the cache directory is a symbolic link to nowhere", async () => {
    symlinkSync(join(folder, "nowhere", "at", "all"), join(folder, "keyturn"));
    expect(await started({ XDG_CACHE_HOME: folder })).toEqual(works);
    expect(files()).toEqual([]);
  });
});

test("the command works if the cache directory is read-only", async () => {
  expect(await started({ XDG_CACHE_HOME: folder })).toEqual(works);
  chmodSync(folder, 0o500);
  expect(await started({ XDG_CACHE_HOME: folder })).toEqual(works);
  expect(emptyFiles()).toEqual([]);
});

test("a second start compiles nothing", async () => {
  expect(await started({ HOME: folder })).toEqual(works);
  const written = files().map((path) => ({ path, atMs: statSync(path).mtimeMs }));
  expect(written.length).toBeGreaterThan(10);
  expect(await started({ HOME: folder })).toEqual(works);
  expect(files().map((path) => ({ path, atMs: statSync(path).mtimeMs }))).toEqual(written);
});

// A limit on the file size fails a write like a full disk, in any directory and for any user.
describe("on a full disk", () => {
  test("repeated starts leave no file", async () => {
    for (let start = 0; start < 3; start += 1) {
      expect(await started({ XDG_CACHE_HOME: folder }, "0")).toEqual(works);
      expect(files()).toEqual([]);
    }
  });

  test("a complete cache has no empty file afterwards", async () => {
    await started({ XDG_CACHE_HOME: folder });
    rmSync(files()[0] ?? "");
    expect(await started({ XDG_CACHE_HOME: folder }, "0")).toEqual(works);
    expect(emptyFiles()).toEqual([]);
  });
});

test("a start removes the empty files of earlier ones, and the next one rebuilds the cache", async () => {
  await started({ XDG_CACHE_HOME: folder });
  const [entry = ""] = files();
  for (const suffix of ["Sk6gC0", "pvj6u5"]) writeFileSync(`${entry}.${suffix}`, "");
  expect(emptyFiles()).toHaveLength(2);
  expect(await started({ XDG_CACHE_HOME: folder })).toEqual(works);
  expect(emptyFiles()).toEqual([]);
  await started({ XDG_CACHE_HOME: folder });
  expect(files().length).toBeGreaterThan(10);
});
