/** The function's package: one minified module and the configuration that it reads. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** The folder of this project's sources. */
export const projectFolder = join(import.meta.dirname, "..");

/** The size limit of the minified module: every cold start reads and compiles all of it. */
export const sizeLimitKiB = 400;

/**
 * Writes `handler.mjs` and `config.json` into `outputFolder`, and `handler.mjs.map` beside that
 * folder: in cdk.out, the map is not deployed. The same sources and document always give the same
 * bytes. Throws on esbuild's errors.
 *
 * The map of the same build gives the source of a line and column in the log:
 * `node -p 'new (require("module").SourceMap)(JSON.parse(fs.readFileSync("cdk.out/handler.mjs.map"))).findOrigin(LINE, COLUMN)'`
 */
export function bundle(entry: string, configuration: unknown, outputFolder: string): void {
  const worker = join(import.meta.dirname, "bundle-function.ts");
  execFileSync(process.execPath, [worker, resolve(entry), resolve(outputFolder)], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const json = JSON.stringify(configuration, undefined, 2);
  writeFileSync(join(outputFolder, "config.json"), `${json}\n`);
}
