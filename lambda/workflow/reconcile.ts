/**
 * Reconciling: the record rebuilt from what KMS shows, for a table that was restored or made anew. It
 * is shown first, and written only when a person asks for just that. Whatever is not certain ends on
 * the safe side: every version that is not serving drains anew, and nothing that is disabled goes on
 * to be deleted.
 */
import { honour, refuse } from "./honour.ts";
import { rebuild } from "./rebuilt.ts";
import { without } from "./record.ts";
import { stillToSee, valueOf } from "./sights.ts";
import type { Decision, Look, Request, Scene } from "./types.ts";

type Reconcile = Extract<Request, { kind: "reconcile" }>;

export function decideReconcile(scene: Scene, request: Reconcile): Decision {
  const { record } = scene;
  const first = looksAtAll(scene);
  if (first !== undefined) return first;
  const rebuilt = rebuild(scene);
  if ("why" in rebuilt) return refuse(scene, request, rebuilt.why);
  const { next, lines } = rebuilt;
  const shown = record.proposal;
  const same = shown?.lines.join("\n") === lines.join("\n");
  if (same && request.proposal === shown?.revision) {
    const done = without(next, "proposal");
    return honour(scene, request, done, "reconciled", { detail: { wrote: lines.join("; ") } });
  }
  const proposal = { revision: record.revision + 1, lines };
  const asked = request.proposal === undefined ? "" : "KMS shows something else by now; ";
  return honour(scene, request, { ...record, proposal }, "reconcile-proposed", {
    reason: `${asked}to write this, ask again with proposal ${proposal.revision}`,
    detail: { proposal: proposal.revision, would: lines.join("; ") },
  });
}

function looksAtAll({ record, seen, moment }: Scene): Decision | undefined {
  const { alias } = record;
  const aliases = moment.home?.aliases ?? record.aliases;
  const targets = aliases.map((name): Look => ({ kind: "key", key: name }));
  const first = stillToSee(seen, [{ kind: "lineage", alias }, ...targets]);
  if (first !== undefined) return first;
  const keyIds = new Set([
    ...(valueOf(seen.lineage[alias]) ?? []),
    ...record.versions.map(({ keyId }) => keyId),
    ...targets.flatMap(
      (look) => valueOf(seen.key[look.kind === "key" ? look.key : ""])?.keyId ?? [],
    ),
  ]);
  const looks = [...keyIds].flatMap((keyId): Look[] => [
    { kind: "key", key: keyId },
    { kind: "tags", keyId },
  ]);
  return stillToSee(seen, looks);
}
