/**
 * Reconciling: the record rebuilt from what KMS shows, for a table that was restored or made anew. It
 * is shown first, and written only when a person asks for just that. Whatever is not certain ends on
 * the safe side: every version that is not serving drains anew, and nothing that is disabled goes on
 * to be deleted.
 */
import { fulfil, reject } from "./fulfil.ts";
import { behind } from "../safety/lineage.ts";
import { linesOf, rebuild } from "./rebuilt.ts";
import { without } from "../model/record.ts";
import { blockedUntilMs } from "../safety/settle.ts";
import { stillToObserve, valueOf } from "../safety/observations.ts";
import type { Decision, KmsRead, Request, Scene } from "../model/types.ts";

type Reconcile = Extract<Request, { kind: "reconcile" }>;

export function decideReconcile(scene: Scene, request: Reconcile): Decision {
  const { record } = scene;
  const first = observesAll(scene);
  if (first !== undefined) return first;
  const rebuilt = rebuild(scene);
  if ("why" in rebuilt) return reject(scene, request, rebuilt.why);
  const { next, lines } = rebuilt;
  const shown = record.proposal;
  const same = shown?.lines.join("\n") === lines.join("\n");
  if (same && request.proposal === shown?.revision) {
    const done = { ...without(next, "proposal"), reconciledAtMs: scene.context.nowMs };
    return fulfil(scene, request, done, "reconciled", { detail: { wrote: lines.join("; ") } });
  }
  const proposal = { revision: record.revision + 1, lines };
  const asked = request.proposal === undefined ? "" : "KMS shows something else by now; ";
  return fulfil(scene, request, { ...record, proposal }, "reconcile-proposed", {
    reason: `${asked}to write this, ask again with proposal ${proposal.revision}`,
    detail: { proposal: proposal.revision, would: lines.join("; ") },
  });
}

/**
 * A run of the time before the restore may have had a call under way that landed since. Once none can
 * land any longer, KMS is looked at once more, and the record follows; then it counts.
 */
export function decideReconciled(scene: Scene): Decision {
  const { record, context } = scene;
  const { epoch, uncertain, nowMs } = context;
  const untilMs = blockedUntilMs(record.unsettled, epoch, uncertain, nowMs);
  if (untilMs !== undefined) {
    return { kind: "wait", untilMs, reason: "a call of before the restore may still land" };
  }
  const first = observesAll(scene);
  if (first !== undefined) return first;
  const rebuilt = rebuild(scene);
  if ("why" in rebuilt) return { kind: "halt", finding: behind(record, rebuilt.why, nowMs) };
  const isSame = linesOf(record.versions).join() === linesOf(rebuilt.next.versions).join();
  const { versions, rotations, lastNumber } = rebuilt.next;
  const next = isSame ? record : { ...record, versions, rotations, lastNumber };
  return {
    kind: "change",
    next: without(next, "reconciledAtMs"),
    entry: {
      event: "reconciled",
      reason: "looked at once more, when no earlier call could land any longer",
      detail: { wrote: isSame ? "nothing" : linesOf(versions).join("; ") },
    },
  };
}

function observesAll({ record, observed, context }: Scene): Decision | undefined {
  const { alias } = record;
  const aliases = context.home?.aliases ?? record.aliases;
  const targets = aliases.map((name): KmsRead => ({ kind: "key", key: name }));
  const first = stillToObserve(observed, [{ kind: "lineage", alias }, ...targets]);
  if (first !== undefined) return first;
  const keyIds = new Set([
    ...(valueOf(observed.lineage[alias]) ?? []).map(({ keyId }) => keyId),
    ...record.versions.map(({ keyId }) => keyId),
    ...targets.flatMap(
      (read) => valueOf(observed.key[read.kind === "key" ? read.key : ""])?.keyId ?? [],
    ),
  ]);
  const reads = [...keyIds].flatMap((keyId): KmsRead[] => [
    { kind: "key", key: keyId },
    { kind: "tags", keyId },
  ]);
  return stillToObserve(observed, reads);
}
