/** The report as a browser shows it: by itself, to everybody, at any width, on paper. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launched, opened, type Look } from "./browser.ts";
import * as inPage from "./in-page.ts";
import { manyKeys, onDisk } from "./made.ts";

const everything = ["html"];
/** All that is there once, and of the keys and the rows the first ones. */
const sample = [
  ...["header", "nav", "footer", "h2", "section > p", "table > thead", "#controls ~ div"],
  ...Array.from({ length: 12 }, (_, at) => `#key-${at + 1}`),
  "tbody > tr:nth-child(-n+10)",
];

describe.each([
  { count: 1, axe: everything, of: "all of it" },
  { count: 50, axe: everything, of: "all of it" },
  { count: 1000, axe: sample, of: "its structure, 12 keys, and the first rows of each table" },
])("the report of $count keys", ({ count, axe, of }) => {
  let browser: Browser;
  let path: string;
  beforeAll(async () => {
    browser = await launched();
    path = await onDisk(await manyKeys(count));
  });
  afterAll(() => browser?.close());

  async function look<T>(at: Look, seen: (page: Page) => Promise<T>): Promise<T> {
    const { page } = await opened(browser, path, at);
    try {
      return await seen(page);
    } finally {
      await page.close();
    }
  }

  test("asks for nothing but itself, runs no script, and nothing complains", async () => {
    const { page, complaints, requests } = await opened(browser, path);
    await inPage.scrollToEnd(page);
    const others = await page.locator("script, link, img, iframe, object").count();
    await page.close();
    expect({ complaints, requests, others }).toEqual({ complaints: [], requests: [], others: 0 });
  });

  test("has a timeline for each key, and each is seen when it is scrolled to", async () => {
    const seen = await look({}, inPage.timelinesSeen);
    expect(seen).toHaveLength(count);
    expect(seen).not.toContain(false);
  });

  test.each(["light", "dark"] as const)(
    `has nothing that axe finds serious, in %s: ${of}`,
    async (colorScheme) => {
      const found = await look({ colorScheme }, (page) => inPage.violationsIn(page, axe));
      expect(found).toEqual([]);
    },
  );

  test.each([1280, 360])("is no wider than a window of %d pixels", async (width) => {
    expect(await look({ width }, inPage.widthOf)).toBeLessThanOrEqual(width);
  });

  test("is read by keyboard: past the navigation, into what scrolls and what is folded", async () => {
    await look({ width: 360 }, async (page) => {
      await page.keyboard.press("Tab");
      expect(await inPage.focused(page)).toMatchObject({ text: "Skip to the content" });
      expect((await page.locator(".skip").boundingBox())?.x).toBeGreaterThan(0);
      await page.keyboard.press("Enter");
      expect(await inPage.focused(page)).toMatchObject({ id: "content" });
      await page.locator("#key-1 .picture").focus();
      await page.keyboard.press("Tab");
      const { text } = await inPage.focused(page);
      expect(text).toMatch(/^Phases and cryptoperiods of alias/);
      await page.keyboard.press("Enter");
      await page.locator("#key-1 details[open] table").first().waitFor();
    });
  });

  test("shows on paper what is folded on the screen, and shows it light", async () => {
    await look({ colorScheme: "dark" }, async (page) => {
      const folded = page.locator("#key-1 details table").first();
      expect(await folded.isVisible()).toBe(false);
      await page.emulateMedia({ media: "print" });
      expect(await folded.isVisible()).toBe(true);
      expect((await folded.boundingBox())?.height).toBeGreaterThan(20);
      expect(await inPage.backgroundOf(page)).toBe("rgb(255, 255, 255)");
      expect(await page.locator("nav").isVisible()).toBe(false);
    });
  });

  test("is printed with the picture and the tables of each key", async () => {
    const pdf = await look({}, (page) => page.pdf({ format: "A4" }));
    expect(pdf.subarray(0, 5).toString()).toBe("%PDF-");
    const pages = pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length ?? 0;
    // A key takes a third of a page at least.
    expect(pages).toBeGreaterThan(count / 3);
  });
});
