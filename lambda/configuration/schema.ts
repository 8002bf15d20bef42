/** The fields of the configuration document: defaults, bounds and messages. */
import * as z from "zod/mini";
import { formatDuration, parseDuration } from "./durations.ts";

const dayMs = 86_400_000;
const longestMs = 3650 * dayMs;
/**
 * KMS: keys in an account and Region, and aliases on one key (developer guide, resource-limits).
 */
const managedKeysMax = 100_000;
const aliasesMax = 50;
/** A rotation stores a time for each and must stay a small part of its record. */
const dependentsMax = 50;

/**
 * The defaults of a policy.
 *
 * - cryptoperiod: NIST SP 800-57 Part 1 Rev. 5, Table 1 allows one to three years for signing keys
 *   and up to two for symmetric ones; a year is within all of them. PCI DSS 4.0.1, 3.7.4 requires a
 *   defined one. It is also the period of KMS's own rotation.
 * - lead: a tenth of the cryptoperiod. A new key waits a week at most.
 * - propagation: KMS documents up to five minutes for tag and alias changes to reach authorization
 *   and "several minutes" of eventual consistency; three times that.
 * - acknowledgeWithin: a week has every working day in it, and is the longest default lead.
 * - drain: a month covers monthly jobs; GetKeyLastUsage must then show two weeks without use. In
 *   the drain the old key only decrypts and verifies, as PCI DSS 4.0.1, 3.7.5 requires of retained
 *   keys.
 * - retire, soak, deletionWindowDays: a disabled key can be enabled again, a deleted one cannot.
 *   KMS advises disabling before deleting; 30 days is its default window and the longest it offers.
 * - approval: no KMS signal shows that nothing needs a key, and so an operator approves each deletion.
 */
export const policyDefaults = {
  cryptoperiod: "365d",
  leadShare: 0.1,
  leadMsMax: 7 * dayMs,
  propagation: "15m",
  acknowledgeWithin: "7d",
  originate: "observe",
  drain: { atLeast: "30d", quietFor: "14d", evidence: "required" },
  retire: "disable",
  soak: "14d",
  deletionWindowDays: 30,
  approval: "none",
} as const;

export const policyNamePattern = /^[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}$/;
const nameExpected = "a letter or digit, then up to 63 letters, digits, _ or -";
export const policyNameExpected = `a policy name: ${nameExpected}`;

/** Rejects unknown fields, with a list of the known ones. */
function fields<Shape extends Record<string, z.core.SomeType>>(shape: Shape) {
  const names = Object.keys(shape).join(", ");
  return z.strictObject(shape, {
    error: ({ code }) =>
      code === "unrecognized_keys"
        ? `no field of this name (fields: ${names})`
        : `an object with fields ${names}`,
  });
}

function oneOf<const Values extends readonly [string, ...string[]]>(...values: Values) {
  return z.enum(values, `one of ${values.map((value) => `"${value}"`).join(", ")}`);
}

function text(pattern: RegExp, expected: string) {
  return z.string(expected).check(z.regex(pattern, expected));
}

/** A duration no shorter than `atLeast`, for the reason `why`. */
function duration(atLeast: string, why?: string, atMostMs = longestMs) {
  const atLeastMs = parseDuration(atLeast) ?? 0;
  const error = ({ input }: { input?: unknown }): string => {
    const durationMs = typeof input === "string" ? parseDuration(input) : undefined;
    if (durationMs === undefined) return 'a duration: a whole number and m, h or d, such as "14d"';
    if (durationMs > atMostMs) return `a duration of at most ${formatDuration(atMostMs)}`;
    return `a duration of at least ${atLeast}${why === undefined ? "" : ` (${why})`}`;
  };
  const isWithin = (input: unknown): boolean => {
    const durationMs = typeof input === "string" ? parseDuration(input) : undefined;
    return durationMs !== undefined && durationMs >= atLeastMs && durationMs <= atMostMs;
  };
  return z.custom<string>(isWithin, { error });
}

const lag = "last-use evidence lags up to one hour";

const drainSchema = fields({
  // A drain shorter than the lag could miss a use just before its start.
  atLeast: z._default(duration("2h", lag), policyDefaults.drain.atLeast),
  quietFor: z._default(duration("2h", lag), policyDefaults.drain.quietFor),
  evidence: z._default(oneOf("required", "advisory"), policyDefaults.drain.evidence),
});

export const policySchema = fields({
  cryptoperiod: z._default(duration("1d"), policyDefaults.cryptoperiod),
  lead: z.optional(duration("0m")),
  propagation: z._default(
    duration("5m", "tag and alias changes take five minutes", 7 * dayMs),
    policyDefaults.propagation,
  ),
  // Runs are minutes apart: no acknowledgement can arrive in less than one interval.
  acknowledgeWithin: z._default(duration("5m"), policyDefaults.acknowledgeWithin),
  originate: z._default(oneOf("observe", "alias-only"), policyDefaults.originate),
  drain: z.prefault(drainSchema, {}),
  retire: z._default(oneOf("retain", "disable", "delete"), policyDefaults.retire),
  soak: z._default(duration("0m"), policyDefaults.soak),
  deletionWindowDays: z._default(
    z.custom<number>((days) => Number.isInteger(days) && Number(days) >= 7 && Number(days) <= 30, {
      error: "a whole number of days from 7 to 30",
    }),
    policyDefaults.deletionWindowDays,
  ),
  approval: z.optional(oneOf("none", "revoke", "delete")),
});

export const aliasNamePattern = /^(?=.{1,256}$)alias\/(?!aws\/)[a-zA-Z0-9/_-]+$/;

const aliasSchema = text(
  aliasNamePattern,
  'an alias name: "alias/", then letters, digits, /, _ or -; not "alias/aws/"; at most 256 characters',
);

const aliasPatternSchema = text(
  /^(?=.{1,256}$)alias\/[a-zA-Z0-9/_*-]+$/,
  'a pattern of alias names such as "alias/team-*": letters, digits, /, _, - or *',
);

const dependentSchema = text(policyNamePattern, `a dependent's name: ${nameExpected}`);

const managedKeySchema = fields({
  alias: aliasSchema,
  policy: text(policyNamePattern, policyNameExpected),
  aliases: z._default(
    z
      .array(aliasSchema, "a list of further aliases")
      .check(z.maxLength(aliasesMax - 1, `at most ${aliasesMax - 1} further aliases`)),
    [],
  ),
  dependents: z._default(
    z
      .array(dependentSchema, "a list of dependents")
      .check(z.maxLength(dependentsMax, `at most ${dependentsMax} dependents`)),
    [],
  ),
});

/** Every alias: the default of a document without `taggedAliases`. */
const anyAlias = "alias/*";
/** Each is part of the policies of the function's role. */
const taggedAliasesMax = 50;

/** An exact principal: a pattern could accept callers that the rotation locks out. */
const acceptedRefusalSchema = fields({
  alias: z._default(aliasPatternSchema, anyAlias),
  principal: text(
    /^(?!.*[*?\s])[!-~\p{L}\p{N}]{1,256}$/u,
    "a principal as findings show it, without the name of a session, and without * or ?",
  ),
  operation: z._default(
    text(/^(?:\*|[A-Z][A-Za-z]{1,63})$/, 'an operation such as "Decrypt", or "*"'),
    "*",
  ),
  error: z._default(
    text(/^(?:\*|[A-Z][A-Za-z]{1,63})$/, 'an error such as "AccessDenied", or "*"'),
    "*",
  ),
});
const acceptedRefusalsMax = 200;

export const documentSchema = fields({
  owner: text(
    /^(?! |aws:)[\p{L}\p{N} _.:/=+@-]{1,256}(?<! )$/iu,
    "a tag value: 1 to 256 letters, digits, _.:/=+-@ and inner spaces, no aws: prefix",
  ),
  mode: z._default(oneOf("act", "plan"), "act"),
  policies: z.record(z.string(), policySchema, "an object of policies"),
  managedKeys: z._default(
    z
      .array(managedKeySchema, "a list of managed keys")
      .check(z.maxLength(managedKeysMax, `at most ${managedKeysMax} managed keys`)),
    [],
  ),
  taggedAliases: z._default(
    z
      .array(aliasPatternSchema, "a list of alias patterns")
      .check(z.maxLength(taggedAliasesMax, `at most ${taggedAliasesMax} patterns`)),
    [anyAlias],
  ),
  acceptedRefusals: z._default(
    z
      .array(acceptedRefusalSchema, "a list of accepted refusals")
      .check(z.maxLength(acceptedRefusalsMax, `at most ${acceptedRefusalsMax} accepted refusals`)),
    [],
  ),
});

/** The document as written: durations are strings, and most fields are optional. */
export type ConfigurationDocument = z.input<typeof documentSchema>;
