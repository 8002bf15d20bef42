/**
 * The linter enforces the boundaries of the architecture: these tests give it code that must fail.
 * They also check what no linter rule covers: sizes, leftovers, traces of a machine.
 */
import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { ESLint } from "eslint";
import tseslint from "typescript-eslint";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");

/** The real configuration, without type information: the snippets are in no project. */
const eslint = new ESLint({
  cwd: root,
  overrideConfig: tseslint.configs.disableTypeChecked as NonNullable<
    ESLint.Options["overrideConfig"]
  >,
});

async function messagesOf(file: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(`${code}\n`, { filePath: join(root, file) });
  return (result?.messages ?? []).map(({ ruleId, message }) => `${ruleId}: ${message}`);
}

const pure = /no-restricted-(syntax|globals).*lambda\/workflow is pure/s;
const sibling = /no-restricted-syntax: lambda\/workflow imports only itself/;
const sdk = /no-restricted-syntax: AWS SDKs belong to lambda\/aws/;
const ambient = /no-restricted-syntax: Pass time, randomness and ids as arguments/;
const literal = /no-restricted-syntax: Name the module literally/;
const createdRequire = /no-restricted-syntax: A require\(\) from createRequire/;

const workflow = "lambda/workflow/x.ts";
const room = "lambda/workflow/room/x.ts";
const run = "lambda/run/run.ts";

describe("the linter rejects", () => {
  it.each<[file: string, code: string, message: RegExp]>([
    [workflow, 'import { createHash } from "node:crypto"; createHash("x");', sibling],
    [workflow, 'import { readFileSync } from "fs"; readFileSync("x");', sibling],
    [workflow, 'import * as z from "zod/mini"; z.string();', sibling],
    [workflow, 'import { run } from "../run.ts"; run();', sibling],
    [workflow, 'import { run } from "./../run.ts"; run();', sibling],
    [workflow, 'import { run } from "./room/deep/run.ts"; run();', sibling],
    [room, 'import { run } from "../../run.ts"; run();', sibling],
    [room, 'import { run } from "../../run/run.ts"; run();', sibling],
    [room, 'import { run } from "./../../run.ts"; run();', sibling],
    [room, 'import { run } from "../room/deep/run.ts"; run();', sibling],
    [room, 'import * as z from "zod/mini"; z.string();', sibling],
    [room, "export const t = Date.now();", pure],
    [workflow, 'import { run } from "./step.js"; run();', sibling],
    [workflow, 'import type { Clock } from "../ports.ts"; export type C = Clock;', sibling],
    [workflow, 'export { run } from "../run.ts";', sibling],
    [workflow, 'export * from "../run.ts";', sibling],
    [workflow, 'export type C = import("../ports.ts").Clock;', sibling],
    [workflow, 'import "../run.ts";', sibling],
    [workflow, 'export const x = () => import("./step.ts");', pure],
    [workflow, 'export const x = require("./step.ts");', pure],
    [workflow, 'import x = require("./step.ts"); export default x;', pure],
    [workflow, "export const x = import.meta.url;", pure],
    [workflow, "export async function f() {}", pure],
    [workflow, "export const f = async () => {};", pure],
    [workflow, "export const o = { async f() {} };", pure],
    [workflow, "await f(); function f() {}", pure],
    [workflow, "export function f(x: Iterable<number>) { for await (const y of x) y; }", pure],
    [workflow, "export const f = (x: Promise<1>) => x;", pure],
    [workflow, "export const f = (x: Date) => x;", pure],
    [workflow, "export const t = Date.now();", pure],
    [workflow, "export const t = new Date();", pure],
    [workflow, "export const t = new Date(0);", pure],
    [workflow, "export const r = Math.random();", pure],
    [workflow, 'export const r = Math["random"]();', pure],
    [workflow, "const { random } = Math; export const r = random();", pure],
    [workflow, "export const id = crypto.randomUUID();", pure],
    [workflow, "export const t = performance.now();", pure],
    [workflow, "setTimeout(() => undefined, 1);", pure],
    [workflow, "export const e = process.env.HOME;", pure],
    [workflow, "export const e = globalThis.Date.now();", pure],
    [workflow, 'fetch("x");', pure],
    [workflow, "export const t = Temporal.Now.instant();", pure],
    [workflow, "export const t = new Intl.DateTimeFormat().format();", pure],
    [workflow, 'console.log("x");', pure],
    [run, 'import { KMSClient } from "@aws-sdk/client-kms"; new KMSClient();', sdk],
    [run, 'import type { KMSClient } from "@aws-sdk/client-kms"; export type K = KMSClient;', sdk],
    [run, 'export type K = import("@aws-sdk/client-kms").KMSClient;', sdk],
    [run, 'export { KMSClient } from "@aws-sdk/client-kms";', sdk],
    [run, 'export * from "@smithy/types";', sdk],
    [run, 'export const x = await import("@aws-sdk/client-kms");', sdk],
    [run, 'export const x = require("@aws-sdk/client-kms");', sdk],
    [run, 'import x = require("@aws-sdk/client-kms"); export default x;', sdk],
    [run, 'const name = "x"; export const x = await import(name);', literal],
    [run, 'import { createRequire } from "node:module"; createRequire("x");', createdRequire],
    ["lambda/handler.ts", 'import { KMSClient } from "@aws-sdk/client-kms"; new KMSClient();', sdk],
    ["infra/stack.ts", 'import { KMSClient } from "@aws-sdk/client-kms"; new KMSClient();', sdk],
    [run, "export const t = Date.now();", ambient],
    [run, 'export const t = Date["now"]();', ambient],
    [run, "const { now } = Date; export const t = now();", ambient],
    [run, "export const t = new Date();", ambient],
    [run, "export const t = Date();", ambient],
    [run, "export const r = Math.random();", ambient],
    [run, 'import { randomUUID } from "node:crypto"; export const id = randomUUID();', ambient],
    [run, "export const id = crypto.randomUUID();", ambient],
    [run, "export const t = performance.now();", ambient],
    [run, "if (Number(process.argv) == 1) run(); function run() {}", /^eqeqeq:/],
    [run, Array.from({ length: 301 }, () => "").join("\n"), /^max-lines:/],
    [run, `export function f() {${"\n".repeat(70)}}`, /^max-lines-per-function:/],
    [run, 'import { Clock } from "./ports.ts"; export type C = Clock;', /consistent-type-imports/],
  ])("in %s: %s", async (file, code, message) => {
    expect((await messagesOf(file, code)).join("\n")).toMatch(message);
  });
});

describe("the linter accepts", () => {
  it.each<[file: string, code: string]>([
    [workflow, 'import { step } from "./1-generate.ts"; step(Math.max(1, 2));'],
    [workflow, 'import type { Step } from "./types.ts"; export type S = Step;'],
    [workflow, "export function f(process: { now: number }) { return process.now; }"],
    [run, "export const t = (nowMs: number) => new Date(nowMs).toISOString();"],
    [run, 'import { decide } from "./workflow/workflow.ts"; await decide();'],
    ["lambda/handler.ts", "export const t = Date.now() + new Date().getTime();"],
    ["lambda/aws/kms.ts", 'import { KMSClient } from "@aws-sdk/client-kms"; new KMSClient();'],
    ["lambda/aws/clock.ts", "export const nowMs = () => Date.now();"],
    ["demo/main.ts", 'import { KMSClient } from "@aws-sdk/client-kms"; new KMSClient();'],
    ["cli/tick.ts", 'import { KMSClient } from "@aws-sdk/client-kms"; new KMSClient();'],
    ["test/x.test.ts", `export function f() {${"\n".repeat(80)}}`],
  ])("in %s: %s", async (file, code) => {
    expect(await messagesOf(file, code)).toEqual([]);
  });
});

/** Paths of the project's own files, relative to its root. */
function listFiles(folder = root): string[] {
  const others = new Set(["node_modules", ".git", "cdk.out", "coverage", "dist"]);
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (others.has(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? listFiles(path) : [relative(root, path)];
  });
}

/** `path:line` of every line of the files that matches. */
function findLines(files: string[], pattern: RegExp): string[] {
  return files.flatMap((file) => {
    const lines = readFileSync(join(root, file), "utf8").split("\n");
    return lines.flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}`] : []));
  });
}

describe("the tree", () => {
  const files = listFiles();
  const sources = files.filter((file) => /\.[jt]s$/.test(file));

  it("has no source file over 300 lines", () => {
    const isLong = (file: string) => {
      return readFileSync(join(root, file), "utf8").trimEnd().split("\n").length > 300;
    };
    expect(sources.filter(isLong)).toEqual([]);
  });

  it("has no focused or skipped test, and no open task in a comment", () => {
    expect(findLines(sources, /\.(only|skip)\(|\b(TO[D]O|FIX[M]E)\b/)).toEqual([]);
  });

  it("names no package registry", () => {
    expect(
      findLines(files, /registry\.(npm|yarn)|"resolve[d]":|_auth[T]oken|codeartifac[t]/i),
    ).toEqual([]);
  });

  it("names no folder of a developer's machine", () => {
    expect(findLines(files, /(^|[\s"'`(=:])\/(home|Users|root|work|mnt)\/\w/)).toEqual([]);
  });
});
