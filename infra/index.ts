/** What other people's stacks import. */
export { KeyRotation, type KeyRotationProps } from "./key-rotation.ts";
export type { ManageOptions } from "./managed-alias.ts";
export type { RotationPolicy } from "./rotation-policy.ts";
export { KeyRotationStack, type KeyRotationStackProps } from "./stack.ts";
