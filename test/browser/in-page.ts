/** Code that runs in the page, as text: the browser's globals are not part of this project's types. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const axeSource = await readFile(axe, "utf8");

type Violation = { id: string; impact: string | null; nodes: { html: string }[] };

/** Serious and critical violations, each with a few of its elements. */
export async function violationsIn(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const run = `axe.run({ resultTypes: ["violations"] }).then((all) => all.violations)`;
  const violations = await page.evaluate<Violation[]>(run);
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => {
      const some = nodes.slice(0, 3).map(({ html }) => html);
      return `${id}, ${nodes.length} times: ${some.join(" ")}`;
    });
}

/** Removes all but the first keys, and the first rows of each table. */
export function cutTo(page: Page, keys: number, rows: number): Promise<void> {
  return page.evaluate<undefined>(`{
    const all = document.querySelectorAll(".key");
    for (const key of [...all].slice(${keys})) key.remove();
    for (const row of document.querySelectorAll("section > .scroll tr:nth-child(n+${rows + 1})")) {
      if (row.closest("#timelines ~ .scroll") === null) row.remove();
    }
  }`);
}

/** For each timeline, after scrolling to it: whether it has a size and a bar, and is in the window. */
export function timelinesVisible(page: Page): Promise<boolean[]> {
  return page.evaluate<boolean[]>(`[...document.querySelectorAll("svg.timeline")].map((svg) => {
    svg.scrollIntoView({ block: "center", behavior: "instant" });
    const { width, height, top } = svg.getBoundingClientRect();
    const wide = svg.querySelector(".ph")?.getBoundingClientRect().width ?? 0;
    return width > 300 && height > 30 && wide > 0 && top >= 0 && top < innerHeight;
  })`);
}

export function widthOf(page: Page): Promise<number> {
  return page.evaluate<number>("document.documentElement.scrollWidth");
}

export function backgroundOf(page: Page): Promise<string> {
  return page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
}

/** Resets the page to its state after opening: no focus, scrolled to the top. */
export function backToTop(page: Page): Promise<void> {
  return page.evaluate<undefined>("{ document.activeElement?.blur(); scrollTo(0, 0); }");
}

/** The id and text of the focused element. */
export function focused(page: Page): Promise<{ id: string; text: string }> {
  return page.evaluate<{ id: string; text: string }>(
    "({ id: document.activeElement.id, text: document.activeElement.textContent.trim() })",
  );
}

/** For a picture: shows only the head and the timelines, and returns their height. */
export function leaveTimelines(page: Page): Promise<number> {
  return page.evaluate<number>(`{
    const timelines = document.querySelector("#timelines").parentElement;
    for (const section of document.querySelectorAll("main > section, nav")) {
      if (section !== timelines) section.hidden = true;
    }
    timelines.querySelector(":scope > .scroll").hidden = true;
    Math.ceil(timelines.getBoundingClientRect().bottom + scrollY);
  }`);
}
