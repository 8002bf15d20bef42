/**
 * The configuration: which managed keys there are, and the policy of each. One document, accepted
 * or refused as a whole, by the same code at synth and at cold start.
 */
import type * as z from "zod/mini";
import { canonicalHash } from "../record/canonical.ts";
import { ConfigurationError, findContradictions, fromIssue } from "./problems.ts";
import {
  type ConfigurationDocument,
  documentSchema,
  policyDefaults,
  type policySchema,
} from "./schema.ts";
import { parseDuration } from "./durations.ts";
import type { Mode, Policy } from "../workflow/model/types.ts";

export { ConfigurationError, type Problem } from "./problems.ts";
export type { ConfigurationDocument, Mode, Policy };

/** The document resolved: every field has a value, durations are in milliseconds. */
export type Configuration = {
  /** The value of the tag `keyturn:owner`. */
  owner: string;
  /** `plan`: it is decided, journaled and told what would be done, and no changing call is made. */
  mode: Mode;
  /** By policy name. Without a prototype, so that no name finds more than was written. */
  policies: Record<string, Policy>;
  /**
   * `aliases` is the whole set that moves together, the managed key's own alias first; `dependents`
   * are the names of those that must acknowledge a new version before they do.
   */
  managedKeys: { alias: string; aliases: string[]; policy: string; dependents: string[] }[];
  /** Patterns, with `*` for any characters, of the aliases whose keys may be enrolled by tag. */
  taggedAliases: string[];
};

/** Refuses whatever it does not know. Throws a ConfigurationError that names every problem. */
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
  const { owner, mode, taggedAliases } = data;
  return { owner, mode, policies, managedKeys, taggedAliases };
}

/** `parseConfiguration` of a file's text; malformed JSON is a ConfigurationError too. */
export function readConfiguration(json: string): Configuration {
  return parseConfiguration(parseJson(json));
}

/** The document as it was written, where `readConfiguration` accepts it. */
export function readDocument(json: string): ConfigurationDocument {
  const document = parseJson(json);
  parseConfiguration(document);
  return document as ConfigurationDocument;
}

/** SHA-256 in hex over canonical JSON: in which order fields were written does not matter. */
export function configurationHash(configuration: Configuration): string {
  return canonicalHash(configuration);
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
    approval: policy.approval,
    acknowledgeWithinMs: toMs(policy.acknowledgeWithin),
  };
}

/** In whole minutes, as all durations that people write are. */
function defaultLeadMs(cryptoperiodMs: number): number {
  const shareMs = Math.floor((cryptoperiodMs * policyDefaults.leadShare) / 60_000) * 60_000;
  return Math.min(shareMs, policyDefaults.leadMsMax);
}

/** The schema has accepted `text`: anything but a duration is a mistake of ours. */
function toMs(text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs === undefined) throw new TypeError(`not a duration: ${text}`);
  return durationMs;
}
