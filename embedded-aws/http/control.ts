/** The control endpoints under /_keyturn/, not part of AWS: clock, call counts, events, states. */
import { flag, integer, readInput, structure, text } from "./shape.ts";
import type { SimClock } from "../clock.ts";
import type { RecordedEvent } from "../eventbridge.ts";
import type { CloudTrailEvent } from "../kms/cloudtrail-record.ts";
import type { KmsTwin } from "../kms/twin.ts";
import type { KeyChangeEvent } from "../kms/key-changes.ts";
import type { UseAttemptEvent } from "../kms/use-attempts.ts";
import type { KeyState } from "../kms/types.ts";
import { AwsError } from "./aws-error.ts";
import { json, type Reply } from "./reply.ts";
import type { Incoming } from "./server.ts";

export type Controlled = {
  clock: SimClock;
  kms: KmsTwin;
  events: readonly RecordedEvent[];
  useAttempts: readonly UseAttemptEvent[];
  refusedUses: readonly CloudTrailEvent[];
  keyChanges: readonly KeyChangeEvent[];
  calls(): Record<string, Record<string, number>>;
  resetCalls(): void;
};

const clockShape = structure({}, { nowMs: integer(), advanceMs: integer() });
const stateShape = structure({ keyId: text(), state: text() }, {});
const storeShape = structure({ storeId: text(), connected: flag() }, {});

export function control(controlled: Controlled, request: Incoming): Reply {
  const { method, path } = request;
  try {
    switch (`${method} ${path}`) {
      case "GET /_keyturn/health":
        return json(200, { status: "ok", nowMs: controlled.clock.nowMs() });
      case "GET /_keyturn/clock":
        return json(200, { nowMs: controlled.clock.nowMs() });
      case "POST /_keyturn/clock":
        return moveClock(controlled.clock, request.body);
      case "GET /_keyturn/calls":
        return json(200, controlled.calls());
      case "POST /_keyturn/calls/reset":
        controlled.resetCalls();
        return json(200, controlled.calls());
      case "GET /_keyturn/events":
        return json(200, controlled.events);
      case "GET /_keyturn/use-attempts":
        return json(200, controlled.useAttempts);
      case "GET /_keyturn/refused-uses":
        return json(200, controlled.refusedUses);
      case "GET /_keyturn/key-changes":
        return json(200, controlled.keyChanges);
      case "GET /_keyturn/kms":
        return json(200, controlled.kms.snapshot());
      case "POST /_keyturn/kms/state":
        return forceState(controlled.kms, request.body);
      case "POST /_keyturn/kms/store":
        return connectStore(controlled.kms, request.body);
      default:
        return json(404, { message: `no ${method} ${path}` });
    }
  } catch (error) {
    return json(400, { message: error instanceof Error ? error.message : String(error) });
  }
}

function moveClock(clock: SimClock, body: Buffer): Reply {
  const { nowMs, advanceMs } = readInput(clockShape, parse(body));
  if ((nowMs === undefined) === (advanceMs === undefined)) {
    throw new AwsError("ValidationException", "give either nowMs or advanceMs");
  }
  if (nowMs !== undefined) clock.moveTo(nowMs);
  if (advanceMs !== undefined) clock.advance(advanceMs);
  return json(200, { nowMs: clock.nowMs() });
}

function forceState(kms: KmsTwin, body: Buffer): Reply {
  const { keyId, state } = readInput(stateShape, parse(body));
  kms.forceState(keyId, state as KeyState);
  return json(200, {});
}

function connectStore(kms: KmsTwin, body: Buffer): Reply {
  const { storeId, connected } = readInput(storeShape, parse(body));
  kms.connectStore(storeId, connected);
  return json(200, {});
}

function parse(body: Buffer): unknown {
  return JSON.parse(body.toString("utf8"));
}
