/** An app of a user with one deployment, and the result of its synthesis. */
import { Duration, Stack, type StackProps } from "aws-cdk-lib";
import { Annotations, Match, Template } from "aws-cdk-lib/assertions";
import { KeyRotation } from "../../infra/key-rotation.ts";
import type { KeyRotationProps } from "../../infra/key-rotation-props.ts";
import { createApp } from "./app.ts";

export type Theirs = { stack: Stack; rotation: KeyRotation };
export type Properties = Record<string, unknown>;
type Message = { level: string; path: string; text: string };

export const policies = { quarterly: { cryptoperiod: Duration.days(90) } };

/** `props` may create the constructs that the deployment takes. */
export function theirApp(
  props: (stack: Stack) => Partial<KeyRotationProps> = () => ({}),
  stackProps: StackProps = {},
): Theirs {
  const stack = new Stack(createApp(), "Theirs", stackProps);
  return { stack, rotation: new KeyRotation(stack, "KeyRotation", { policies, ...props(stack) }) };
}

/** By logical id. */
export function resourcesOf({ stack }: Theirs, type: string): Record<string, Properties> {
  const found = Template.fromStack(stack).findResources(type) as Record<
    string,
    { Properties: Properties }
  >;
  return Object.fromEntries(Object.entries(found).map(([id, one]) => [id, one.Properties]));
}

/** The error of synthesis; empty without one. */
export function errorOf({ stack }: Theirs): string {
  try {
    Template.fromStack(stack);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

/** The warnings and notes of synthesis, each with its construct path. */
export function messagesOf({ stack }: Theirs): Message[] {
  const annotations = Annotations.fromStack(stack);
  const anything = ["*", Match.anyValue()] as const;
  return [...annotations.findWarning(...anything), ...annotations.findInfo(...anything)].map(
    ({ level, id, entry }) => ({ level, path: id, text: JSON.stringify(entry.data) }),
  );
}
