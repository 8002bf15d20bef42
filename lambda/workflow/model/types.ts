/** The words of the workflow: what is recorded, what KMS shows, what is asked for, what is decided. */
export type * from "./decisions.ts";
export type * from "./kms.ts";
export type * from "./managed-key.ts";
export type * from "./requests.ts";
