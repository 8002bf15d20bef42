/**
 * `node infra/bundle-function.ts ENTRY OUTPUT_FOLDER MAP`: the work of `bundle` in a separate process,
 * since esbuild accepts plugins only in its asynchronous API, and a construct is synchronous.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { build, type BuildOptions } from "esbuild";
import { minify } from "terser";
import { errorsOfCommands } from "./bundle-errors.ts";
import { trimLibraries, type Trimming } from "./bundle-trims.ts";

const projectFolder = join(import.meta.dirname, "..");

const minified = {
  charset: "utf8",
  format: "esm",
  logLevel: "warning",
  minify: true,
  platform: "node",
  sourcesContent: false,
  target: "node24",
} as const;

const options = {
  ...minified,
  absWorkingDir: projectFolder,
  bundle: true,
  legalComments: "eof",
  // Prefers ES modules: esbuild cannot remove unused code from CommonJS.
  mainFields: ["module", "main"],
  // esbuild writes nothing there; the map's paths are relative to it.
  outdir: projectFolder,
  outExtension: { ".js": ".mjs" },
  write: false,
} satisfies BuildOptions;

export type Bundled = { code: string; map: string };

/** Bundles a file or a text into one minified module, without code that Lambda cannot use. */
export async function bundleModule(
  entry: { file: string } | { text: string },
  untrimmed?: Trimming["untrimmed"],
): Promise<Bundled> {
  const from =
    "file" in entry
      ? { entryPoints: { handler: entry.file } }
      : { stdin: { contents: entry.text, resolveDir: projectFolder } };
  // Only a finished bundle shows the called operations.
  const whole = [trimLibraries()];
  const { metafile } = await build({ ...options, ...from, metafile: true, plugins: whole });
  const errors = errorsOfCommands(metafile, projectFolder);
  const plugins = [trimLibraries({ errors, untrimmed })];
  const { outputFiles } = await build({ ...options, ...from, sourcemap: "inline", plugins });
  const [module] = outputFiles;
  if (module === undefined) throw new Error("esbuild wrote no module");
  // Minifies again: esbuild minifies file by file, and terser all of it. The map follows the first one.
  const { code, map } = await minify(module.text, {
    module: true,
    ecma: 2020,
    // A read of a field has no effect, in this code and in the libraries.
    compress: { passes: 3, hoist_funs: true, pure_getters: true },
    sourceMap: { content: "inline", asObject: false },
  });
  if (code === undefined || typeof map !== "string") throw new Error("terser wrote no module");
  return { code, map };
}

async function main(entry: string, outputFolder: string, mapName: string): Promise<void> {
  const { code, map } = await bundleModule({ file: entry }, (modules) => {
    throw new Error(`infra/bundle-trims.ts: nothing to trim in ${modules.source}`);
  });
  mkdirSync(outputFolder, { recursive: true });
  writeFileSync(join(outputFolder, "handler.mjs"), code);
  writeFileSync(join(dirname(outputFolder), mapName), map);
}

if (import.meta.main) {
  const [entry, outputFolder, mapName] = process.argv.slice(2);
  if (entry === undefined || outputFolder === undefined || mapName === undefined) {
    throw new Error("expected an entry, an output folder and the name of the source map");
  }
  await main(resolve(entry), resolve(outputFolder), mapName);
}
