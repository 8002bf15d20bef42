/** Makes a changing call once, if the run still has time for it. */
import { requestLimitMs } from "../workflow/model/limits.ts";
import type { Ports } from "../ports.ts";
import type { Pacer } from "./pacer.ts";
import type { Call, Outcome } from "../workflow/model/types.ts";

/**
 * Makes the call, unless the run has too little time left to wait for its answer. The promise
 * settles only when the request has ended, and so a run that awaits it returns with nothing in
 * flight.
 */
export async function act(
  ports: Pick<Ports, "keys" | "clock">,
  pacer: Pacer,
  call: Call,
  deadlineMs: number,
): Promise<Outcome> {
  await pacer.take(call.kind, deadlineMs);
  const leftMs = deadlineMs - ports.clock.nowMs();
  if (leftMs < requestLimitMs) {
    const message = `${leftMs} ms left: too little time for a request`;
    return { kind: "refused", refusal: "PastDeadline", message };
  }
  return ports.keys.change(call, { deadlineMs, limitMs: requestLimitMs });
}
