/** The function's package: one minified module and, beside it, the configuration it reads. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** Where this project's sources lie. */
export const projectFolder = join(import.meta.dirname, "..");

/** What the minified module may weigh: each kilobyte is read and compiled in every cold start. */
export const sizeLimitKiB = 400;

/**
 * Writes `handler.mjs` and `config.json` into `outputFolder`, and `handler.mjs.map` beside that
 * folder: CDK's is in cdk.out, and the map stays at home there. The same sources and document give
 * the same bytes, whenever and wherever it is called. Throws what esbuild finds wrong.
 *
 * Where a line and column in the log come from, the map of that very build tells:
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
