/** Rotates a fleet before it is served: runs keyturn by its schedule. */
import { Keyturn } from "./keyturn.ts";
import { Observer } from "./observer.ts";
import { turnTo, type Stage } from "./stage.ts";

/** No application, no incident. From here on, this process uses only the stage. */
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
