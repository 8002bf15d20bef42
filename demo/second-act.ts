/**
 * The second act: one key and an operator's requests. A version is rolled back; a use attempt
 * restores a disabled version; mode plan reports its next call and changes nothing.
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
  key.narrate(
    "keyturn",
    "v2 is active; v1 drains",
    "second act: another AWS account with one key, rotated as in the first act",
  );
  await key.ask("rollback", { version: 2 }, "one of its readers cannot use v2");
  await key.until(({ versions }) => versions[0]?.state === "active");
  const unreadable = await key.unreadable();
  const [first] = (await key.record()).versions;
  const onOthers = [...stage.aws.kms.world.aliases.values()].filter(
    ({ name, keyId }) => name.startsWith(alias) && keyId !== first?.keyId,
  );
  const how = "removed the retired tag of v1, observed v1 Enabled twice, moved the aliases back";
  key.narrate("keyturn", "v1 is active again; v2 drains", how);
  await key.ask("resume", {}, "the reader is fixed");
  await key.until(({ versions }) => versions[2]?.state === "active");
  key.narrate("keyturn", "v3 is active", "the cryptoperiod of v1 was about to end");
  const moved = onOthers.map(({ name }) => `${name} does not point at version 1`);
  const problems = [...unreadable, ...moved];
  const name = "a rollback makes version 1 active again, and loses no item of version 2";
  return check(name, problems, `${key.items()} of 2 items`);
}

async function restore(key: OneKey, stage: Stage): Promise<Check> {
  const { aws } = stage;
  await key.until(
    ({ versions }) => versions.filter(({ state }) => state === "disabled").length === 2,
  );
  key.narrate("keyturn", "v1 and v2 are disabled and soak", "they were unused for two weeks");
  await key.unreadable();
  const tried = "tries to decrypt ciphertexts of v1 and v2, which are disabled now; KMS refuses";
  key.narrate("application", tried);
  const attempts = [...aws.useAttempts];
  const count = attempts.length;
  const problems = count === 2 ? [] : [`CloudTrail reported ${count} attempts, not 2`];
  for (const attempt of attempts) problems.push(...(await notRestoredBy(attempt, key, stage)));
  const { findings } = await key.record();
  const isNamed = findings.some(({ observed }) => observed.includes("application"));
  if (!isNamed) problems.push("no finding names the caller");
  const result = "CloudTrail reported the attempts; keyturn halts and names the caller";
  key.narrate("keyturn", "enables v1 and v2 again, each within one invocation", result);
  const writes = await key.writesDuring(async () => {
    for (let count = 0; count < copies; count++) await key.acts(attempts[0]);
  });
  if (writes > 0) problems.push(`${writes} writes for copies of the event`);
  problems.push(...(await key.unreadable()));
  await key.encryptAnew();
  key.narrate("application", "decrypts all items and re-encrypts them under v3");
  await key.ask("resume", {}, "v1 and v2 are no longer needed");
  await key.until(({ versions }) => versions.length === 1);
  key.narrate("keyturn", "v1 and v2 are deleted", "after a new drain and a new soak");
  problems.push(...(await key.unreadable()));
  const name = "a use attempt on a disabled version restores it at once";
  return check(name, problems, `${copies} further copies of the event changed nothing`);
}

async function plan(key: OneKey): Promise<Check> {
  const made = await key.changesDuring(async () => {
    await key.until((record) => record.planned !== undefined, key.plans);
    const would = `in mode plan: would call ${(await key.record()).planned?.call}`;
    key.narrate("keyturn", would, "the next rotation is due; mode plan changes nothing");
    await key.pass(key.plans, dayMs);
  });
  const { planned } = await key.record();
  const calls = await key.changesDuring(() => key.pass(key.acts, hourMs));
  const then = calls[0] ?? "nothing";
  key.narrate(
    "keyturn",
    `in mode act, a day later: calls ${then}`,
    "the call that mode plan reported",
  );
  const problems = [
    ...made.map((call) => `mode plan called ${call}`),
    ...(then === planned?.call
      ? []
      : [`mode plan reported ${planned?.call}, mode act called ${then}`]),
  ];
  return check(
    "mode plan reports the call that mode act makes, and changes nothing",
    problems,
    then,
  );
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
  const name = "in the second act, the alias always pointed at an Enabled key";
  return check(name, violations, `observed ${observations} times`);
}
