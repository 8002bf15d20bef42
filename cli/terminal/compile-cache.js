// Keeps what Node compiles, so that the next start takes half the time. JavaScript, not TypeScript: it is
// loaded before the cache is on, and stripping types would take longer than the rest of it.
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { enableCompileCache, flushCompileCache, getCompileCacheDir } from "node:module";
import { isAbsolute, join } from "node:path";
import process from "node:process";

// In the user's own cache, not in a directory for temporary files, where others could leave code to be
// run. Where there is none, or it cannot be written, nothing is kept.
export function keepCompiled(env) {
  const base = cacheOf(env);
  if (base === undefined || env.NODE_COMPILE_CACHE !== undefined) return;
  const parent = join(base, "keyturn");
  if (!isMade(base) || !isMade(parent)) return;
  enableCompileCache(parent);
  // A directory of its own in there, for each version of Node; none where it cannot be made.
  const directory = getCompileCacheDir();
  if (directory !== undefined) process.once("exit", () => removeUnlessWhole(directory));
}

// The XDG specification has a relative path ignored; it would litter the working directory.
function cacheOf({ XDG_CACHE_HOME = "", HOME = "" }) {
  if (isAbsolute(XDG_CACHE_HOME)) return XDG_CACHE_HOME;
  return isAbsolute(HOME) ? join(HOME, ".cache") : undefined;
}

// Node's recursive mkdir, which enableCompileCache uses too, loops for ever where the parent exists and
// mkdir fails with ENOENT, as it does in /proc.
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

// Node writes each entry to a file of another name and renames it. Where the write fails, on a full disk,
// it leaves that file, empty, and one more at each start. It would try again after this handler, so the
// whole directory goes: without it, nothing can be left. The next start makes it anew.
function removeUnlessWhole(directory) {
  try {
    flushCompileCache();
    const isEmpty = (name) => statSync(join(directory, name)).size === 0;
    if (readdirSync(directory).filter(isTemporary).some(isEmpty)) {
      rmSync(directory, { recursive: true, force: true });
    }
  } catch {
    // Another process has renamed the file or removed the directory, or it may not be read.
  }
}

// An entry is named by its hash; a temporary file has a random suffix after a dot.
function isTemporary(name) {
  return name.includes(".");
}
