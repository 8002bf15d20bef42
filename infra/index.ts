/** The public API for users' stacks. */
export { KeyRotation } from "./key-rotation.ts";
export type { KeyRotationProps } from "./key-rotation-props.ts";
export type { ManageOptions } from "./managed-alias.ts";
export type { RotationPolicy } from "./rotation-policy.ts";
export { KeyRotationStack, type KeyRotationStackProps } from "./stack.ts";
