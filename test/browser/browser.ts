/** The Chromium of this machine; without it, tests that need it fail. */
import { existsSync } from "node:fs";
import { chromium, type Browser, type Page } from "playwright-core";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";

const quietly = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
  ...["--disable-background-networking", "--disable-component-update"],
];

export async function launched(): Promise<Browser> {
  if (!existsSync(executablePath)) {
    throw new Error(
      `there is no ${executablePath}: run .ci/browser, install the package chromium, or set CHROMIUM`,
    );
  }
  return chromium.launch({ executablePath, args: quietly });
}

export type Opened = {
  page: Page;
  /** Errors and warnings of the console and the page. */
  complaints: string[];
  /** Requests other than for the document itself. */
  requests: string[];
};

export async function opened(browser: Browser, path: string): Promise<Opened> {
  const viewport = { width: 1280, height: 900 };
  const page = await browser.newPage({ viewport, colorScheme: "light" });
  const complaints: string[] = [];
  const requests: string[] = [];
  const url = `file://${path}`;
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.route("**/*", async (route) => {
    if (route.request().url() === url) return route.continue();
    requests.push(route.request().url());
    return route.abort();
  });
  await page.goto(url);
  return { page, complaints, requests };
}
