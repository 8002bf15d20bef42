/**
 * Reconciling rebuilds the record from KMS's observed state, for a restored or new table. keyturn
 * shows the result first, and writes it only when an operator requests exactly that. Uncertainty
 * resolves to the safe side: every enabled version that is not active drains again, and no disabled
 * version goes on to deletion.
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
    const done = {
      ...without(next, "proposal"),
      reconciledAtMs: scene.context.nowMs,
      collectedFromMs: scene.context.nowMs,
    };
    return fulfil(scene, request, done, "reconciled", { detail: { wrote: lines.join("; ") } });
  }
  const proposal = { revision: record.revision + 1, lines };
  const asked = request.proposal === undefined ? "" : "KMS's state has changed since; ";
  return fulfil(scene, request, { ...record, proposal }, "reconcile-proposed", {
    reason: `${asked}to write this, send reconcile with proposal ${proposal.revision}`,
    detail: { proposal: proposal.revision, would: lines.join("; ") },
  });
}

/**
 * A call from before the table's restore may have landed since. Once no earlier call can land,
 * keyturn observes KMS again and updates the record; from then on the record is valid.
 */
export function decideReconciled(scene: Scene): Decision {
  const { record, context } = scene;
  const { epoch, uncertain, nowMs } = context;
  const untilMs = blockedUntilMs(record.unsettled, epoch, uncertain, nowMs);
  if (untilMs !== undefined) {
    return {
      kind: "wait",
      untilMs,
      reason: "a call from before the restore may still take effect",
    };
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
      reason: "observed again; no earlier call can take effect",
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
