import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "aws-cdk-lib";
import { onTestFinished } from "vitest";

/**
 * An app that leaves no files after the test and builds no bundle: that takes time, and
 * bundle.test.ts covers it.
 */
export function createApp(context: Record<string, unknown> = {}): App {
  const outdir = mkdtempSync(join(tmpdir(), "keyturn-synth-"));
  onTestFinished(() => rmSync(outdir, { recursive: true, force: true }));
  return new App({ outdir, context: { ...context, "aws:cdk:bundling-stacks": [] } });
}
