/** What README shows of `npm start` is what it prints; it takes 300 simulated days, so only in full. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isFull } from "../sizes.ts";
import { ended, start } from "./process.ts";

const root = join(import.meta.dirname, "../..");

/** The lines of the first console block, without the command and the omissions. */
function shownLines(): string[] {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const [, block = ""] = /```console\n\$ npm ci && npm start\n([^]*?)```/.exec(readme) ?? [];
  return block.split("\n").filter((line) => !["", "…"].includes(line.trim()));
}

test.runIf(isFull)(
  "README shows lines of the demo, in their order",
  { timeout: 300_000 },
  async () => {
    const { stdout, code } = await ended(start("demo/main.ts", []));
    const printed = stdout.split("\n");
    const places = shownLines().map((line) => printed.indexOf(line));
    expect(shownLines().length).toBeGreaterThan(25);
    expect(shownLines().filter((line) => !printed.includes(line))).toEqual([]);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(code).toBe(0);
  },
);
