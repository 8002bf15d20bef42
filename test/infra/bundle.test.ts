import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundle, projectFolder } from "../../infra/bundle.ts";
import { readConfiguration } from "../../lambda/config.ts";

describe("the function's package", () => {
  const folders = ["a", "b"].map((name) => mkdtempSync(join(tmpdir(), `keyturn-${name}-`)));
  const [first = "", second = ""] = folders;
  const example = readFileSync(join(projectFolder, "keyturn.example.json"), "utf8");
  beforeAll(() => {
    for (const folder of folders) {
      bundle(join(projectFolder, "lambda/handler.ts"), JSON.parse(example), folder);
    }
  });
  afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

  it("is one module and the configuration beside it", () => {
    expect(readdirSync(first).sort()).toEqual(["config.json", "handler.mjs"]);
    const configuration = readFileSync(join(first, "config.json"), "utf8");
    expect(readConfiguration(configuration)).toEqual(readConfiguration(example));
  });

  it("is the same when built twice, byte by byte", () => {
    for (const file of readdirSync(first)) {
      expect(readFileSync(join(first, file)).equals(readFileSync(join(second, file)))).toBe(true);
    }
  });

  it("names no folder of the machine it was built on", () => {
    expect(readFileSync(join(first, "handler.mjs"), "utf8")).not.toContain(projectFolder);
  });

  it("loads on its own, and has the handler that the stack names", () => {
    const script =
      'const { handler } = await import("./handler.mjs"); console.log(typeof handler);';
    const printed = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
      cwd: first,
      encoding: "utf8",
      env: { KEYTURN_TABLE: "keyturn", AWS_REGION: "eu-central-1" },
    });
    expect(printed.trim()).toBe("function");
  });
});
