/** Version 0.1.0's blindness to refused uses, one mutant a row of the design, and ways to miss them. */
import type { Mutant } from "./mutant.ts";

const file = "lambda/workflow/safety/refusals.ts";
const stays = "what is needed stays";

export const refusals: Mutant[] = [
  {
    name: "N3: delete under readers that are refused on the old version",
    edits: [{ file, find: "    ...mine.filter(({ use }) => isAfter(use)),\n", replace: "" }],
    scenario: "allowed-by-alias",
    seed: 1,
    invariant: stays,
  },
  {
    name: "N4: delete the version that a locked-out caller's policy names",
    edits: [
      {
        file,
        find: "    ...later.flatMap(({ version, sinceMs }) => sinceActivation(scene, version, sinceMs)),\n",
        replace: "",
      },
    ],
    scenario: "allowed-by-first-key",
    seed: 1,
    invariant: stays,
  },
  {
    name: "N4: report no caller that a move locked out",
    edits: [
      {
        file: "lambda/workflow/safety/refusal-findings.ts",
        find: "  if (uses.length === 0 && !isAmongOthers) return [];\n",
        replace: "  if (uses.length >= 0) return [];\n",
      },
    ],
    scenario: "allowed-by-first-key",
    seed: 1,
    invariant: "a lock-out is reported",
  },
  {
    name: "N5: delete under readers that name the alias for old data",
    edits: [{ file, find: "    ...named.filter(({ use }) => isAfter(use)),\n", replace: "" }],
    scenario: "read-by-alias",
    seed: 1,
    invariant: stays,
  },
  {
    name: "N3: let a scheduled deletion stand under a refusal",
    edits: [
      {
        file: "lambda/workflow/revoke/deletion.ts",
        find: "  if (need !== undefined) return `refused after the approval",
        replace: "  if (need === undefined) return `refused after the approval",
      },
    ],
    scenario: "refused-late",
    seed: 1,
    invariant: stays,
  },
  {
    name: "take no refusal for no refused caller, while the trail is off",
    edits: [
      {
        file: "lambda/workflow/revoke/soak.ts",
        find: " ?? notCollected(scene) ?? reportedOfStack(",
        replace: " ?? reportedOfStack(",
      },
    ],
    scenario: "trail-off",
    seed: 1,
    invariant: stays,
  },
];
