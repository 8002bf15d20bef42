/** How the record remembers that a request was done, or was not. */
import type { Decision, EntryDraft, ManagedKey, Request, Scene } from "../model/types.ts";

export type Asked = Exclude<Request, { kind: "malformed" }>;

/** How many refused requests are kept in sight. */
const refusedMax = 10;

/** The record once a request was done, and the line of history that says so. */
export function honour(
  { moment }: Scene,
  request: Asked,
  next: ManagedKey,
  event: EntryDraft["event"],
  entry: Partial<EntryDraft> = {},
): Decision {
  const { id, kind, by } = request;
  const honoured = [...next.honoured, { id, atMs: moment.nowMs }];
  const version = "version" in request ? { version: request.version } : {};
  return {
    kind: "change",
    next: { ...next, honoured },
    entry: {
      ...entry,
      event,
      reason: request.reason === "" ? (entry.reason ?? `asked for by ${by}`) : request.reason,
      detail: { ...entry.detail, ...version, request: id, asked: kind, by },
    },
  };
}

export function refuse({ record, moment }: Scene, request: Request, why: string): Decision {
  const { id, kind } = request;
  const { nowMs: atMs } = moment;
  const refused = [...record.refused, { id, kind, why, atMs }].slice(-refusedMax);
  const by = request.kind === "malformed" ? {} : { by: request.by };
  return {
    kind: "change",
    next: { ...record, refused, honoured: [...record.honoured, { id, atMs }] },
    entry: { event: "request-refused", reason: why, detail: { request: id, asked: kind, ...by } },
  };
}
