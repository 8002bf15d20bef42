/** Mistakes in restores, rollbacks, the journal, and the next due time. */
import type { Mutant } from "./mutant.ts";

const restore = "lambda/workflow/restore/restore.ts";
const reactivating = "lambda/workflow/restore/reactivate.ts";
const rollback = "lambda/workflow/requests/rollback.ts";

export const answering: Mutant[] = [
  {
    name: "a use attempt waits for the holder of the claim",
    edits: [
      {
        file: "lambda/run/answer.ts",
        find: '    await oneKey(current, alias, "force", attempt);',
        replace: '    await oneKey(current, alias, "due", attempt);',
      },
    ],
    scenario: "half-done",
    seed: 7,
  },
  {
    name: "a planned request applies although the record has changed",
    edits: [
      {
        file: "lambda/workflow/requests/asked.ts",
        find: "  if (ifHead !== context.head) {",
        replace: '  if (ifHead !== context.head && ifHead === "") {',
      },
    ],
    scenario: "planned",
    seed: 2,
  },
  {
    name: "a use attempt restores nothing",
    edits: [
      {
        file: "lambda/workflow/restore/use-attempt.ts",
        find: "  if (version === undefined) return undefined;\n  const active",
        replace: "  if (version?.overriddenBy === undefined) return undefined;\n  const active",
      },
    ],
    scenario: "half-done",
    seed: 22,
  },
  {
    name: "a use attempt from before the DisableKey restores the version",
    edits: [
      {
        file: "lambda/workflow/restore/use-attempt.ts",
        find: "Math.max(drainSinceMs, version.disablingAtMs ?? 0)",
        replace: "drainSinceMs",
      },
    ],
    scenario: "attempts-again",
    seed: 108,
    invariant: "an old use attempt restores nothing",
  },
  {
    name: "after CancelKeyDeletion the key remains Disabled",
    edits: [
      {
        file: restore,
        find: '  if (state !== "Disabled" && !unseen) return undefined;',
        replace:
          '  if ((state !== "Disabled" && !unseen) || cancelledAtMs !== undefined) return undefined;',
      },
      {
        file: restore,
        find: '    if (!recent(enabledAtMs)) return callOn(rotation, { kind: "EnableKey", keyId }, why);\n    return { kind: "retry", reason: again };',
        replace: '    return { kind: "retry", reason: again };',
      },
    ],
    scenario: "to-the-end",
    seed: 1,
  },
  {
    name: "a use attempt does not cancel the deletion",
    edits: [
      {
        file: restore,
        find: '  if (state === "PendingDeletion" && cancel) {',
        replace: '  if (state === "PendingDeletion" && cancel && enabledAtMs === -1) {',
      },
    ],
    scenario: "to-the-end",
    seed: 1,
  },
  {
    name: "no second observation after a restore",
    edits: [
      {
        file: restore,
        find: '  if (untilMs !== undefined) {\n    return { kind: "wait", untilMs, reason: "an earlier call could still disable the version" };\n  }\n',
        replace: "",
      },
      {
        file: restore,
        find: "  if (relabelled) return undefined;",
        replace: "  if (relabelled || enabledAtMs !== undefined) return undefined;",
      },
    ],
    scenario: "search",
    seed: 2,
  },
  {
    name: "roll back to a version that is still Disabled",
    edits: [
      {
        file: reactivating,
        find: '  if (state === "Disabled" || isUnsure) {\n    return call({ kind: "EnableKey", keyId }, enabledAtMs, why);\n  }\n',
        replace: "",
      },
      {
        file: reactivating,
        find: '  if (state !== "Enabled") {',
        replace: '  if (state !== "Enabled" && state !== "Disabled") {',
      },
      {
        file: "lambda/workflow/2-distribute.ts",
        find: "  const notReady = whyNotEnabledYet(scene, fresh);\n  if (notReady !== undefined) return notReady;\n  const grants = ",
        replace: "  const grants = ",
      },
      {
        file: "lambda/workflow/2-distribute.ts",
        find: "  const notReady = whyNotEnabledYet(scene, fresh);\n  if (notReady !== undefined) return notReady;\n  const late",
        replace: "  const late",
      },
      {
        file: "lambda/workflow/3-activate.ts",
        find: "  const notReady = whyNotEnabledYet(scene, fresh);\n  if (notReady !== undefined) return notReady;\n",
        replace: "",
      },
      {
        file: "lambda/workflow/safety/invariants.ts",
        find: '      must(target?.state === "Enabled", "I1: the alias may only move to a key observed Enabled");',
        replace: '      must(target?.state !== "Creating", "");',
      },
    ],
    scenario: "everything",
    seed: 15,
  },
  {
    name: "a rollback leaves the open rotation of the old version",
    edits: [
      {
        file: rollback,
        find: "  const closed = out === undefined ? record : withRotationClosed(record, out);\n  const reactivating",
        replace: "  const closed = record;\n  const reactivating",
      },
    ],
    scenario: "everything",
    seed: 12,
  },
  {
    name: "a rollback trusts a read of Enabled that may be older than the DisableKey",
    edits: [
      {
        file: reactivating,
        find: '  const isUnsure = state === "Enabled" && enabledAtMs === undefined;',
        replace: "  const isUnsure = false;",
      },
    ],
    scenario: "rolled-back-at-once",
    seed: 7,
  },
  {
    name: "a transition without its line",
    edits: [
      {
        file: "lambda/record/journal.ts",
        find: "    outbox: [...stored.outbox, entry],",
        replace: "    outbox: stored.outbox,",
      },
    ],
    scenario: "calm",
    seed: 1,
  },
  {
    name: "a line that is not chained to the previous one",
    edits: [
      {
        file: "lambda/record/journal.ts",
        find: "    previousHash: stored.journalHead,",
        replace: "    previousHash: genesisHash,",
      },
    ],
    scenario: "calm",
    seed: 1,
  },
  {
    name: "a managed key that waits is never due again",
    edits: [
      {
        file: "lambda/pass/finish.ts",
        find: "      return Math.min(\n        finish.dueAtMs,\n        reportedAgainAtMs(record, nowMs),\n        observeAgainAtMs(record, nowMs),\n        nextInspectionMs(record, nowMs),\n      );",
        replace: "      return Math.max(finish.dueAtMs, reportedAgainAtMs(record, nowMs) + 1e12);",
      },
    ],
    scenario: "calm",
    seed: 1,
  },
  {
    name: "one key's failure ends the run",
    edits: [
      {
        file: "lambda/run/run.ts",
        find: "        current.telemetry.failed(nameOf(item), error);",
        replace:
          "        current.stopAtMs = 0;\n        current.telemetry.failed(nameOf(item), error);",
      },
      {
        file: "lambda/pass/finish.ts",
        find: "      return nowMs + retryDelayMs(record.backoff);",
        replace: "      return nowMs + 1e12;",
      },
    ],
    scenario: "half-done",
    seed: 1,
  },
  {
    name: "a claim that was not released never expires",
    edits: [
      {
        file: "lambda/pass/take-up.ts",
        find: "    untilMs: deadlineMs,\n    dueAgainAtMs: deadlineMs + claimBackoffMs,",
        replace: "    untilMs: deadlineMs * 2,\n    dueAgainAtMs: deadlineMs + claimBackoffMs,",
      },
    ],
    scenario: "half-done",
    seed: 1,
  },
];
