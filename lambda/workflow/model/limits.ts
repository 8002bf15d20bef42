/** Figures that safety rests on, each with where it comes from. */

const minuteMs = 60_000;

/** KMS: an API read may show the world of "several minutes" ago (developer guide, accessing-kms). */
export const consistencyMs = 5 * minuteMs;

/** KMS: tag, alias and policy changes take up to five minutes to reach authorization; doubled. */
export const authorizationLagMs = 10 * minuteMs;

/** How long one request may be under way before its sender gives it up. */
export const requestLimitMs = 10_000;

/** How long before its deadline a run begins to leave off: a last call, and the writes after it. */
export const leavingOffMs = 2 * requestLimitMs;

/** Lambda: the longest that an invocation can last (Lambda quotas). */
export const longestRunMs = 15 * minuteMs;

/** How far the clocks of two runs, or of a run and KMS, may differ. */
export const clockSkewMs = minuteMs;

/** A claim or mark that ends further ahead than this was written by a clock that is wrong. */
export const believableAheadMs = 30 * minuteMs;

/** KMS: GetKeyLastUsage lags up to an hour (developer guide, monitoring-keys-determining-usage). */
export const lastUseLagMs = 60 * minuteMs;

/** KMS: user tags on one key (developer guide, tagging-keys). */
export const tagsPerKey = 50;

/** KMS: an actual deletion may come up to 24 hours after its date (developer guide, deleting-keys). */
export const deletionSlackMs = 24 * 60 * minuteMs;

/** How often a matter that a person must put right is looked at again. */
export const recheckMs = 60 * minuteMs;

export const dayMs = 24 * 60 * minuteMs;

/**
 * How often the state of a version that keyturn retires is read where nothing else is due. KMS deletes
 * no sooner than seven days after ScheduleKeyDeletion, so a day leaves six to cancel one.
 */
export const observeEveryMs = dayMs;

/** What a rotation still waits where its old version is compromised: what KMS itself needs. */
export const shortest = { propagationMs: consistencyMs, drainMs: 2 * lastUseLagMs };

/** How long a request that was done, or refused, is remembered: a copy of it may come late. */
export const fulfilledForMs = dayMs;
export const rejectedForMs = 7 * dayMs;

/** KMS: the size of a key policy (developer guide, key-policy-overview). */
export const policyCharactersMax = 32_768;
