/** A production module without a part of its text, where no export can be replaced. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Imports the mutated module from a separate file; its own imports are the originals. */
export async function mutant(path: string, part: string, instead: string): Promise<object> {
  const home = new URL(`../../${path}`, import.meta.url);
  const text = await readFile(home, "utf8");
  if (text.split(part).length !== 2)
    throw new Error(`${path} does not contain exactly once: ${part}`);
  const absolute = (_: string, quoted: string): string =>
    ` from "${fileURLToPath(new URL(quoted, home))}"`;
  const mutated = text.replace(part, instead).replaceAll(/ from "(\.[^"]+)"/g, absolute);
  const file = join(await mkdtemp(join(tmpdir(), "keyturn-mutant-")), basename(path));
  await writeFile(file, mutated);
  try {
    return (await import(file)) as object;
  } finally {
    await rm(dirname(file), { recursive: true });
  }
}
