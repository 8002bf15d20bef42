/** `npm test`, and in mode `full`, `npm run test:full`: the complete exploration. */
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Tests that replace modules run in their own process. */
const apart = ["test/settle-rule/parts.test.ts"];
/** These need an emulator (vitest.emulator.config.ts) or a browser (vitest.browser.config.ts). */
const separate = ["test/emulator/**", "test/browser/**"];

/** They take a minute or more in mode `full`: one that began last would leave the other worker idle. */
const slow = [
  ...["sim/mutants", "sim/simulation", "sim/matrix", "findings/findings", "histories/crash"],
  ...["kill/kill", "infra/least-privilege", "infra/alarms-locked-out", "cli/golden"],
].map((name) => `/test/${name}.test.ts`);

class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const placeOf = ({ moduleId }: TestSpecification): number => {
      const place = slow.findIndex((one) => moduleId.endsWith(one));
      return place < 0 ? slow.length : place;
    };
    return (await super.sort(files)).sort((a, b) => placeOf(a) - placeOf(b));
  }
}

export default defineConfig(({ mode }) => ({
  test: {
    environment: "node",
    env: mode === "full" ? { KEYTURN_TESTS: "full" } : {},
    testTimeout: mode === "full" ? 600_000 : 120_000,
    hookTimeout: 120_000,
    // Processes, not threads: dynalite's store is a native module, and some tests start servers.
    pool: "forks",
    maxWorkers: 2,
    sequence: { sequencer: SlowFirst },
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
