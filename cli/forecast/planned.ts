import type { RequestItem } from "../../lambda/ports.ts";
import type { Call } from "../../lambda/workflow/model/types.ts";
import type { KnownRefusals } from "./refusals.ts";

/** What a prediction starts from beside the record. */
export type Ahead = {
  nowMs: number;
  untilMs: number;
  /** Items that wait for the next run. */
  requests: RequestItem[];
  refused: KnownRefusals;
};

/** A changing call that KMS accepted, or a journal line without a call. */
export type ForecastEvent = {
  atMs: number;
  event: string;
  reason: string;
  step?: string;
  rotationId?: string;
  call?: Call["kind"];
  /** The version, alias or key of the call. */
  subject?: string;
  /** The id of the request that it answers. */
  request?: string;
};
