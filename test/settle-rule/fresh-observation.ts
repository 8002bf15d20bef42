/**
 * An observation from before the end of an earlier call's mark proves nothing, also after that
 * time. The policy becomes milder while A's DisableKey is in flight: the version must stay. The
 * call lands at the last moment, and reads lag. B begins a slow read before the mark ends, and acts
 * after it.
 */
import { aPolicy, minuteMs, secondMs } from "../fixtures.ts";
import { eyesOf, hold, lastLandingMs, readsLagMs, worldAt } from "./held.ts";
import type { History } from "./sweep.ts";

export type Outcome = { state: string; errors: unknown[] };

/** The final state of the version that must stay, and the errors of the runs. */
export async function slowRead({ starts, first }: History): Promise<Outcome> {
  const start = starts.get("DisableKey 1");
  if (start === undefined) throw new Error("the history disabled no version");
  const world = worldAt(start);
  const held = await hold(world, start, "gets no response");
  const markEndsMs = held.sentAtMs + lastLandingMs + readsLagMs;
  const ask = (): string => world.request("acknowledge", { version: 0, dependent: "nobody" });

  const { configuration } = world;
  const policies = { quarterly: aPolicy({ ...start.options.policy, retire: "retain" }) };
  world.configuration = { ...configuration, policies };
  world.clock.moveTo(held.sentAtMs + minuteMs);
  ask();
  await world.tick();

  world.clock.moveTo(held.sentAtMs + lastLandingMs);
  const read = await eyesOf(world);
  await held.land();

  world.clock.moveTo(markEndsMs - 20 * secondMs);
  ask();
  world.intercept = async (_port, method, [of], proceed) => {
    if (method === "tagsOf") world.clock.advance(30 * secondMs);
    const shown = world.clock.nowMs() < markEndsMs ? read(method, of) : undefined;
    return shown ?? proceed();
  };
  await world.tick();
  world.intercept = undefined;
  await world.passDays(2);
  return { state: await world.stateOf(first), errors: world.errors };
}
