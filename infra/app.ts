/**
 * The app for `npx cdk synth` and `npx cdk deploy`. The context `config` names the configuration
 * file: in cdk.json, or as `-c config=keyturn.json`.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Annotations, App } from "aws-cdk-lib";
import {
  type ConfigurationDocument,
  ConfigurationError,
  readDocument,
} from "../lambda/configuration/configuration.ts";
import { KeyRotationStack } from "./stack.ts";

const app = new App();
const path = String(app.node.tryGetContext("config"));
const configuration = readOrExplain();
const stateTable = app.node.tryGetContext("stateTable") as string | undefined;

if (configuration !== undefined) {
  const stack = new KeyRotationStack(app, "Keyturn", {
    description: "keyturn: rotates AWS KMS keys behind their aliases",
    configuration,
    ...(stateTable === undefined ? {} : { stateTable }),
    watchDrain: isOn("watchDrain"),
    watchRefusals: isOn("watchRefusals"),
    watchChanges: isOn("watchChanges"),
  });
  if (path.endsWith(".example.json")) {
    const message = `${path} is an example: write your own configuration, and name it with -c config=<its path>`;
    Annotations.of(stack).addWarningV2("keyturn:example", message);
  }
}

/** A context that is on by default. */
function isOn(name: string): boolean {
  return String(app.node.tryGetContext(name)) !== "false";
}

/** Prints a mistake in the user's file without a stack trace. */
function readOrExplain(): ConfigurationDocument | undefined {
  try {
    return readDocument(readFileSync(path, "utf8"));
  } catch (error) {
    if (error instanceof ConfigurationError) console.error(`${path}: ${error.message}`);
    else if (isMissing(error)) console.error(noFile(resolve(path)));
    else console.error(`context "config": ${error instanceof Error ? error.message : path}`);
    process.exitCode = 1;
    return undefined;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function noFile(tried: string): string {
  return `context "config": there is no file ${tried}. Write your configuration there (keyturn.example.json is an example), or name its path: -c config=<its path>`;
}
