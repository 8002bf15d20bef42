/** Skips each test that is in the table. `KEYTURN_EMULATOR_SKIPS=none` tests the table itself. */
import { beforeEach, inject } from "vitest";
import { deviationOf } from "./deviations.ts";

beforeEach(({ task, skip }) => {
  if (process.env.KEYTURN_EMULATOR_SKIPS === "none") return;
  const row = deviationOf(inject("emulator"), task.fullName);
  if (row !== undefined) skip(`${row.behaviour}: ${row.why}`);
});
