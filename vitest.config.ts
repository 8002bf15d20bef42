import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    environment: "node",
    include: ["test/**/*.test.ts"],
    // Those take an emulator, vitest.emulator.config.ts, or a browser, vitest.browser.config.ts.
    exclude: ["test/emulator/**", "test/browser/**"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Processes, not threads: dynalite's store is a native module, and some tests start servers.
    pool: "forks",
    maxWorkers: 2,
    coverage: { include: ["lambda/**/*.ts"] },
  },
});
