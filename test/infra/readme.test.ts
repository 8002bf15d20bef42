/** Synthesises the stack in README as a user would, in a separate process. */
import { execFile } from "node:child_process";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { projectFolder } from "../../infra/bundle.ts";

function stackInReadme(): string {
  const readme = readFileSync(join(projectFolder, "README.md"), "utf8");
  const [, code] = /```ts\n([^`]*new KeyRotation\([^`]*)```/.exec(readme) ?? [];
  if (code === undefined) throw new Error("README shows no stack");
  return code;
}

/** The feature flags that the CDK CLI passes to the app. */
function flags(): string {
  const text = readFileSync(join(projectFolder, "cdk.json"), "utf8");
  return JSON.stringify((JSON.parse(text) as { context: object }).context);
}

test("has ten lines at most, the function, its schedule and the key to rotate", async () => {
  const code = stackInReadme();
  expect(code.split("\n").filter((line) => line.trim() !== "").length).toBeLessThanOrEqual(10);
  const folder = mkdtempSync(join(tmpdir(), "keyturn-readme-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ["infra", "lambda", "node_modules", "package.json"]) {
    symlinkSync(join(projectFolder, name), join(folder, name));
  }
  writeFileSync(join(folder, "payments.ts"), code);
  const outdir = join(folder, "cdk.out");
  await promisify(execFile)(process.execPath, ["payments.ts"], {
    cwd: folder,
    env: { ...process.env, CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: flags() },
  });
  const [template = ""] = readdirSync(outdir).filter((name) => name.endsWith(".template.json"));
  const { Resources } = JSON.parse(readFileSync(join(outdir, template), "utf8")) as {
    Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>;
  };
  const types = Object.values(Resources).map(({ Type }) => Type);
  expect(types).toEqual(expect.arrayContaining(["AWS::KMS::Alias", "AWS::Events::Rule"]));
  const [packageKey] = Object.values(Resources).flatMap(({ Type, Properties }) =>
    Type === "AWS::Lambda::Function" ? [(Properties["Code"] as { S3Key: string }).S3Key] : [],
  );
  const asset = join(outdir, `asset.${packageKey?.replace(/\.zip$/, "") ?? ""}`);
  const configuration = JSON.parse(readFileSync(join(asset, "config.json"), "utf8")) as object;
  expect(configuration).toMatchObject({
    policies: { quarterly: { cryptoperiod: "90d" } },
    managedKeys: [{ alias: "alias/signing", policy: "quarterly" }],
  });
});
