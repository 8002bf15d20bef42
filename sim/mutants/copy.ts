/** A temporary copy of the sources with a mutant's patch. */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { applied, type Mutant } from "./mutant.ts";

export const root = join(import.meta.dirname, "../..");

/** Throws if a patch no longer applies. */
export function patchesOf({ edits }: Mutant): Map<string, string> {
  const texts = new Map<string, string>();
  for (const edit of edits) {
    const text = texts.get(edit.file) ?? readFileSync(join(root, edit.file), "utf8");
    texts.set(edit.file, applied(text, edit));
  }
  return texts;
}

export function copyWith(mutant: Mutant): { folder: string; remove: () => void } {
  const patches = patchesOf(mutant);
  const folder = mkdtempSync(join(tmpdir(), "keyturn-mutant-"));
  for (const part of ["lambda", "embedded-aws", "sim", "package.json"]) {
    cpSync(join(root, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  for (const [file, text] of patches) writeFileSync(join(folder, file), text);
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}
