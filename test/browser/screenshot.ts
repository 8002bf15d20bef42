/** `npm run docs:report`: redraws docs/report.png, always from the same year of the same keys. */
import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { aYear } from "../cli/report-histories.ts";
import { launched, opened } from "./browser.ts";
import { leaveTimelines } from "./in-page.ts";
import { onDisk, reportOf } from "./made.ts";

const picture = fileURLToPath(new URL("../../docs/report.png", import.meta.url));

/** An overdue key, a compromised one, a normal one, and one that was rolled back. */
const shown = ["alias/archive", "alias/invoices", "alias/orders", "alias/tokens"];

const { histories, nowMs } = await aYear();
const reported = histories.filter(({ record }) => shown.includes(record.alias));
const path = await onDisk(reportOf(reported, nowMs));
const browser = await launched();
try {
  const { page } = await opened(browser, path);
  const width = 1160;
  await page.setViewportSize({ width, height: 900 });
  const clip = { x: 0, y: 0, width, height: await leaveTimelines(page) };
  await page.screenshot({ path: picture, fullPage: true, clip });
} finally {
  await browser.close();
  await rm(dirname(path), { recursive: true });
}
