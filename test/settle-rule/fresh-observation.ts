/**
 * What was seen while an earlier call could still land says nothing, also once that time is over. The
 * policy turns milder while A's DisableKey is under way, so the version is to stay; the call lands at
 * the last moment, and reads lag. B looks before the mark has passed, slowly, and acts after it.
 */
import { aPolicy, minuteMs, secondMs } from "../fixtures.ts";
import { eyesOf, hold, lastLandingMs, readsLagMs, worldAt } from "./held.ts";
import type { History } from "./sweep.ts";

export type Outcome = { state: string; errors: unknown[] };

/** In the end: the version that is to stay, and what went wrong in the runs. */
export async function slowRead({ starts, first }: History): Promise<Outcome> {
  const start = starts.get("DisableKey 1");
  if (start === undefined) throw new Error("that life disabled no version");
  const world = worldAt(start);
  const held = await hold(world, start, "hears nothing");
  const markEndsMs = held.sentAtMs + lastLandingMs + readsLagMs;
  const ask = (): string => world.request("acknowledge", { version: 0, dependent: "nobody" });

  const { configuration } = world;
  const policies = { quarterly: aPolicy({ ...start.options.policy, retire: "retain" }) };
  world.configuration = { ...configuration, policies };
  world.clock.moveTo(held.sentAtMs + minuteMs);
  ask();
  await world.tick();

  world.clock.moveTo(held.sentAtMs + lastLandingMs);
  const eyes = await eyesOf(world);
  await held.land();

  world.clock.moveTo(markEndsMs - 20 * secondMs);
  ask();
  world.intercept = async (_port, method, [of], proceed) => {
    if (method === "tagsOf") world.clock.advance(30 * secondMs);
    const shown = world.clock.nowMs() < markEndsMs ? eyes(method, of) : undefined;
    return shown ?? proceed();
  };
  await world.tick();
  world.intercept = undefined;
  await world.passDays(2);
  return { state: await world.stateOf(first), errors: world.errors };
}
