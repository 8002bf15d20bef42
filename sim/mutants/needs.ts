/** Version 0.1.0's blindness to needs that no use shows, one mutant a row of the design. */
import type { Mutant } from "./mutant.ts";

export const needs: Mutant[] = [
  {
    name: "N2: disable a version that a service's grant holds",
    edits: [
      {
        file: "lambda/workflow/5-revoke.ts",
        find: "  if (held !== undefined) return held;\n",
        replace: "",
      },
    ],
    scenario: "held-by-services",
    seed: 1,
    invariant: "what is needed stays",
  },
  {
    name: "N6: drop a refused CreateGrant or GetPublicKey as no cryptographic operation",
    edits: [
      {
        file: "lambda/inbound/use-attempt.ts",
        find: 'new Set(["CreateGrant", "GetPublicKey"])',
        replace: "new Set<string>()",
      },
    ],
    scenario: "started-late",
    seed: 1,
    invariant: "what is needed stays",
  },
  {
    name: "N6: drop a refused GetPublicKey",
    edits: [
      {
        file: "lambda/inbound/use-attempt.ts",
        find: 'new Set(["CreateGrant", "GetPublicKey"])',
        replace: 'new Set(["CreateGrant"])',
      },
    ],
    scenario: "public-keys",
    seed: 1,
    invariant: "what is needed stays",
  },
  {
    name: "N7: delete a key whose public key is used outside KMS",
    edits: [
      {
        file: "lambda/workflow/revoke/soak.ts",
        find: 'retiredAs(policy, old) !== "delete"',
        replace: 'policy.retire !== "delete"',
      },
    ],
    scenario: "public-keys",
    seed: 5,
    invariant: "what is needed stays",
  },
  {
    name: "N10: delete without an operator's approval",
    edits: [
      {
        file: "lambda/workflow/revoke/soak.ts",
        find: '  if (!isAccepted || !isApproved(rotation, evidence, "delete")) {',
        replace: "  if (!isAccepted) {",
      },
      {
        file: "lambda/workflow/revoke/deletion.ts",
        find: '  if (isOurs && !isApproved) return "no operator approved the deletion";\n',
        replace: "",
      },
      {
        file: "lambda/workflow/safety/invariants.ts",
        find: "must(isDeletionApproved(record, matter),",
        replace: "must(isDeletionApproved(record, matter) || true,",
      },
    ],
    scenario: "started-late",
    seed: 1,
    invariant: "what is needed stays",
  },
];
