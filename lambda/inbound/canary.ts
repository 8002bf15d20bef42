/**
 * CloudTrail records the user agent of each call: these mark a canary. One proves the rule for use attempts,
 * the other the rule and the queue for refused uses. Neither mark contains the other.
 */
export const canaryMark = "keyturn-canary";
export const refusalsMark = "keyturn-refusals";
