/** How the record keeps fulfilled and rejected requests. */
import type { Decision, EntryDraft, ManagedKey, Request, Scene } from "../model/types.ts";

export type WellFormedRequest = Exclude<Request, { kind: "malformed" }>;

/** How many rejected requests the record keeps. */
const rejectedMax = 10;

/** The record once a request is fulfilled, and its journal line. */
export function fulfil(
  { context }: Scene,
  request: WellFormedRequest,
  next: ManagedKey,
  event: EntryDraft["event"],
  entry: Partial<EntryDraft> = {},
): Decision {
  const { id, kind, by } = request;
  const fulfilled = [...next.fulfilled, { id, atMs: context.nowMs }];
  const version = "version" in request ? { version: request.version } : {};
  return {
    kind: "change",
    next: { ...next, fulfilled },
    entry: {
      ...entry,
      event,
      reason: request.reason === "" ? (entry.reason ?? `requested by ${by}`) : request.reason,
      detail: { ...entry.detail, ...version, request: id, asked: kind, by },
    },
  };
}

export function reject({ record, context }: Scene, request: Request, why: string): Decision {
  const { id, kind } = request;
  const { nowMs: atMs } = context;
  const rejected = [...record.rejected, { id, kind, why, atMs }].slice(-rejectedMax);
  const by = request.kind === "malformed" ? {} : { by: request.by };
  return {
    kind: "change",
    next: { ...record, rejected, fulfilled: [...record.fulfilled, { id, atMs }] },
    entry: { event: "request-rejected", reason: why, detail: { request: id, asked: kind, ...by } },
  };
}
