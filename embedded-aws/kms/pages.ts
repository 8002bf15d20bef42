/** Pages of the List operations: an opaque marker gives the start of the next page. */
import { AwsError } from "../http/aws-error.ts";

export type PageRequest = { Limit?: number; Marker?: string };

export type Page<T> = { items: T[]; rest: { Truncated: boolean; NextMarker?: string } };

type Id = string | number;

/**
 * One page of `items`, which are sorted by `idOf`. A marker names the last item of the previous page:
 * deletions between pages shift nothing. It is valid only for its listing (`scope`).
 */
export function pageOf<T>(
  items: Iterable<T>,
  idOf: (item: T) => Id,
  request: PageRequest,
  options: { scope: string; defaultLimit: number },
): Page<T> {
  const limit = request.Limit ?? options.defaultLimit;
  const after = request.Marker === undefined ? undefined : readMarker(request.Marker, options);
  const page: T[] = [];
  for (const item of items) {
    if (after !== undefined && idOf(item) <= after) continue;
    if (page.length === limit) {
      const last = page[limit - 1] as T;
      return { items: page, rest: { NextMarker: marker(options, idOf(last)), Truncated: true } };
    }
    page.push(item);
  }
  return { items: page, rest: { Truncated: false } };
}

function marker(options: { scope: string }, after: Id): string {
  return Buffer.from(JSON.stringify([options.scope, after])).toString("base64");
}

function readMarker(text: string, options: { scope: string }): Id {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, "base64").toString("utf8"));
    if (Array.isArray(parsed) && parsed[0] === options.scope) {
      const after: unknown = parsed[1];
      if (typeof after === "string" || typeof after === "number") return after;
    }
  } catch {
    // Falls through: the marker is not one of ours.
  }
  throw new AwsError("InvalidMarkerException", "Could not deserialize marker");
}
