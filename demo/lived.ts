/** A fleet that has been rotated for a while when it is first seen: runs as the schedule has them. */
import { Keyturn } from "./keyturn.ts";
import { Observer } from "./observer.ts";
import { turnTo, type Stage } from "./stage.ts";

/** Nobody uses the keys, and nothing goes wrong; from here on this process talks to the stage alone. */
export async function liveUntil(stage: Stage, untilMs: number, seed: number): Promise<void> {
  turnTo(stage);
  const keyturn = new Keyturn(stage, new Observer(stage.aws.kms), seed);
  await keyturn.run();
  for (;;) {
    const nextMs = await keyturn.nextRunAtMs();
    if (nextMs > untilMs) break;
    stage.clock.reach(nextMs);
    await keyturn.run();
  }
  stage.clock.reach(untilMs);
}
