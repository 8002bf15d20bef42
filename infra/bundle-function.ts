/**
 * `node infra/bundle-function.ts ENTRY OUTPUT_FOLDER`: the work of `bundle`, as a process of its own,
 * since esbuild takes plugins only where it may be awaited, and a construct cannot wait.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { build, transform, type BuildOptions } from "esbuild";
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
  // Libraries as modules, where they are both: CommonJS hides from esbuild what is never used.
  mainFields: ["module", "main"],
  // Nothing is written there; the map names each source by its way from here.
  outdir: projectFolder,
  outExtension: { ".js": ".mjs" },
  write: false,
} satisfies BuildOptions;

export type Bundled = { code: string; map: string };

/** One minified module, of a file or of a text, without what Lambda has no use for. */
export async function bundleModule(
  entry: { file: string } | { text: string },
  untrimmed?: Trimming["untrimmed"],
): Promise<Bundled> {
  const from =
    "file" in entry
      ? { entryPoints: { handler: entry.file } }
      : { stdin: { contents: entry.text, resolveDir: projectFolder } };
  // Which operations are called is known only when a bundle has been made.
  const whole = [trimLibraries()];
  const { metafile } = await build({ ...options, ...from, metafile: true, plugins: whole });
  const errors = errorsOfCommands(metafile, projectFolder);
  const plugins = [trimLibraries({ errors, untrimmed })];
  const { outputFiles } = await build({ ...options, ...from, sourcemap: "inline", plugins });
  const [module] = outputFiles;
  if (module === undefined) throw new Error("esbuild wrote no module");
  // Once more, since esbuild minifies file by file, and this is one file. It follows the first map.
  const again = { ...minified, legalComments: "inline", sourcemap: "external" } as const;
  return transform(module.text, again);
}

async function main(entry: string, outputFolder: string): Promise<void> {
  const { code, map } = await bundleModule({ file: entry }, (modules) => {
    throw new Error(`infra/bundle-trims.ts: nothing to trim in ${modules.source}`);
  });
  mkdirSync(outputFolder, { recursive: true });
  writeFileSync(join(outputFolder, "handler.mjs"), code);
  writeFileSync(join(dirname(outputFolder), "handler.mjs.map"), map);
}

if (import.meta.main) {
  const [entry, outputFolder] = process.argv.slice(2);
  if (entry === undefined || outputFolder === undefined) {
    throw new Error("expected an entry and an output folder");
  }
  await main(resolve(entry), resolve(outputFolder));
}
