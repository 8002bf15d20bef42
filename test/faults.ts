/** How tests break calls between a run and the world. */
import type { Call } from "../lambda/workflow/model/types.ts";

/** How a test changes a call that passes a port; `proceed` makes the call. */
export type Intercept = (
  port: string,
  method: string,
  input: unknown[],
  proceed: () => Promise<unknown>,
) => Promise<unknown>;

/** A port whose calls pass what `intercept` returns at that moment. */
export function intercepted<T extends object>(
  port: string,
  real: T,
  intercept: () => Intercept | undefined,
): T {
  return new Proxy(real, {
    get: (target, name: string) => {
      const method = target[name as keyof T];
      if (typeof method !== "function") return method;
      return (...input: unknown[]) => {
        const proceed = (): Promise<unknown> => method.apply(target, input) as Promise<unknown>;
        return intercept()?.(port, name, input, proceed) ?? proceed();
      };
    },
  });
}

/** `make` replaces changing calls of one kind; undefined lets the call pass. */
export function onCall(
  world: { intercept: Intercept | undefined },
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
