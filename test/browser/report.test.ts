/** The report as a browser shows it: by itself, to everybody, at any width, on paper. */
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

/** Of a thousand keys it takes Chromium seconds to lay the page out: it is opened once. */
describe.each([
  { count: 1, of: "all of it" },
  { count: 50, of: "all of it" },
  // axe looks at every pair of elements, nearly: of so many it does not come to an end.
  { count: 1000, of: "its structure, 12 keys, and 10 rows of each table", isCut: true },
])("the report of $count keys", ({ count, of, isCut = false }) => {
  let observed: Opened;
  beforeAll(async () => {
    observed = await opened(browser, await onDisk(await manyKeys(count)));
  });
  afterAll(() => observed?.page.close());

  test("has a timeline for each key, and each is seen when it is scrolled to", async () => {
    const timelines = await inPage.timelinesVisible(observed.page);
    expect(timelines).toHaveLength(count);
    expect(timelines).not.toContain(false);
  });

  test("asks for nothing but itself, runs no script, and nothing complains", async () => {
    const { page, complaints, requests } = observed;
    const others = await page.locator("script, link, img, iframe, object").count();
    expect({ complaints, requests, others }).toEqual({ complaints: [], requests: [], others: 0 });
  });

  test("is no wider than a window of 1280 pixels, or of 360", async () => {
    expect(await inPage.widthOf(observed.page)).toBeLessThanOrEqual(1280);
    await observed.page.setViewportSize({ width: 360, height: 900 });
    expect(await inPage.widthOf(observed.page)).toBeLessThanOrEqual(360);
  });

  test("is read by keyboard: past the navigation, into what scrolls and what is folded", async () => {
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

  test("shows on paper what is folded on the screen, and shows it light", async () => {
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
    `has nothing that axe finds serious, in %s: ${of}`,
    async (colorScheme) => {
      const { page } = observed;
      await page.setViewportSize({ width: 1280, height: 900 });
      await page.emulateMedia({ colorScheme });
      if (isCut) await inPage.cutTo(page, 12, 10);
      expect(await inPage.violationsIn(page)).toEqual([]);
    },
  );
});

// A thousand keys are 1,300 pages, which take Chromium a minute or two: their print is shown above.
test.each([1, 50])("%d keys are printed with the picture and the tables of each", async (count) => {
  const { page } = await opened(browser, await onDisk(await manyKeys(count)));
  const pdf = await page.pdf({ format: "A4" });
  await page.close();
  expect(pdf.subarray(0, 5).toString()).toBe("%PDF-");
  const pages = pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length ?? 0;
  // A key takes a third of a page at least.
  expect(pages).toBeGreaterThan(count / 3);
});
