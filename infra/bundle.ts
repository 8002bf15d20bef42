/** The packages of the two functions: each has one minified module, and the data that it reads. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

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
  const built = builtOnce(resolve(entry));
  mkdirSync(outputFolder, { recursive: true });
  copyFileSync(join(built, "package", moduleName), join(outputFolder, moduleName));
  copyFileSync(join(built, moduleMap), join(dirname(resolve(outputFolder)), map));
  const json = JSON.stringify(content, undefined, 2);
  writeFileSync(join(outputFolder, data), `${json}\n`);
}

const moduleName = "handler.mjs";
const moduleMap = "map";

/** The folders of what this process built, by entry: an app with several deployments builds each module once. */
const builds = new Map<string, string>();

function builtOnce(entry: string): string {
  const known = builds.get(entry);
  if (known !== undefined) return known;
  const folder = mkdtempSync(join(tmpdir(), "keyturn-build-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const worker = join(import.meta.dirname, "bundle-function.ts");
  const args = [worker, entry, join(folder, "package"), moduleMap];
  execFileSync(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  builds.set(entry, folder);
  return folder;
}
