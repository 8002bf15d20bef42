/** `.dependency-cruiser.cjs` fails on every import that runs upward, on a cycle, on a file in no room. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { cruise, type ICruiseResult, type IConfiguration } from "dependency-cruiser";
import { expect, onTestFinished, test } from "vitest";

const config = createRequire(import.meta.url)("../../.dependency-cruiser.cjs") as IConfiguration;

/** A file of each room, from the top down. */
const rooms = [
  "test/x.ts",
  "emulator/x.ts",
  "demo/x.ts",
  "cli/program.ts",
  "cli/commands/x.ts",
  "cli/status/x.ts",
  "cli/forecast/x.ts",
  "cli/journal/x.ts",
  "cli/session.ts",
  "cli/terminal/x.ts",
  "infra/x.ts",
  "sim/x.ts",
  "embedded-aws/x.ts",
  "lambda/function.ts",
  "lambda/aws/x.ts",
  "lambda/run/x.ts",
  "lambda/chores/x.ts",
  "lambda/pass/x.ts",
  "lambda/inbound/x.ts",
  "lambda/configuration/x.ts",
  "lambda/record/x.ts",
  "lambda/telemetry/x.ts",
  "lambda/ports.ts",
  "lambda/workflow/workflow.ts",
  "lambda/workflow/4-drain.ts",
  "lambda/workflow/revoke/x.ts",
  "lambda/workflow/requests/x.ts",
  "lambda/workflow/drift/x.ts",
  "lambda/workflow/restore/x.ts",
  "lambda/workflow/enrolment/x.ts",
  "lambda/workflow/safety/x.ts",
  "lambda/workflow/model/x.ts",
];

/** Violations as `rule: from → to`, in a tree where each file imports the types of those listed. */
async function violationsOf(imports: Record<string, string[]>): Promise<string[]> {
  const baseDir = mkdtempSync(join(tmpdir(), "keyturn-rooms-"));
  onTestFinished(() => rmSync(baseDir, { recursive: true }));
  writeFileSync(join(baseDir, "tsconfig.json"), "{}");
  for (const [file, others] of Object.entries(imports)) {
    const lines = others.map((other, index) => {
      const path = relative(dirname(file), other);
      return `import type { X as X${index} } from "${path.startsWith(".") ? path : `./${path}`}";`;
    });
    mkdirSync(join(baseDir, dirname(file)), { recursive: true });
    writeFileSync(join(baseDir, file), `${lines.join("\n")}\nexport type X = 1;\n`);
  }
  const { forbidden = [] } = config;
  const options = { ...config.options, baseDir, validate: true, ruleSet: { forbidden } };
  const { output } = await cruise(["."], options);
  const { violations } = (output as ICruiseResult).summary;
  return violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);
}

test("an import that runs downward passes, from every room into every room below it", async () => {
  const tree = Object.fromEntries(rooms.map((file, index) => [file, rooms.slice(index + 1)]));
  expect(await violationsOf(tree)).toEqual([]);
});

test("an import that runs upward fails, from every room into every room above it", async () => {
  const tree = Object.fromEntries(rooms.map((file, index) => [file, rooms.slice(0, index)]));
  const violations = await violationsOf(tree);
  const pairs = rooms.flatMap((file, index) =>
    rooms.slice(0, index).map((above) => `${file} → ${above}`),
  );
  const missing = pairs.filter((pair) => !violations.some((one) => one.endsWith(pair)));
  expect([pairs.length, missing]).toEqual([496, []]);
});

test("a cycle within a room fails, even of types alone", async () => {
  const folders = [...new Set(rooms.map((file) => dirname(file)))];
  const pairs = folders.map((room) => [`${room}/1-a.ts`, `${room}/1-b.ts`] as const);
  const tree = pairs.flatMap(([one, other]) => [[one, [other]] as const, [other, [one]] as const]);
  const violations = await violationsOf(Object.fromEntries(tree) as Record<string, string[]>);
  const cycles = violations.filter((what) => what.startsWith("no cycle"));
  expect(cycles).toHaveLength(folders.length);
});

test("a file that is in no room fails", async () => {
  for (const file of ["lambda/x.ts", "lambda/new/x.ts", "lambda/workflow/x.ts", "cli/x.ts"]) {
    expect(await violationsOf({ [file]: [] }), file).toEqual([]);
    const violations = await violationsOf({ [file]: ["lambda/errors.ts"], "lambda/errors.ts": [] });
    expect(violations, file).toEqual([`no room of no name: ${file} → lambda/errors.ts`]);
  }
});
