/** How tests break changing calls. */
import type { Call } from "../lambda/workflow/model/types.ts";
import type { World } from "./world.ts";

/** `make` replaces changing calls of one kind; undefined lets the call pass. */
export function onCall(
  world: World,
  kind: Call["kind"],
  make: (proceed: () => Promise<unknown>) => Promise<unknown> | undefined,
): void {
  world.intercept = (_port, method, input, proceed) => {
    const call = input[0] as Call | undefined;
    const made = method === "change" && call?.kind === kind ? make(proceed) : undefined;
    return made ?? proceed();
  };
}

export const noAnswer = { kind: "unknown", message: "no answer" };
