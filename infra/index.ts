/** What other people's stacks import. */
export { KeyRotation } from "./key-rotation.ts";
export type { KeyRotationProps } from "./key-rotation-props.ts";
export type { ManageOptions } from "./managed-alias.ts";
export type { RotationPolicy } from "./rotation-policy.ts";
export { KeyRotationStack, type KeyRotationStackProps } from "./stack.ts";
