/** The types of the workflow: the record, KMS's observed state, requests, and decisions. */
export type * from "./decisions.ts";
export type * from "./kms.ts";
export type * from "./managed-key.ts";
export type * from "./requests.ts";
export type * from "./refusals.ts";
