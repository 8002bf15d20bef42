/** The function's environment, read once at cold start. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  type Configuration,
  ConfigurationError,
  type Problem,
  readConfiguration,
} from "./configuration.ts";
import type { DrainWatch } from "../workflow/model/types.ts";

export type Environment = {
  tableName: string;
  eventBusName: string;
  /** How to find our keys: with the Tagging API, or by listing all keys where it is unavailable. */
  discovery: "tagging" | "walk";
  /** The share of each KMS request quota that a run may spend; other callers use the rest. */
  quotaShare: number;
  drainWatch: DrainWatch;
  refusalsWatch: DrainWatch;
  /** The name of the function's own role, whose calls are no use attempts; undefined where it is not known. */
  roleName?: string;
  configuration: Configuration;
};

/** Beside the bundle, where the construct puts it. */
const besideTheBundle = fileURLToPath(new URL("config.json", import.meta.url));

/**
 * `KEYTURN_TABLE` is required. The others have defaults: `KEYTURN_CONFIG`, the path of the
 * configuration (`config.json` beside the bundle); `KEYTURN_EVENT_BUS`, the name of the bus
 * (`default`); `KEYTURN_DISCOVERY`, `tagging` (the default) or `walk`; `KEYTURN_QUOTA_SHARE`, a
 * number above 0 and up to 1 (0.4); `KEYTURN_DRAIN_WATCH`, `cloudtrail` if the function receives
 * its events, or `none` (the default); `KEYTURN_REFUSALS_WATCH`, `cloudtrail` if the second function
 * collects refused uses, or `none` (the default); `KEYTURN_ROLE`, the name of the function's role. An empty
 * variable counts as not set.
 * Throws a ConfigurationError.
 */
export function readEnvironment(variables: Record<string, string | undefined>): Environment {
  const problems: Problem[] = [];
  const take = (name: string, otherwise: string, pattern: RegExp, expected: string): string => {
    const value = variables[name] || otherwise;
    if (pattern.test(value)) return value;
    problems.push({ path: name, got: value === "" ? "nothing" : JSON.stringify(value), expected });
    return value;
  };
  const tableName = take(
    "KEYTURN_TABLE",
    "",
    /^[a-zA-Z0-9_.-]{3,255}$/,
    "a DynamoDB table name: 3 to 255 letters, digits, _, . or -",
  );
  const eventBusName = take(
    "KEYTURN_EVENT_BUS",
    "default",
    /^[a-zA-Z0-9/_.-]{1,256}$/,
    "an EventBridge bus name: 1 to 256 letters, digits, /, _, . or -",
  );
  const discovery = take(
    "KEYTURN_DISCOVERY",
    "tagging",
    /^(tagging|walk)$/,
    '"tagging" or "walk"',
  ) as Environment["discovery"];
  const quotaShare = Number(
    take("KEYTURN_QUOTA_SHARE", "0.4", /^(0?\.\d*[1-9]\d*|1(\.0*)?)$/, "a number above 0, up to 1"),
  );
  const watchOf = (name: string): DrainWatch =>
    take(name, "none", /^(cloudtrail|none)$/, '"cloudtrail" or "none"') as DrainWatch;
  const drainWatch = watchOf("KEYTURN_DRAIN_WATCH");
  const refusalsWatch = watchOf("KEYTURN_REFUSALS_WATCH");
  const roleName = variables.KEYTURN_ROLE || undefined;
  if (problems.length > 0) throw new ConfigurationError(problems);
  const path = variables.KEYTURN_CONFIG || besideTheBundle;
  const configuration = readConfiguration(readText(path));
  const role = roleName === undefined ? {} : { roleName };
  const watches = { drainWatch, refusalsWatch };
  return { tableName, eventBusName, discovery, quotaShare, ...watches, ...role, configuration };
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error);
    throw new ConfigurationError([
      { path: "KEYTURN_CONFIG", got, expected: "a configuration file" },
    ]);
  }
}
