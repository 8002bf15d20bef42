import type { Call } from "../../lambda/workflow/model/types.ts";

/** A changing call that KMS accepted, or a line of the journal that stands for none. */
export type ForecastEvent = {
  atMs: number;
  event: string;
  reason: string;
  step?: string;
  rotationId?: string;
  call?: Call["kind"];
  /** The version, alias or key that the call is about. */
  subject?: string;
  /** The id of the request that it answers. */
  request?: string;
};
