/** What a world is made of: its faults, its policies, who uses a key, and what they share. */
import type { Policy } from "../lambda/workflow/model/types.ts";
import type { SimRandom } from "../embedded-aws/random.ts";
import { deleting, hasty, rash } from "./policies.ts";
import type { Meddling } from "./world/meddlers.ts";
import type { Callers } from "./world/callers.ts";
import type { Delivery } from "./world/trail.ts";
import type { Habits } from "./world/application.ts";
import { noNeeds, type Needs } from "./world/resources.ts";
import { insideEnvelope, noFaults, type Envelope, type Faults } from "./world/fault-plan.ts";
import type { Acts } from "./world/external-actors.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

export type Scenario = {
  name: string;
  faults: (random: SimRandom) => Faults;
  envelope: Envelope;
  /** How many independent schedules start runs. */
  schedulers: number;
  tickEveryMs: number;
  /** How many hosts run the naive job, every hour. */
  crons: number;
  keys: number;
  policy: (random: SimRandom, index: number) => Policy;
  externalActors: Acts;
  habits: (random: SimRandom) => Habits;
  /** Who needs a key without using it. */
  needs: Needs;
  /** Callers that a move may lock out, and how their events arrive; none: nothing collects refused uses. */
  callers?: Callers & Delivery;
  /** Each event of a use attempt arrives once more within this time; none: within minutes. */
  attemptsAgainMs?: number;
  /** External actors that change versions, beyond the acts of `externalActors`. */
  meddlers?: Meddling;
  /** What CreateKey is given for the first version of each alias. */
  firstKey: (index: number) => object;
  /** How long faults occur, and how long the calm after them lasts. */
  safetyMs: number;
  calmMs: number;
  /** How late work may be done once it is calm. */
  slackMs: number;
  /** Within which time the record must know an excess key: the audit runs once a week. */
  orphanSlackMs: number;
};

const signing = { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" };
const encrypting = { KeySpec: "RSA_2048", KeyUsage: "ENCRYPT_DECRYPT" };

export function asymmetric(index: number): object {
  return index % 2 === 0 ? signing : encrypting;
}

export const noActs: Acts = { everyMs: Infinity, asks: false, meddles: false };

/** It reads its data soon: nothing needs a quiet version any longer. */
function steady(): Habits {
  return { everyMs: 3 * hourMs, keptMs: hourMs, archives: 0, archivedReadEveryMs: Infinity };
}

/** Some applications keep data long, and read it after a long silence. */
export function forgetful(random: SimRandom): Habits {
  return {
    everyMs: 3 * hourMs,
    keptMs: (1 + random.next() * 4) * hourMs,
    archives: random.next() < 0.5 ? 0.03 : 0,
    archivedReadEveryMs: (6 + random.next() * 18) * hourMs,
  };
}

export const base = {
  envelope: insideEnvelope,
  schedulers: 1,
  tickEveryMs: 15 * minuteMs,
  crons: 1,
  keys: 5,
  policy: hasty,
  externalActors: noActs,
  habits: steady,
  needs: noNeeds,
  firstKey: () => ({}),
  safetyMs: 36 * hourMs,
  calmMs: 12 * hourMs,
  slackMs: 6 * hourMs,
  orphanSlackMs: 6 * hourMs,
};

/** For policies without waits. */
export const brief = {
  safetyMs: 10 * hourMs,
  calmMs: 6 * hourMs,
  slackMs: 4 * hourMs,
  orphanSlackMs: 4 * hourMs,
};

/** The rate of an optional fault: half of the seeds have it, at a random rate. */
export function some(random: SimRandom, rate: number): number {
  return random.next() < 0.5 ? 0 : rate * random.next();
}

/** Each seed has some of all faults. */
export function anything(random: SimRandom): Faults {
  return {
    crash: some(random, 0.03),
    lostRequest: some(random, 0.03),
    lostResponse: some(random, 0.05),
    late: some(random, 0.03),
    stall: some(random, 0.03),
    slow: some(random, 0.3),
    refused: some(random, 0.05),
    again: some(random, 0.05),
    stale: some(random, 0.2),
    unauthorized: some(random, 0.3),
    doubleTick: some(random, 0.2),
    unknownUse: some(random, 0.5),
    unfound: some(random, 0.3),
    crowd: some(random, 0.2),
  };
}

/** Versions go as far as a deletion, while something needs them without using them. */
export const needed = {
  ...base,
  policy: deleting,
  faults: (random: SimRandom) => ({
    ...noFaults,
    stale: some(random, 0.2),
    lostResponse: 0.02,
  }),
};

/** Few faults: what others do is to be found at once. */
export const meddled = {
  ...base,
  keys: 4,
  safetyMs: 48 * hourMs,
  tickEveryMs: 5 * minuteMs,
  faults: (random: SimRandom) => ({
    ...noFaults,
    stale: some(random, 0.6),
    unfound: some(random, 0.6),
    lostResponse: 0.01,
  }),
};
export const meddling = { everyMs: 4 * hourMs, followedWithinMs: 20 * hourMs };

/** Rotations that close within minutes, and old data that is read after that. */
export const readAgain = {
  ...base,
  ...brief,
  tickEveryMs: 5 * minuteMs,
  keys: 2,
  policy: (random: SimRandom, index: number): Policy => ({
    ...rash(random, index),
    retire: "disable",
  }),
  externalActors: { everyMs: 20 * minuteMs, asks: true, meddles: false },
  habits: (random: SimRandom): Habits => ({
    everyMs: 10 * minuteMs,
    keptMs: 10 * minuteMs,
    archives: 0.2,
    archivedReadEveryMs: (20 + 60 * random.next()) * minuteMs,
  }),
  faults: (random: SimRandom) => ({ ...noFaults, stale: some(random, 0.3) }),
};
