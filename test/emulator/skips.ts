/** Before each test: whether it is in the table. `KEYTURN_EMULATOR_SKIPS=none` puts the table to the test. */
import { beforeEach, inject } from "vitest";
import { deviationOf } from "./deviations.ts";

beforeEach(({ task, skip }) => {
  if (process.env.KEYTURN_EMULATOR_SKIPS === "none") return;
  const row = deviationOf(inject("emulator"), task.fullName);
  if (row !== undefined) skip(`${row.behaviour}: ${row.why}`);
});
