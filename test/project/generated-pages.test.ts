import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { alarmsPage } from "../../docs/generate/alarms-page.ts";
import { conformancePage } from "../../docs/generate/conformance-page.ts";
import { eventsPage } from "../../docs/generate/events-page.ts";
import { findingsPage } from "../../docs/generate/findings-page.ts";

function page(name: string): string {
  return readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");
}

test("docs/findings.md matches the catalogue of findings (npm run docs)", () => {
  expect(page("findings.md")).toBe(findingsPage());
});

test("docs/events.md matches the catalogue of events (npm run docs)", () => {
  expect(page("events.md")).toBe(eventsPage());
});

test("docs/conformance.md matches the facts (npm run docs)", () => {
  expect(page("conformance.md")).toBe(conformancePage());
});

test("docs/alarms.md matches the definitions of alarms (npm run docs)", () => {
  expect(page("alarms.md")).toBe(alarmsPage());
});
