/** CloudTrail keeps the user agent of each call: this one says that nothing else was meant by it. */
export const canaryMark = "keyturn-canary";
