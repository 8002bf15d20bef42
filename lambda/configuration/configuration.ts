/**
 * The configuration: the managed keys and the policy of each. The same code accepts or rejects the
 * whole document, at synth and at cold start.
 */
import type * as z from "zod/mini";
import { canonicalHash } from "../record/canonical.ts";
import { schema } from "../record/migrate.ts";
import { ConfigurationError, findContradictions, fromIssue } from "./problems.ts";
import {
  type ConfigurationDocument,
  documentSchema,
  policyDefaults,
  type policySchema,
} from "./schema.ts";
import { parseDuration } from "./durations.ts";
import type { AcceptedRefusal, DrainWatch, Mode, Policy } from "../workflow/model/types.ts";

export { ConfigurationError, type Problem } from "./problems.ts";
export type { ConfigurationDocument, Mode, Policy };

/** The document resolved: every field has a value, durations are in milliseconds. */
export type Configuration = {
  /** The value of the tag `keyturn:owner`. */
  owner: string;
  /** `plan`: runs decide, journal and report, and make no changing call. */
  mode: Mode;
  /** By policy name. Without a prototype: a name finds only what the document has. */
  policies: Record<string, Policy>;
  /**
   * `aliases` all move together, the managed key's own alias first. Each of the `dependents` must
   * acknowledge a new version before the aliases move.
   */
  managedKeys: { alias: string; aliases: string[]; policy: string; dependents: string[] }[];
  /** Patterns, with `*` for any characters, of the aliases that a tag may enrol. */
  taggedAliases: string[];
  /** Callers that KMS refuses on purpose: they block no deletion, and no finding reports them. */
  acceptedRefusals: AcceptedRefusal[];
};

/** Rejects unknown fields. Throws a ConfigurationError with every problem. */
export function parseConfiguration(document: unknown): Configuration {
  const { data, error } = documentSchema.safeParse(document);
  const problems = [
    ...(error?.issues ?? []).flatMap((issue) => fromIssue(issue, document)),
    ...findContradictions(document),
  ];
  if (data === undefined || problems.length > 0) throw new ConfigurationError(problems);
  const policies = Object.create(null) as Record<string, Policy>;
  for (const [name, policy] of Object.entries(data.policies)) {
    policies[name] = resolvePolicy(name, policy);
  }
  const managedKeys = data.managedKeys.map(({ alias, aliases, policy, dependents }) => {
    return { alias, aliases: [alias, ...aliases], policy, dependents };
  });
  const { owner, mode, taggedAliases, acceptedRefusals } = data;
  return { owner, mode, policies, managedKeys, taggedAliases, acceptedRefusals };
}

/** `parseConfiguration` of a file's text; malformed JSON is a ConfigurationError too. */
export function readConfiguration(json: string): Configuration {
  return parseConfiguration(parseJson(json));
}

/** The document as written, if `readConfiguration` accepts it. */
export function readDocument(json: string): ConfigurationDocument {
  const document = parseJson(json);
  parseConfiguration(document);
  return document as ConfigurationDocument;
}

/**
 * SHA-256 in hex over canonical JSON: the order of fields does not matter. `schema`: of the records. Code
 * that writes another schema applies the same configuration again, and its audit reads every record.
 * `refusalsWatch`: stored with the applied configuration, which commands read.
 */
export function configurationHash(
  configuration: Configuration,
  refusalsWatch: DrainWatch = "none",
): string {
  return canonicalHash({ ...configuration, schema, refusalsWatch });
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error);
    throw new ConfigurationError([{ path: "(document)", got, expected: "JSON" }]);
  }
}

function resolvePolicy(name: string, policy: z.output<typeof policySchema>): Policy {
  const cryptoperiodMs = toMs(policy.cryptoperiod);
  return {
    name,
    cryptoperiodMs,
    leadMs: policy.lead === undefined ? defaultLeadMs(cryptoperiodMs) : toMs(policy.lead),
    propagationMs: toMs(policy.propagation),
    originate: policy.originate,
    drain: {
      atLeastMs: toMs(policy.drain.atLeast),
      quietForMs: toMs(policy.drain.quietFor),
      evidence: policy.drain.evidence,
    },
    retire: policy.retire,
    soakMs: toMs(policy.soak),
    deletionWindowDays: policy.deletionWindowDays,
    approval: policy.approval ?? (policy.retire === "delete" ? "delete" : policyDefaults.approval),
    acknowledgeWithinMs: toMs(policy.acknowledgeWithin),
  };
}

/** In whole minutes, like every written duration. */
function defaultLeadMs(cryptoperiodMs: number): number {
  const shareMs = Math.floor((cryptoperiodMs * policyDefaults.leadShare) / 60_000) * 60_000;
  return Math.min(shareMs, policyDefaults.leadMsMax);
}

/** The schema has accepted `text`: any other text is our bug. */
function toMs(text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs === undefined) throw new TypeError(`not a duration: ${text}`);
  return durationMs;
}
