/**
 * The second act: one key, and what people ask of it. A version is rolled back; a version that is out
 * of use is used, and comes back; and mode plan says what it would do, and does nothing.
 */
import type { UseAttemptEvent } from "../embedded-aws/kms/use-attempts.ts";
import { dayMs, minuteMs } from "./fleet.ts";
import { alias, OneKey } from "./one-key.ts";
import { check, type Check } from "./proof.ts";
import { openStage, turnTo, type Stage } from "./stage.ts";
import type { Entry } from "./timeline.ts";

const hourMs = 60 * minuteMs;
const copies = 100;

export async function secondAct(
  { seed, startMs }: { seed: number; startMs: number },
  print: (entry: Entry) => void,
): Promise<Check[]> {
  const stage = await openStage({
    seed: seed + 2,
    keys: 1,
    startMs,
    port: 0,
    runsWithRealTime: false,
  });
  try {
    turnTo(stage);
    const key = new OneKey(stage, seed, print);
    const scenes = [await rollBack(key, stage), await restore(key, stage), await plan(key)];
    return [...scenes, alwaysUsable(key)];
  } finally {
    await stage.close();
  }
}

async function rollBack(key: OneKey, stage: Stage): Promise<Check> {
  await key.acts();
  await key.encrypt();
  await key.until(({ versions }) => versions[1]?.state === "active");
  await key.encrypt();
  key.narrate("keyturn", "v2 serves; v1 drains", "rotated as in the first act");
  await key.ask("rollback", { version: 2 }, "v2 is to give way: some reader cannot use it");
  await key.until(({ versions }) => versions[0]?.state === "active");
  const unread = await key.unreadable();
  const [first] = (await key.record()).versions;
  const elsewhere = [...stage.aws.kms.world.aliases.values()].filter(
    ({ name, keyId }) => name.startsWith(alias) && keyId !== first?.keyId,
  );
  const how = "its label is off, seen Enabled twice, the aliases moved back";
  key.narrate("keyturn", "v1 serves again; v2 drains", how);
  await key.ask("resume", {}, "the reader is mended");
  await key.until(({ versions }) => versions[2]?.state === "active");
  key.narrate("keyturn", "v3 serves", "v1 was nearly at the end of its cryptoperiod");
  const problems = [...unread, ...elsewhere.map(({ name }) => `${name} is not on version 1`)];
  const name = "a rollback brings version 1 back, and loses nothing made under version 2";
  return check(name, problems, `${key.items()} of 2 items`);
}

async function restore(key: OneKey, stage: Stage): Promise<Check> {
  const { aws } = stage;
  await key.until(
    ({ versions }) => versions.filter(({ state }) => state === "disabled").length === 2,
  );
  key.narrate("keyturn", "v1 and v2 are disabled, and soak", "they were quiet for two weeks");
  await key.unreadable();
  const tried = "tries to decrypt what v1 and v2 encrypted, and is refused";
  key.narrate("application", tried);
  const attempts = [...aws.useAttempts];
  const problems = attempts.length === 2 ? [] : [`CloudTrail tells of ${attempts.length}, not 2`];
  for (const attempt of attempts) problems.push(...(await notRestoredBy(attempt, key, stage)));
  const { findings } = await key.record();
  const isNamed = findings.some(({ observed }) => observed.includes("application"));
  if (!isNamed) problems.push("no finding says who it was");
  const result = "CloudTrail told of the attempts; it halts, and says who it was";
  key.narrate("keyturn", "each is Enabled again within one invocation", result);
  const writes = await key.writesDuring(async () => {
    for (let count = 0; count < copies; count++) await key.acts(attempts[0]);
  });
  if (writes > 0) problems.push(`${writes} writes for copies of the event`);
  problems.push(...(await key.unreadable()));
  await key.encryptAnew();
  key.narrate("application", "reads it all, and encrypts it anew under v3");
  await key.ask("resume", {}, "nothing needs v1 and v2 any longer");
  await key.until(({ versions }) => versions.length === 1);
  key.narrate("keyturn", "v1 and v2 are gone", "drained and soaked once more from the start");
  problems.push(...(await key.unreadable()));
  const name = "a version that is used while disabled comes back at once";
  return check(name, problems, `${copies} copies of the event wrote nothing`);
}

async function plan(key: OneKey): Promise<Check> {
  const made = await key.changesDuring(async () => {
    await key.until((record) => record.planned !== undefined, key.plans);
    const would = `in mode plan: would ${(await key.record()).planned?.call}`;
    key.narrate("keyturn", would, "the next rotation is due; nothing changes");
    await key.pass(key.plans, dayMs);
  });
  const { planned } = await key.record();
  const calls = await key.changesDuring(() => key.pass(key.acts, hourMs));
  const then = calls[0] ?? "nothing";
  key.narrate("keyturn", `in mode act, a day later: ${then}`, "the very call that it had said");
  const problems = [
    ...made.map((call) => `mode plan called ${call}`),
    ...(then === planned?.call ? [] : [`it said ${planned?.call}, and called ${then}`]),
  ];
  return check("mode plan says what mode act does, and does nothing", problems, then);
}

/** One event, one invocation, no run in between. */
async function notRestoredBy(event: UseAttemptEvent, key: OneKey, stage: Stage): Promise<string[]> {
  const arn = event.detail.resources[0]?.ARN;
  const stateNow = () => stage.aws.kms.snapshot().keys.find((one) => one.arn === arn)?.state;
  const before = stateNow();
  const { outcome } = await key.acts(event);
  const after = stateNow();
  if (outcome === "answered" && before === "Disabled" && after === "Enabled") return [];
  return [`a key was ${before}, the event was ${outcome}, the key is ${after}`];
}

function alwaysUsable({ observer }: OneKey): Check {
  const { violations, observations } = observer;
  const name = "in all this, the alias was always on an Enabled key";
  return check(name, violations, `looked ${observations} times`);
}
