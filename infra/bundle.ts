/** The packages of the two functions: each has one minified module, and the data that it reads. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** The folder of this project's sources. */
export const projectFolder = join(import.meta.dirname, "..");

export type FunctionPackage = {
  /** The file beside the module. */
  data: string;
  /** The file beside the package's folder. */
  map: string;
  /** The size limit of the minified module: every cold start reads and compiles all of it. */
  sizeLimitKiB: number;
};

/** lambda/handler.ts, and its configuration. */
export const rotationPackage: FunctionPackage = {
  data: "config.json",
  map: "handler.mjs.map",
  sizeLimitKiB: 400,
};

/** lambda/refusals/handler.ts, and its part of the configuration. */
export const refusalsPackage: FunctionPackage = {
  data: "refusals.json",
  map: "refusals.mjs.map",
  sizeLimitKiB: 210,
};

/**
 * Writes `handler.mjs` and the data into `outputFolder`, and the source map beside that folder: in
 * cdk.out, the map is not deployed. The same sources and data always give the same bytes. Throws on
 * esbuild's errors.
 *
 * The map of the same build gives the source of a line and column in the log:
 * `node -p 'new (require("module").SourceMap)(JSON.parse(fs.readFileSync("cdk.out/handler.mjs.map"))).findOrigin(LINE, COLUMN)'`
 */
export function bundle(
  entry: string,
  content: unknown,
  outputFolder: string,
  { data, map }: FunctionPackage = rotationPackage,
): void {
  const worker = join(import.meta.dirname, "bundle-function.ts");
  execFileSync(process.execPath, [worker, resolve(entry), resolve(outputFolder), map], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const json = JSON.stringify(content, undefined, 2);
  writeFileSync(join(outputFolder, data), `${json}\n`);
}
