/** The report in a browser: self-contained, accessible, at any width, on paper. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launched, opened, type Opened } from "./browser.ts";
import * as inPage from "./in-page.ts";
import { manyKeys, onDisk } from "./made.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await launched();
});
afterAll(() => browser?.close());

/** For a thousand keys, Chromium's layout takes seconds: each page is opened once. */
describe.each([
  { count: 1, of: "all of it" },
  { count: 50, of: "all of it" },
  // axe compares nearly every pair of elements: for so many it does not finish.
  { count: 1000, of: "its structure, 12 keys, and 10 rows of each table", isCut: true },
])("the report of $count keys", ({ count, of, isCut = false }) => {
  let observed: Opened;
  beforeAll(async () => {
    observed = await opened(browser, await onDisk(await manyKeys(count)));
  });
  afterAll(() => observed?.page.close());

  test("has a timeline for each key, visible after scrolling to it", async () => {
    const timelines = await inPage.timelinesVisible(observed.page);
    expect(timelines).toHaveLength(count);
    expect(timelines).not.toContain(false);
  });

  test("requests nothing else, runs no script, and logs no error or warning", async () => {
    const { page, complaints, requests } = observed;
    const others = await page.locator("script, link, img, iframe, object").count();
    expect({ complaints, requests, others }).toEqual({ complaints: [], requests: [], others: 0 });
  });

  test("is no wider than a window of 1280 pixels, or of 360", async () => {
    expect(await inPage.widthOf(observed.page)).toBeLessThanOrEqual(1280);
    await observed.page.setViewportSize({ width: 360, height: 900 });
    expect(await inPage.widthOf(observed.page)).toBeLessThanOrEqual(360);
  });

  test("can be read by keyboard: past the navigation, into scrollable and folded parts", async () => {
    const { page } = observed;
    await inPage.backToTop(page);
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
    await page.keyboard.press("Enter");
  });

  test("prints the folded parts, in light colours", async () => {
    const { page } = observed;
    await page.emulateMedia({ colorScheme: "dark" });
    const folded = page.locator("#key-1 details table").first();
    expect(await folded.isVisible()).toBe(false);
    await page.emulateMedia({ media: "print" });
    expect(await folded.isVisible()).toBe(true);
    expect((await folded.boundingBox())?.height).toBeGreaterThan(20);
    expect(await inPage.backgroundOf(page)).toBe("rgb(255, 255, 255)");
    expect(await page.locator("nav").isVisible()).toBe(false);
    await page.emulateMedia({ media: "screen" });
  });

  test.each(["light", "dark"] as const)(
    `has no serious axe violation, in %s: ${of}`,
    async (colorScheme) => {
      const { page } = observed;
      await page.setViewportSize({ width: 1280, height: 900 });
      await page.emulateMedia({ colorScheme });
      if (isCut) await inPage.cutTo(page, 12, 10);
      expect(await inPage.violationsIn(page)).toEqual([]);
    },
  );
});

// A thousand keys are 1,300 pages, which take Chromium a minute or two: the test above covers print.
test.each([1, 50])("prints %d keys with the picture and the tables of each", async (count) => {
  const { page } = await opened(browser, await onDisk(await manyKeys(count)));
  const pdf = await page.pdf({ format: "A4" });
  await page.close();
  expect(pdf.subarray(0, 5).toString()).toBe("%PDF-");
  const pages = pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length ?? 0;
  // A key needs at least a third of a page.
  expect(pages).toBeGreaterThan(count / 3);
});
