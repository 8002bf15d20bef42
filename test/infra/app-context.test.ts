/** The context of the plain stack: `npx cdk synth -c <name>=<value>`. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

const projectFolder = join(import.meta.dirname, "../..");

type Synthesis = { stderr: string; status: number | null; outdir: string };

function synth(context: Record<string, unknown>): Synthesis {
  const outdir = mkdtempSync(join(tmpdir(), "keyturn-context-"));
  onTestFinished(() => rmSync(outdir, { recursive: true, force: true }));
  const { stderr, status } = spawnSync(process.execPath, ["infra/app.ts"], {
    cwd: projectFolder,
    env: { ...process.env, CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: JSON.stringify(context) },
    encoding: "utf8",
  });
  return { stderr, status, outdir };
}

test("a configuration file that does not exist is reported with its full path", () => {
  const { stderr, status } = synth({ config: "none/keyturn.json" });
  expect(stderr).toContain(`there is no file ${join(projectFolder, "none/keyturn.json")}. `);
  expect(stderr).toContain("-c config=<its path>");
  expect(stderr).not.toMatch(/ENOENT|^\s+at /m);
  expect(status).toBe(1);
});

test("stateTable names the table that replaces the one of the stack", () => {
  const config = "keyturn.example.json";
  const { status, outdir } = synth({
    config,
    stateTable: "keyturn-restored",
    "aws:cdk:bundling-stacks": [],
  });
  expect(status).toBe(0);
  const template = readFileSync(join(outdir, "Keyturn.template.json"), "utf8");
  expect(template).not.toContain("AWS::DynamoDB::Table");
  expect(template).toContain('"KEYTURN_TABLE": "keyturn-restored"');
});
