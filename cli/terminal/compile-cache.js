// Keeps the code that Node compiles: the next start takes half the time. It is JavaScript, not TypeScript:
// Node loads it before the cache is on, and stripping its types would take longer than the rest of it.
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { enableCompileCache, flushCompileCache, getCompileCacheDir } from "node:module";
import { isAbsolute, join } from "node:path";
import process from "node:process";

// In the user's own cache directory. In a directory for temporary files, other users could leave code for
// Node to run. Without a writable cache directory, it keeps nothing.
export function keepCompiled(env) {
  const base = cacheOf(env);
  if (base === undefined || env.NODE_COMPILE_CACHE !== undefined) return;
  const parent = join(base, "keyturn");
  if (!isMade(base) || !isMade(parent)) return;
  enableCompileCache(parent);
  // Node makes a subdirectory for each of its versions; undefined if it cannot.
  const directory = getCompileCacheDir();
  if (directory !== undefined) process.once("exit", () => removeUnlessWhole(directory));
}

// The XDG specification ignores a relative path, which would put files into the working directory.
function cacheOf({ XDG_CACHE_HOME = "", HOME = "" }) {
  if (isAbsolute(XDG_CACHE_HOME)) return XDG_CACHE_HOME;
  return isAbsolute(HOME) ? join(HOME, ".cache") : undefined;
}

// Node's recursive mkdir, which enableCompileCache uses too, never returns if the parent exists and mkdir
// fails with ENOENT, as in /proc.
function isMade(path) {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch {
    return isDirectory(path);
  }
  return true;
}

function isDirectory(path) {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

// Node writes each entry to a temporary file and renames it. If the write fails, on a full disk, it leaves
// an empty file, and one more at each start. It tries again after this handler. Without the directory it
// can leave none, so the handler removes it. The next start makes a new one.
function removeUnlessWhole(directory) {
  try {
    flushCompileCache();
    const isEmpty = (name) => statSync(join(directory, name)).size === 0;
    if (readdirSync(directory).filter(isTemporary).some(isEmpty)) {
      rmSync(directory, { recursive: true, force: true });
    }
  } catch {
    // Another process has renamed the file or removed the directory, or the directory is not readable.
  }
}

// The name of an entry is its hash; a temporary file has a random suffix after a dot.
function isTemporary(name) {
  return name.includes(".");
}
