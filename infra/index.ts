/** The public API for users' stacks. */
export { ManagedKey } from "./grants.ts";
export { KeyRotation } from "./key-rotation.ts";
export type { AcceptedRefusal, KeyRotationProps } from "./key-rotation-props.ts";
export type { ManageOptions } from "./managed-alias.ts";
export type { RefusedUses } from "./refused-uses.ts";
export type { RotationPolicy } from "./rotation-policy.ts";
export { KeyRotationStack, type KeyRotationStackProps } from "./stack.ts";
