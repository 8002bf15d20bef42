/** `npm test`, and in mode `full`, `npm run test:full`: the complete exploration. */
import { defineConfig } from "vitest/config";

/** Tests that replace modules run in their own process. */
const apart = ["test/settle-rule/parts.test.ts"];
/** These need an emulator (vitest.emulator.config.ts) or a browser (vitest.browser.config.ts). */
const separate = ["test/emulator/**", "test/browser/**"];

export default defineConfig(({ mode }) => ({
  test: {
    environment: "node",
    env: mode === "full" ? { KEYTURN_TESTS: "full" } : {},
    testTimeout: mode === "full" ? 600_000 : 120_000,
    hookTimeout: 120_000,
    // Processes, not threads: dynalite's store is a native module, and some tests start servers.
    pool: "forks",
    maxWorkers: 2,
    coverage: { include: ["lambda/**/*.ts"] },
    projects: [
      {
        extends: true,
        test: {
          name: "shared",
          include: ["test/**/*.test.ts"],
          exclude: [...separate, ...apart],
          // Test files that share a process load each module once.
          isolate: false,
        },
      },
      { extends: true, test: { name: "apart", include: apart } },
    ],
  },
}));
