/** `npm run stryker`: the tests of decisions alone, which take milliseconds; lives kill by whole days. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { environment: "node", include: ["test/workflow/**/*.test.ts"], isolate: false },
});
