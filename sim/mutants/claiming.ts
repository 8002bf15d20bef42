/** Mistakes about whose a claim is, and about what a write may erase. */
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
    name: "take a managed key as often as a page of the due index names it",
    edits: [eachName],
    scenario,
    seed: 1,
  },
  {
    name: "tell a claim by the run alone: two passes of it take the same one",
    edits: [eachName, ...byRun],
    scenario,
    seed: 1,
    invariant: "one claim, one pass",
  },
  {
    name: "write on condition of revision and epoch alone: an announced call is erased",
    edits: [eachName, ...byRun, uncounted],
    scenario,
    seed: 1,
    invariant: "a call under way is on record",
  },
];
