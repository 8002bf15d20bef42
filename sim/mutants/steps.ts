/** Mistakes in the five steps. */
import type { Mutant } from "./mutant.ts";

const generate = "lambda/workflow/1-generate.ts";
const activate = "lambda/workflow/3-activate.ts";
const revoke = "lambda/workflow/5-revoke.ts";
const soak = "lambda/workflow/revoke/soak.ts";
const invariants = "lambda/workflow/safety/invariants.ts";
const evidence = "lambda/workflow/safety/evidence.ts";
const quarantine = "lambda/workflow/restore/quarantine.ts";

export const steps: Mutant[] = [
  {
    name: "CreateKey without the rotation tag",
    edits: [
      {
        file: generate,
        find: "      tags: { ...tags, [tagNames.attempt]: String(attempts + 1) },",
        replace:
          '      tags: { ...tags, [tagNames.rotation]: "", [tagNames.attempt]: String(attempts + 1) },',
      },
    ],
    scenario: "half-done",
    seed: 2,
  },
  {
    name: "adopt two orphans",
    edits: [
      {
        file: generate,
        find: '    next: { ...next, extras: [...next.extras, ...extras] },\n    entry: {\n      ...entry,\n      event: "adopted",',
        replace:
          '    next: { ...next, versions: [...next.versions, ...next.versions.filter(({ number }) => number === rotation.to).flatMap((version) => rest.map(({ keyId, arn, createdAtMs }) => ({ ...version, keyId, arn, createdAtMs })))] },\n    entry: {\n      ...entry,\n      event: "adopted",',
      },
    ],
    scenario: "unheard",
    seed: 10,
  },
  {
    name: "do not read the new version again before UpdateAlias",
    edits: [
      {
        file: "lambda/workflow/2-distribute.ts",
        find: "  const notReady = whyNotEnabledYet(scene, fresh);\n  if (notReady !== undefined) return notReady;\n  const late",
        replace: "  const late",
      },
      {
        file: activate,
        find: "  const notReady = whyNotEnabledYet(scene, fresh);\n  if (notReady !== undefined) return notReady;\n",
        replace: "",
      },
      {
        file: invariants,
        find: '      must(target?.state === "Enabled", "I1: the alias may only move to a key observed Enabled");',
        replace: '      must(target?.state !== "Creating", "");',
      },
    ],
    scenario: "everything",
    seed: 36,
  },
  {
    name: "treat unknown usage as quiet",
    edits: [
      {
        file: evidence,
        find: '      return { kind: "unknown", why: lastUse.why };',
        replace: '      return { kind: "quiet" };',
      },
    ],
    scenario: "everything",
    seed: 24,
  },
  {
    name: "forget that the evidence lags",
    edits: [
      {
        file: evidence,
        find: "  const quietAtMs = atMs + policy.drain.quietForMs + lastUseLagMs;",
        replace: "  const quietAtMs = atMs + policy.drain.quietForMs - lastUseLagMs;",
      },
    ],
    scenario: "calm",
    seed: 2,
  },
  {
    name: "count the quiet period from when the version was retired",
    edits: [
      {
        file: evidence,
        find: "      return judgeQuiet(lastUse, policy, nowMs);\n    }\n  }\n}",
        replace:
          "      return judgeQuiet({ ...lastUse, atMs: retiredAtMs }, policy, nowMs);\n    }\n  }\n}",
      },
    ],
    scenario: "everything",
    seed: 1,
  },
  {
    name: "do not read the evidence again before DisableKey",
    edits: [
      {
        file: revoke,
        find: "  const blocked = inUse ?? (isDisabled ? undefined : guardrail(scene, old, lastUse));",
        replace: "  const blocked = isDisabled ? undefined : guardrail(scene, old, lastUse);",
      },
      {
        file: "lambda/workflow/4-drain.ts",
        find: "  const block = notQuiet(scene, evidence);\n",
        replace: "  const block = undefined as ReturnType<typeof notQuiet>;\n",
      },
    ],
    scenario: "half-done",
    seed: 2,
  },
  {
    name: "skip the read for aliases, before DisableKey and after",
    edits: [
      {
        file: revoke,
        find: "  if (aliased !== undefined) return aliased;\n",
        replace: "",
      },
      {
        file: "lambda/workflow/4-drain.ts",
        find: '  const wrong = drifted(scene, "Enabled") ?? aliasInTheWay(scene);\n  if (wrong !== undefined) return wrong;\n  return judged(scene);',
        replace: "  return judged(scene);",
      },
      {
        file: "lambda/workflow/drift/guard.ts",
        find: '      return matter.kind === "rotation" ? astray(scene) : undefined;',
        replace: "      return undefined;",
      },
      {
        file: invariants,
        find: '      must(aliases?.length === 0, "I2: an alias may point at it");',
        replace: '      must(aliases?.length !== -1, "");',
      },
    ],
    scenario: "outside-change",
    seed: 6,
  },
  {
    name: "skip the read after DisableKey",
    edits: [
      {
        file: soak,
        find: '  if (onIt !== undefined) return needed(scene, "alias", onIt.observed);\n  const againAtMs',
        replace: "  const againAtMs",
      },
      {
        file: soak,
        find: '  if (onIt !== undefined) return needed(scene, "alias", onIt.observed);\n  const evidence',
        replace: "  const evidence",
      },
      {
        file: invariants,
        find: '      must(aliases?.length === 0, "I2: an alias may point at it");',
        replace: '      must(aliases?.length !== -1, "");',
      },
      {
        file: "lambda/workflow/drift/guard.ts",
        find: '      return matter.kind === "rotation" ? astray(scene) : undefined;',
        replace: "      return undefined;",
      },
    ],
    scenario: "outside-change",
    seed: 36,
  },
  {
    name: "do not read the evidence of the hour before DisableKey",
    edits: [
      {
        file: soak,
        find: "  if (rotation.lateUseReadAtMs === undefined) return readLateUse(scene);",
        replace: "",
      },
      {
        file: soak,
        find: '  if (usedSince(rotation.evidence, lastUse)) return needed(scene, "use", inUse(lastUse));',
        replace: "",
      },
    ],
    scenario: "half-done",
    seed: 6,
  },
  {
    name: "quarantine a key of an unknown rotation, even if it is in use",
    edits: [
      {
        file: "lambda/chores/audit.ts",
        find: "  if (record === undefined || rotation === undefined) {",
        replace: "  if (record === undefined) {",
      },
      {
        file: "lambda/chores/audit.ts",
        find: "  const handed = await handOver(run, alias, extraOf(rotation, keyId, nowMs));",
        replace:
          "  const extra = { keyId, rotationId, madeAfterMs: 0, foundAtMs: nowMs };\n  const handed = await handOver(run, alias, extra);",
      },
      {
        file: quarantine,
        find: '  if (lastUse.kind === "used") return `was used: ${lastUse.operation}`;\n  if (lastUse.kind !== "never" || lastUse.sinceMs > createdAtMs) {\n    return "has an unknown last use";\n  }\n',
        replace: "",
      },
    ],
    scenario: "to-the-end",
    seed: 8,
  },
];
