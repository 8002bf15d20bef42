/** `npm run test:localstack`: the tests against the emulator that AWS_ENDPOINT_URL points at. */
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The stack test waits minutes for its schedule: the other files run meanwhile. */
class StackFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isStack = ({ moduleId }: TestSpecification): boolean => /stack\.test\.ts$/.test(moduleId);
    const sorted = await super.sort(files);
    return [...sorted.filter(isStack), ...sorted.filter((file) => !isStack(file))];
  }
}

export default defineConfig({
  test: {
    environment: "node",
    include: [
      "test/emulator/**/*.test.ts",
      "test/contract/{discovery,key-changes,key-reads,key-returns}.test.ts",
      "test/contract/table-{bindings,claims,deployment,records,requests}.test.ts",
    ],
    globalSetup: ["test/emulator/detect.ts"],
    setupFiles: ["test/emulator/skips.ts"],
    env: { KEYTURN_EMULATOR_RUN: "1" },
    testTimeout: 120_000,
    hookTimeout: 300_000,
    sequence: { sequencer: StackFirst },
    pool: "forks",
    maxWorkers: 2,
  },
});
