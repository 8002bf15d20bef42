/**
 * The stack of `infra/app.ts`, with two changes that shorten its test to minutes: the schedule has
 * EventBridge's shortest interval, and the package has the handler with the accelerated clock.
 *
 * `KEYTURN_EMULATOR_STACK` is its name, `KEYTURN_EMULATOR_PACKAGE` the folder to build the package in;
 * `KEYTURN_EMULATOR_ALARMS` is `plain` if the emulator does not support metric math.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { App, CfnOutput, Duration } from "aws-cdk-lib";
import type { CfnFunction } from "aws-cdk-lib/aws-lambda";
import { Asset } from "aws-cdk-lib/aws-s3-assets";
import { bundle } from "../infra/bundle.ts";
import { KeyRotationStack } from "../infra/stack.ts";
import { readDocument } from "../lambda/configuration/configuration.ts";
import { withoutMetricMath } from "./plain-alarms.ts";

/** One day per minute. */
const times = 24 * 60;

const {
  KEYTURN_EMULATOR_STACK: name = "",
  KEYTURN_EMULATOR_PACKAGE: folder = "",
  KEYTURN_EMULATOR_ALARMS: alarms = "",
} = process.env;
const app = new App();
const path = String(app.node.tryGetContext("config"));
const configuration = readDocument(readFileSync(path, "utf8"));
const stack = new KeyRotationStack(app, name, {
  configuration,
  interval: Duration.minutes(1),
});

if (alarms === "plain") withoutMetricMath(stack);

const { rotation } = stack;
const { refusedUses } = rotation;
if (refusedUses === undefined) throw new Error("expected the queue of refused uses");
// For the test, which sends to the queue: an emulator's rules receive no CloudTrail events.
new CfnOutput(stack, "RefusedUsesQueueUrl", { value: refusedUses.queue.queueUrl });
new CfnOutput(stack, "RefusedUsesRule", { value: refusedUses.rule.ruleName });
bundle(join(import.meta.dirname, "hasty-handler.ts"), configuration, folder);
const hasty = new Asset(rotation, "HastyPackage", { path: folder });
const resource = rotation.function.node.defaultChild as CfnFunction;
// Overrides the value that the construct sets at synthesis.
resource.addPropertyOverride("Code.S3Key", hasty.s3ObjectKey);
rotation.function.addEnvironment("KEYTURN_SINCE_MS", String(Date.now()));
rotation.function.addEnvironment("KEYTURN_TIMES", String(times));
