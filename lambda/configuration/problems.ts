/** The problems of a configuration document, with their paths. */
import type * as z from "zod/mini";
import { policyDefaults, policyNameExpected, policyNamePattern } from "./schema.ts";
import { parseDuration } from "./durations.ts";

/** `path` is the place in the document; `got` is its JSON, shortened, or `nothing`. */
export type Problem = { path: string; got: string; expected: string };

/** A mistake in ten thousand managed keys must still fit a log line. */
const linesMax = 50;

/** Every problem of a configuration at once; no part of it is applied. */
export class ConfigurationError extends Error {
  readonly code = "CONFIGURATION_INVALID";
  readonly problems: Problem[];

  constructor(problems: Problem[]) {
    const lines = problems.slice(0, linesMax).map(({ path, got, expected }) => {
      return `  ${path}: got ${got}, expected ${expected}`;
    });
    if (problems.length > linesMax) lines.push(`  and ${problems.length - linesMax} more`);
    super(`invalid configuration:\n${lines.join("\n")}`);
    this.name = "ConfigurationError";
    this.problems = problems;
  }
}

type Path = readonly PropertyKey[];

/** The problems of one schema issue: its message is the expectation. */
export function fromIssue(issue: z.core.$ZodIssue, document: unknown): Problem[] {
  if (issue.code !== "unrecognized_keys") return [problem(document, issue.path, issue.message)];
  return issue.keys.map((key) => problem(document, [...issue.path, key], issue.message));
}

/**
 * Problems between fields. The document may be malformed anywhere: the schema reports that, and
 * this function assumes nothing about the document, to report all problems at once.
 */
export function findContradictions(document: unknown): Problem[] {
  const policies = toObject(toObject(document).policies);
  return [
    ...Object.keys(policies).flatMap((name) => checkPolicy(name, policies[name], document)),
    ...checkPolicyReferences(policies, document),
    ...checkAliases(document),
    ...checkDependents(document),
  ];
}

function checkPolicy(name: string, value: unknown, document: unknown): Problem[] {
  const path = ["policies", name];
  if (!policyNamePattern.test(name)) return [problem(document, path, policyNameExpected)];
  const policy = toObject(value);
  return [...checkPeriods(policy, path, document), ...checkApproval(policy, path, document)];
}

type Fields = Record<string, unknown>;

function checkPeriods(policy: Fields, path: Path, document: unknown): Problem[] {
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

/** An approval of deletions that never happen, or a deletion without an approval, is a mistake. */
function checkApproval(policy: Fields, path: Path, document: unknown): Problem[] {
  const { retire = policyDefaults.retire } = policy;
  if (policy.approval === "none" && retire === "delete") {
    const expected = '"delete" or "revoke" (an operator must approve every deletion)';
    return [problem(document, [...path, "approval"], expected)];
  }
  if (policy.approval !== "delete" || (retire !== "retain" && retire !== "disable")) return [];
  const expected = `"none" or "revoke" (nothing is deleted where retire is "${retire}")`;
  return [problem(document, [...path, "approval"], expected)];
}

function checkPolicyReferences(policies: Fields, document: unknown): Problem[] {
  const names = Object.keys(policies).filter((name) => policyNamePattern.test(name));
  return toList(toObject(document).managedKeys).flatMap((managedKey, index) => {
    const { policy } = toObject(managedKey);
    if (typeof policy !== "string" || !policyNamePattern.test(policy)) return [];
    if (Object.hasOwn(policies, policy)) return [];
    const expected = `a defined policy (${names.join(", ") || "there is none"})`;
    return [problem(document, ["managedKeys", index, "policy"], expected)];
  });
}

/** Only one managed key may move an alias, or two rotations would move it back and forth. */
function checkAliases(document: unknown): Problem[] {
  const named = toList(toObject(document).managedKeys).flatMap((value, index): Named[] => {
    const { alias, aliases } = toObject(value);
    const path = ["managedKeys", index];
    return [[alias, [...path, "alias"]], ...listed(aliases, [...path, "aliases"])];
  });
  return findRepeats("an alias", named, document);
}

/** A dependent may have several managed keys, and acknowledges each separately. */
function checkDependents(document: unknown): Problem[] {
  return toList(toObject(document).managedKeys).flatMap((value, index) => {
    const named = listed(toObject(value).dependents, ["managedKeys", index, "dependents"]);
    return findRepeats("a dependent", named, document);
  });
}

/** A name in the document and its path. */
type Named = [name: unknown, path: Path];

function listed(value: unknown, path: Path): Named[] {
  return toList(value).map((name, position) => [name, [...path, position]]);
}

function findRepeats(what: string, named: Named[], document: unknown): Problem[] {
  const firstPaths = new Map<string, Path>();
  return named.flatMap(([name, path]) => {
    if (typeof name !== "string") return [];
    const first = firstPaths.get(name);
    if (first === undefined) {
      firstPaths.set(name, path);
      return [];
    }
    const expected = `${what} named only once (also in ${renderPath(first)})`;
    return [problem(document, path, expected)];
  });
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

function toObject(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : {};
}

function toList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
