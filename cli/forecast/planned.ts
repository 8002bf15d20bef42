import type { Call } from "../../lambda/workflow/model/types.ts";

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
