/** Mistakes about the holder of a claim, and about what a write may erase. */
import type { Edit, Mutant } from "./mutant.ts";

const eachName: Edit = {
  file: "lambda/run/run.ts",
  find: "    const isNew = !met.has(nameOf(item));",
  replace: "    const isNew = true;",
};

const byRun: Edit[] = [
  {
    file: "lambda/pass/claim.ts",
    find: "{ passId }: ClaimRequest, epoch",
    replace: "{ runId }: ClaimRequest, epoch",
  },
  {
    file: "lambda/pass/claim.ts",
    find: "record.claim?.passId === passId",
    replace: "record.claim?.runId === runId",
  },
];

const uncounted: Edit = {
  file: "sim/ports/table-state.ts",
  find: "      there.writes === expected.writes;",
  replace: "      there.writes > -1;",
};

const scenario = "requests-while-due";

export const claiming: Mutant[] = [
  {
    name: "make a pass each time that a page of the due index names the managed key",
    edits: [eachName],
    scenario,
    seed: 1,
  },
  {
    name: "identify a claim by the run only: two of its passes take the same claim",
    edits: [eachName, ...byRun],
    scenario,
    seed: 1,
    invariant: "one claim, one pass",
  },
  {
    name: "condition a write on revision and epoch only: it erases an announced call",
    edits: [eachName, ...byRun, uncounted],
    scenario,
    seed: 5,
    invariant: "a call under way is on record",
  },
];
