import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { findingsPage } from "../cli/findings-page.ts";

test("docs/findings.md says of every code what the catalogue says (npm run docs)", () => {
  const page = readFileSync(new URL("../docs/findings.md", import.meta.url), "utf8");
  expect(page).toBe(findingsPage());
});
