/** What is asked of the page itself, as text: the browser's own names are not those of this project. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const axeSource = await readFile(axe, "utf8");

type Violation = { id: string; impact: string | null; nodes: { html: string }[] };

/** Serious and critical ones, each with a few of the elements that have it. */
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

/** Takes away all but the first keys, and the first rows of each table. */
export function cutTo(page: Page, keys: number, rows: number): Promise<void> {
  return page.evaluate<undefined>(`{
    const all = document.querySelectorAll(".key");
    for (const key of [...all].slice(${keys})) key.remove();
    for (const row of document.querySelectorAll("section > .scroll tr:nth-child(n+${rows + 1})")) {
      if (row.closest("#timelines ~ .scroll") === null) row.remove();
    }
  }`);
}

/** Of every timeline, once scrolled to: whether it has a size, a bar, and a place in the window. */
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

/** As the page is when it was just opened: nothing has the focus. */
export function backToTop(page: Page): Promise<void> {
  return page.evaluate<undefined>("{ document.activeElement?.blur(); scrollTo(0, 0); }");
}

/** Its id, and what it says. */
export function focused(page: Page): Promise<{ id: string; text: string }> {
  return page.evaluate<{ id: string; text: string }>(
    "({ id: document.activeElement.id, text: document.activeElement.textContent.trim() })",
  );
}

/** For a picture: the head, and under it the timelines alone. Where that ends. */
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
