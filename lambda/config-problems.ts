/** What is wrong with a configuration document, and where. */
import type * as z from "zod/mini";
import { policyDefaults, policyNameExpected, policyNamePattern } from "./config-schema.ts";
import { parseDuration } from "./duration.ts";

/** `path` is where in the document; `got` is the JSON found there, shortened, or `nothing`. */
export type Problem = { path: string; got: string; expected: string };

/** A wrong guess about ten thousand managed keys must still fit a log line. */
const linesMax = 50;

/** Everything that is wrong with a configuration, at once; no part of it was taken over. */
export class ConfigurationError extends Error {
  readonly code = "CONFIGURATION_INVALID";
  readonly problems: Problem[];

  constructor(problems: Problem[]) {
    const lines = problems.slice(0, linesMax).map(({ path, got, expected }) => {
      return `  ${path}: got ${got}, expected ${expected}`;
    });
    if (problems.length > linesMax) lines.push(`  and ${problems.length - linesMax} more`);
    super(`the configuration is refused:\n${lines.join("\n")}`);
    this.name = "ConfigurationError";
    this.problems = problems;
  }
}

type Path = readonly PropertyKey[];

/** The problems of one issue of the schema: its message is what was expected. */
export function fromIssue(issue: z.core.$ZodIssue, document: unknown): Problem[] {
  if (issue.code !== "unrecognized_keys") return [problem(document, issue.path, issue.message)];
  return issue.keys.map((key) => problem(document, [...issue.path, key], issue.message));
}

/**
 * What no single field can tell. The document may be malformed anywhere: that is the schema's to
 * report, and here nothing is assumed of it, so that all problems come at once.
 */
export function findContradictions(document: unknown): Problem[] {
  const policies = toObject(toObject(document).policies);
  return [
    ...Object.keys(policies).flatMap((name) => checkPolicy(name, policies[name], document)),
    ...checkPolicyReferences(policies, document),
    ...checkAliases(document),
  ];
}

function checkPolicy(name: string, value: unknown, document: unknown): Problem[] {
  const path = ["policies", name];
  if (!policyNamePattern.test(name)) return [problem(document, path, policyNameExpected)];
  const policy = toObject(value);
  const { cryptoperiod = policyDefaults.cryptoperiod } = policy;
  const cryptoperiodMs = toDurationMs(cryptoperiod);
  if (cryptoperiodMs === undefined) return [];
  return ["lead", "propagation"].flatMap((field) => {
    const durationMs = toDurationMs(policy[field]);
    if (durationMs === undefined || durationMs < cryptoperiodMs) return [];
    const expected = `a duration shorter than the cryptoperiod, ${render(cryptoperiod)}`;
    return [problem(document, [...path, field], expected)];
  });
}

function checkPolicyReferences(policies: Record<string, unknown>, document: unknown): Problem[] {
  const names = Object.keys(policies).filter((name) => policyNamePattern.test(name));
  return toList(toObject(document).managedKeys).flatMap((managedKey, index) => {
    const { policy } = toObject(managedKey);
    if (typeof policy !== "string" || !policyNamePattern.test(policy)) return [];
    if (Object.hasOwn(policies, policy)) return [];
    const expected = `a policy that is defined (${names.join(", ") || "there is none"})`;
    return [problem(document, ["managedKeys", index, "policy"], expected)];
  });
}

/** An alias is moved by one managed key only, or two rotations would fight over it. */
function checkAliases(document: unknown): Problem[] {
  const firstPaths = new Map<string, Path>();
  const problems: Problem[] = [];
  const visit = (alias: unknown, path: Path): void => {
    if (typeof alias !== "string") return;
    const first = firstPaths.get(alias);
    if (first === undefined) {
      firstPaths.set(alias, path);
      return;
    }
    const expected = `an alias named once (it is also ${renderPath(first)})`;
    problems.push(problem(document, path, expected));
  };
  toList(toObject(document).managedKeys).forEach((value, index) => {
    const managedKey = toObject(value);
    visit(managedKey.alias, ["managedKeys", index, "alias"]);
    toList(managedKey.aliases).forEach((alias, position) => {
      visit(alias, ["managedKeys", index, "aliases", position]);
    });
  });
  return problems;
}

function problem(document: unknown, path: Path, expected: string): Problem {
  return { path: renderPath(path), got: render(valueAt(document, path)), expected };
}

function valueAt(document: unknown, path: Path): unknown {
  let value = document;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

function renderPath(path: Path): string {
  if (path.length === 0) return "(document)";
  return path.reduce<string>((rendered, key) => {
    if (typeof key === "number") return `${rendered}[${key}]`;
    const name = String(key);
    if (!/^[\w-]{1,64}$/.test(name)) return `${rendered}[${render(name)}]`;
    return rendered === "" ? name : `${rendered}.${name}`;
  }, "");
}

function render(value: unknown): string {
  if (value === undefined) return "nothing";
  const json = JSON.stringify(value) ?? typeof value;
  return json.length <= 80 ? json : `${json.slice(0, 77)}...`;
}

function toDurationMs(value: unknown): number | undefined {
  return typeof value === "string" ? parseDuration(value) : undefined;
}

function toObject(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

function toList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
