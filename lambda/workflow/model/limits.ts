/** The figures that safety depends on, each with its source. */

const minuteMs = 60_000;

/** KMS: a read may return the state of "several minutes" ago (developer guide, accessing-kms). */
export const consistencyMs = 5 * minuteMs;

/** KMS: tag, alias and policy changes take up to five minutes to reach authorization; doubled. */
export const authorizationLagMs = 10 * minuteMs;

/** How long one request may be under way before its sender abandons it. */
export const requestLimitMs = 10_000;

/** How long before its deadline a run begins nothing new: time for a last call and its writes. */
export const leavingOffMs = 2 * requestLimitMs;

/** Lambda: the longest that an invocation can last (Lambda quotas). */
export const longestRunMs = 15 * minuteMs;

/** How far the clocks of two runs, or of a run and KMS, may differ. */
export const clockSkewMs = minuteMs;

/** A wrong clock wrote any claim or mark that ends further ahead than this. */
export const believableAheadMs = 30 * minuteMs;

/** KMS: GetKeyLastUsage lags up to an hour (developer guide, monitoring-keys-determining-usage). */
export const lastUseLagMs = 60 * minuteMs;

/** KMS: user tags on one key (developer guide, tagging-keys). */
export const tagsPerKey = 50;

/** KMS: the deletion may come up to 24 hours after its date (developer guide, deleting-keys). */
export const deletionSlackMs = 24 * 60 * minuteMs;

/** How often keyturn observes a matter again that an operator must correct. */
export const recheckMs = 60 * minuteMs;

export const dayMs = 24 * 60 * minuteMs;

/**
 * How often keyturn reads the state of a version that it retires, if nothing is due earlier. KMS
 * deletes no sooner than seven days after ScheduleKeyDeletion: a day leaves six to cancel it.
 */
export const observeEveryMs = dayMs;

/**
 * How often keyturn inspects every version of a managed key: each interval lies between these. An inspection costs
 * three requests a version, so at most four a day; a change that no event reports shows within a day, with the
 * interval of the runs.
 */
export const shortestInspectionMs = 22.5 * 60 * minuteMs;
export const longestInspectionMs = 23.5 * 60 * minuteMs;

/** After an inspection, events of further changes to the same managed key wait this long. */
export const inspectionPauseMs = 5 * minuteMs;

/** How often the audit reads every alias, and searches for keys that no record contains. */
export const auditEveryMs = 7 * dayMs;

/** The waits of a rotation whose old version is compromised: only what KMS itself needs. */
export const shortest = { propagationMs: consistencyMs, drainMs: 2 * lastUseLagMs };

/** How long the record keeps fulfilled and rejected requests: a copy of one may come late. */
export const fulfilledForMs = dayMs;
export const rejectedForMs = 7 * dayMs;

/** KMS: the size of a key policy, in bytes of UTF-8 (developer guide, key-policy-overview). */
export const policyBytesMax = 32_768;
