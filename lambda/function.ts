/** The middy shell: log context in, metrics out, and one run between them. */
import { Logger } from "@aws-lambda-powertools/logger";
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { Metrics } from "@aws-lambda-powertools/metrics";
import { logMetrics } from "@aws-lambda-powertools/metrics/middleware";
import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { createAwsPorts } from "./aws/wiring.ts";
import type { Environment } from "./environment.ts";
import type { Chance, Clock } from "./ports.ts";
import { createTelemetry } from "./powertools.ts";
import type { RunResult } from "./run.ts";
import { createService } from "./service.ts";

export type Outside = { clock: Clock; chance: Chance };

/** The function that Lambda calls, for one environment. The event says nothing but "look again". */
export function createFunction(
  environment: Environment,
  { clock, chance }: Outside,
): (event: unknown, context: Context) => Promise<RunResult> {
  const logger = new Logger({ serviceName: "keyturn" });
  const metrics = new Metrics({ namespace: "keyturn", serviceName: "keyturn" });
  const ports = createAwsPorts(environment, clock, chance);
  const telemetry = createTelemetry(logger, metrics);
  const service = createService(
    ports,
    telemetry,
    environment.configuration,
    environment.quotaShare,
  );
  return middy<unknown, RunResult>()
    .use(injectLambdaContext(logger))
    .use(logMetrics(metrics))
    .handler((_event, context) => service.run(clock.nowMs() + context.getRemainingTimeInMillis()));
}
