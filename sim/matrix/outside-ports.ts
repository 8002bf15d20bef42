/**
 * Finds every wait on, and start of, something outside of the ports: a timer, a file, a socket, a
 * worker. In a simulated world only the ticks of the engine are legitimate.
 */
import { createHook } from "node:async_hooks";

/** Promises start nothing by themselves; they are how code awaits ports. */
const harmless = new Set(["PROMISE"]);
/**
 * Between two events all awaiting code runs: sim/world/engine.ts. Now and then the engine also lets timers and messages
 * in: those of the test runner's worker.
 */
const legitimate = /sim\/world\/engine\.ts|node_modules\/vitest\/|node:internal\/child_process/;

export type Heard<T> = { result: T; outside: string[] };

/** Runs `simulate`, and lists what it started outside of the ports, each once, with its place. */
export async function listening<T>(simulate: () => Promise<T>): Promise<Heard<T>> {
  const outside = new Set<string>();
  const hook = createHook({
    init(_, type) {
      if (harmless.has(type)) return;
      const stack = new Error().stack ?? "";
      if (!legitimate.test(stack)) outside.add(`${type} ${whence(stack)}`);
    },
  });
  hook.enable();
  try {
    return { result: await simulate(), outside: [...outside] };
  } finally {
    hook.disable();
  }
}

/** The first place in the sources, except for this file. */
function whence(stack: string): string {
  const place = stack
    .split("\n")
    .map((line) => /((?:lambda|embedded-aws|sim|test)\/[\w./-]+\.ts:\d+)/.exec(line)?.[1])
    .find((found) => found !== undefined && !found.startsWith("sim/matrix/outside-ports.ts"));
  return place === undefined ? "from outside of the sources" : `from ${place}`;
}
