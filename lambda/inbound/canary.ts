/** CloudTrail records the user agent of each call: this one marks a canary. */
export const canaryMark = "keyturn-canary";
