/** The function's package: one minified module and, beside it, the configuration it reads. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BuildOptions, buildSync } from "esbuild";

/** Where this project's sources lie. */
export const projectFolder = join(import.meta.dirname, "..");

/** CommonJS dependencies ask for Node's modules with `require`, which a module does not have. */
const requireForDependencies =
  'import{createRequire as keyturnRequire}from"node:module";' +
  "const require=keyturnRequire(import.meta.url);";

const options = {
  absWorkingDir: projectFolder,
  banner: { js: requireForDependencies },
  bundle: true,
  charset: "utf8",
  format: "esm",
  legalComments: "eof",
  logLevel: "warning",
  mainFields: ["module", "main"],
  minify: true,
  outExtension: { ".js": ".mjs" },
  platform: "node",
  sourcemap: false,
  target: "node24",
} satisfies BuildOptions;

/**
 * Writes `handler.mjs` and `config.json` into `outputFolder`. The same sources and document give
 * the same bytes, whenever and wherever it is called. Throws what esbuild finds wrong.
 */
export function bundle(entry: string, configuration: unknown, outputFolder: string): void {
  buildSync({ ...options, entryPoints: { handler: entry }, outdir: outputFolder });
  const json = JSON.stringify(configuration, undefined, 2);
  writeFileSync(join(outputFolder, "config.json"), `${json}\n`);
}
