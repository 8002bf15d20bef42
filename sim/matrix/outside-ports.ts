/**
 * Who awaits, or sets going, anything that passed no port: a timer, a file, a socket, a worker. Within
 * a simulated world there is no such thing but the engine's own ticks, so each is named.
 */
import { createHook } from "node:async_hooks";

/** Promises are how ports are awaited; they begin nothing by themselves. */
const harmless = new Set(["PROMISE"]);
/** Between two events everybody has their say: sim/world/engine.ts. */
const engine = /sim\/world\/engine\.ts/;

export type Heard<T> = { result: T; outside: string[] };

/** What `live` began outside of the ports while it went on, each once, with where. */
export async function listening<T>(live: () => Promise<T>): Promise<Heard<T>> {
  const outside = new Set<string>();
  const hook = createHook({
    init(_, type) {
      if (harmless.has(type)) return;
      const stack = new Error().stack ?? "";
      if (!engine.test(stack)) outside.add(`${type} ${whence(stack)}`);
    },
  });
  hook.enable();
  try {
    return { result: await live(), outside: [...outside] };
  } finally {
    hook.disable();
  }
}

/** The first place in the sources, this one aside. */
function whence(stack: string): string {
  const place = stack
    .split("\n")
    .map((line) => /((?:lambda|embedded-aws|sim|test)\/[\w./-]+\.ts:\d+)/.exec(line)?.[1])
    .find((found) => found !== undefined && !found.startsWith("sim/matrix/outside-ports.ts"));
  return place === undefined ? "from nowhere in the sources" : `from ${place}`;
}
