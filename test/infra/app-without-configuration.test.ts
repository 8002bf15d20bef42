/** `npx cdk synth -c config=<no file>` reports the path and what to do. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const projectFolder = join(import.meta.dirname, "../..");

test("a configuration file that does not exist is reported with its full path", () => {
  const { stderr, status } = spawnSync(process.execPath, ["infra/app.ts"], {
    cwd: projectFolder,
    env: { ...process.env, CDK_CONTEXT_JSON: JSON.stringify({ config: "none/keyturn.json" }) },
    encoding: "utf8",
  });
  expect(stderr).toContain(`there is no file ${join(projectFolder, "none/keyturn.json")}. `);
  expect(stderr).toContain("-c config=<its path>");
  expect(stderr).not.toMatch(/ENOENT|^\s+at /m);
  expect(status).toBe(1);
});
