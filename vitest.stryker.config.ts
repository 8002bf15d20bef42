/** `npm run stryker`: only the decision tests, which take milliseconds; histories are too slow. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { environment: "node", include: ["test/workflow/**/*.test.ts"], isolate: false },
});
