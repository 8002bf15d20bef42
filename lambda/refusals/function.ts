/** The second function in Lambda: a batch of the queue's messages in, the ids of those to deliver again out. */
import { Logger } from "@aws-lambda-powertools/logger";
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import type { Context, SQSBatchResponse } from "aws-lambda";
import { createTable } from "../aws/dynamodb.ts";
import { acceptedOf } from "../configuration/patterns.ts";
import { homeOf } from "../inbound/cloudtrail.ts";
import { describeError } from "../errors.ts";
import type { AcceptedRefusal } from "../workflow/model/types.ts";
import { createMetrics } from "../telemetry/powertools.ts";
import { Collector, type Message } from "./collect.ts";

export type RefusalsEnvironment = {
  tableName: string;
  /** The name of the first function's role, whose refused calls lock nobody out. */
  roleName?: string;
} & RefusalsConfiguration;

/** The part of the configuration that the second function has. */
export type RefusalsConfiguration = {
  /** The managed key of each further alias of its set. */
  aliases: Record<string, string>;
  acceptedRefusals: AcceptedRefusal[];
};

export function createRefusalsFunction(
  { tableName, roleName, aliases, acceptedRefusals }: RefusalsEnvironment,
  nowMs: () => number,
): (event: unknown, context: Context) => Promise<SQSBatchResponse> {
  const logger = new Logger({ serviceName: "keyturn" });
  const metrics = createMetrics(tableName);
  const ofAlias = new Map(Object.entries(aliases));
  const aliasOf = (alias: string): string => ofAlias.get(alias) ?? alias;
  const collector = new Collector(createTable(tableName), nowMs, aliasOf, (alias) =>
    acceptedOf({ acceptedRefusals }, alias),
  );
  return async (event, context) => {
    const home = homeOf(context.invokedFunctionArn, roleName);
    const { failed, unattributed, error } = await collector.collect(messagesOf(event), home);
    // One line and one metric for a batch: a flood of events must not become a flood of log lines.
    if (error !== undefined) {
      logger.error("refused uses not stored", {
        messages: failed.length,
        cause: describeError(error),
      });
    }
    if (unattributed > 0) {
      metrics.addMetric("RefusalsUnattributed", MetricUnit.Count, unattributed);
      metrics.publishStoredMetrics();
    }
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  };
}

/** Only Lambda's poller of the queue may invoke the function; any other event has no messages. */
function messagesOf(event: unknown): Message[] {
  const { Records: records } = (event ?? {}) as { Records?: unknown };
  if (!Array.isArray(records)) return [];
  return records.flatMap((record: { messageId?: unknown; body?: unknown } | null) => {
    const { messageId: id, body } = record ?? {};
    return typeof id === "string" && typeof body === "string" ? [{ id, body }] : [];
  });
}
