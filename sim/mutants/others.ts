/** Version 0.1.0's blindness to changes by external actors, and ways to miss them. */
import type { Mutant } from "./mutant.ts";

const reported = "a change by others is reported";
const inspection = "lambda/workflow/drift/inspection.ts";
const atVersion = "lambda/workflow/drift/inspect-version.ts";

export const others: Mutant[] = [
  {
    name: "inspect no version between the steps",
    edits: [
      {
        file: inspection,
        find: '  if (due === "no") return [];\n',
        replace: "  if (due) return [];\n",
      },
    ],
    scenario: "external-changes",
    seed: 1,
    invariant: reported,
  },
  {
    name: "inspect versions that a rotation retires alone",
    edits: [
      {
        file: atVersion,
        find: '    case "active":\n    case "draining":\n    case "retained":\n      return "Enabled";',
        replace:
          '    case "draining":\n      return "Enabled";\n    case "active":\n    case "retained":\n      return undefined;',
      },
    ],
    scenario: "changes-unreported",
    seed: 3,
    invariant: reported,
  },
  {
    name: "drop the events of changes",
    edits: [
      {
        file: "lambda/run/changed.ts",
        find: "    if (!(await mark(current, alias, waits))) continue;\n",
        replace: "    if (alias) continue;\n",
      },
    ],
    scenario: "external-changes",
    seed: 1,
    invariant: reported,
  },
  {
    name: "know an event's managed key by its KMS key alone, not by the alias",
    edits: [
      {
        file: "lambda/run/changed.ts",
        find: "[...bound, listed ?? alias]",
        replace: "[...bound, listed && undefined]",
      },
    ],
    scenario: "external-changes",
    seed: 1,
    invariant: reported,
  },
  {
    name: "end a suspicion with the first inspection, whatever reads show late",
    edits: [
      {
        file: inspection,
        find: "suspectedAtMs === undefined || sinceMs >= suspectedAtMs + consistencyMs;",
        replace: "sinceMs >= 0;",
      },
    ],
    scenario: "external-changes",
    seed: 11,
    invariant: reported,
  },
  {
    name: "close a finding in a pass that makes no inspection",
    edits: [
      {
        file: inspection,
        find: "  if (isDone || inspectionDueAtMs(record) === Infinity) return [];\n",
        replace: "  if (isDone || record) return [];\n",
      },
    ],
    scenario: "external-changes",
    seed: 6,
    invariant: reported,
  },
  {
    name: "report a lost tag of a version out of use, but not the date of its deletion",
    edits: [
      {
        file: atVersion,
        find: 'if (restoring?.kind === "observe")',
        replace: "if (restoring !== undefined)",
      },
    ],
    scenario: "deleted-by-others",
    seed: 173,
    invariant: reported,
  },
  {
    name: "create a version without the tag that the grants of manage() rest on",
    edits: [
      {
        file: "lambda/workflow/active-version.ts",
        find: "        [tagNames.alias]: record.alias,\n",
        replace: "",
      },
    ],
    scenario: "granted-by-construct",
    seed: 1,
    invariant: "a grant of manage() holds",
  },
  {
    name: "take no notice of another key policy",
    edits: [
      {
        file: inspection,
        find: "    ...(policy.hash === policyHash ? {} : { policyChangedTo: policy.hash }),\n",
        replace: "",
      },
    ],
    scenario: "external-changes",
    seed: 2,
    invariant: reported,
  },
];
