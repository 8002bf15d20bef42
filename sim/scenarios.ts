/** The worlds there are: one for each of the four hidden assumptions, one with everything, one calm. */
import type { Policy } from "../lambda/workflow/model/types.ts";
import type { SimRandom } from "../embedded-aws/random.ts";
import type { Habits } from "./world/application.ts";
import { insideEnvelope, noFaults, type Envelope, type Faults } from "./world/fault-plan.ts";
import type { Acts } from "./world/external-actors.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

export type Scenario = {
  name: string;
  faults: (random: SimRandom) => Faults;
  envelope: Envelope;
  /** How many schedules start runs, each without knowing of the others. */
  schedulers: number;
  tickEveryMs: number;
  /** How many hosts run the naive job, every hour. */
  crons: number;
  keys: number;
  policy: (random: SimRandom, index: number) => Policy;
  externalActors: Acts;
  habits: (random: SimRandom) => Habits;
  /** How long faults go on, and how long it is calm after them. */
  safetyMs: number;
  calmMs: number;
  /** How much later than its time anything may be done, once it is calm. */
  slackMs: number;
  /** By when a key made in excess is known: the audit comes once a week. */
  orphanSlackMs: number;
};

/** So short that a rotation goes through all of its steps within a day. */
function hasty(random: SimRandom, index: number): Policy {
  const hours = (low: number, high: number): number =>
    Math.round((low + random.next() * (high - low)) * hourMs);
  return {
    name: `policy-${index}`,
    cryptoperiodMs: hours(18, 44),
    leadMs: hours(1, 3),
    propagationMs: 5 * minuteMs,
    originate: random.next() < 0.3 ? "alias-only" : "observe",
    drain: { atLeastMs: hours(1, 4), quietForMs: hours(1, 3), evidence: "required" },
    retire: (["retain", "disable", "delete", "delete"] as const)[index % 4] ?? "disable",
    soakMs: hours(1, 4),
    deletionWindowDays: 7,
    approval: "none",
    acknowledgeWithinMs: 24 * hourMs,
  };
}

const nobody: Acts = { everyMs: Infinity, asks: false, meddles: false };

/** What it reads it reads soon: a version that is quiet is out of use for good. */
function steady(): Habits {
  return { everyMs: 3 * hourMs, keptMs: hourMs, archives: 0, archivedReadEveryMs: Infinity };
}

/** Some keep things for long, and look at them when nobody thinks of them any more. */
function forgetful(random: SimRandom): Habits {
  return {
    everyMs: 3 * hourMs,
    keptMs: (1 + random.next() * 4) * hourMs,
    archives: random.next() < 0.5 ? 0.03 : 0,
    archivedReadEveryMs: (6 + random.next() * 18) * hourMs,
  };
}

/** Some take long to make a new version known. */
function varied(random: SimRandom, index: number): Policy {
  const propagationMs = Math.round((random.next() < 0.5 ? 0.1 : 1 + 2 * random.next()) * hourMs);
  return { ...hasty(random, index), propagationMs };
}

/** Slow enough for a deletion to come to its end, which takes KMS seven days and more. */
function patient(random: SimRandom, index: number): Policy {
  return {
    ...varied(random, index),
    cryptoperiodMs: Math.round((4 + 4 * random.next()) * 24 * hourMs),
    leadMs: 12 * hourMs,
    retire: index === 0 ? "disable" : "delete",
  };
}

const base = {
  envelope: insideEnvelope,
  schedulers: 1,
  tickEveryMs: 15 * minuteMs,
  crons: 1,
  keys: 5,
  policy: hasty,
  externalActors: nobody,
  habits: steady,
  safetyMs: 36 * hourMs,
  calmMs: 12 * hourMs,
  slackMs: 6 * hourMs,
  orphanSlackMs: 6 * hourMs,
};

/** For policies that wait for nothing. */
const brief = {
  safetyMs: 10 * hourMs,
  calmMs: 6 * hourMs,
  slackMs: 4 * hourMs,
  orphanSlackMs: 4 * hourMs,
};

/** Of a fault that may occur in a seed: most seeds have some of them, at some rate. */
function some(random: SimRandom, rate: number): number {
  return random.next() < 0.5 ? 0 : rate * random.next();
}

/** Nothing is waited for, so that runs meet: what keeps them from harm is the protocol alone. */
function rash(random: SimRandom, index: number): Policy {
  return {
    ...hasty(random, index),
    cryptoperiodMs: Math.round((2 + 2 * random.next()) * hourMs),
    leadMs: hourMs,
    propagationMs: random.next() < 0.5 ? 0 : 10 * minuteMs,
    drain: { atLeastMs: 0, quietForMs: 0, evidence: "required" },
    soakMs: random.next() < 0.5 ? 0 : 20 * minuteMs,
    retire: random.next() < 0.5 ? "disable" : "delete",
  };
}

/** Each seed with some of all that can go wrong. */
function anything(random: SimRandom): Faults {
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

export const scenarios = {
  calm: {
    ...base,
    name: "calm",
    faults: () => noFaults,
  },
  "overlapping-runs": {
    ...base,
    name: "overlapping-runs",
    schedulers: 5,
    crons: 2,
    faults: (random) => ({ ...noFaults, slow: 0.5, doubleTick: some(random, 0.5), stale: 0.02 }),
  },
  "slow-run": {
    ...base,
    name: "slow-run",
    schedulers: 2,
    envelope: { ...insideEnvelope, stallMs: hourMs },
    faults: (random) => ({
      ...noFaults,
      slow: 0.3,
      stall: 0.03 * random.next(),
      late: 0.02 * random.next(),
    }),
  },
  "outside-change": {
    ...base,
    name: "outside-change",
    schedulers: 2,
    externalActors: { everyMs: 3 * hourMs, asks: false, meddles: true },
    faults: () => ({ ...noFaults, slow: 0.1, stale: 0.1, unauthorized: 0.1 }),
  },
  "half-done": {
    ...base,
    name: "half-done",
    schedulers: 2,
    habits: forgetful,
    faults: (random) => ({
      ...noFaults,
      crash: 0.03 * random.next(),
      lostRequest: 0.03 * random.next(),
      lostResponse: 0.05 * random.next(),
      refused: 0.03 * random.next(),
      again: 0.03,
      slow: 0.1,
    }),
  },
  everything: {
    ...base,
    name: "everything",
    policy: varied,
    schedulers: 3,
    crons: 3,
    habits: forgetful,
    externalActors: { everyMs: 6 * hourMs, asks: true, meddles: true },
    faults: anything,
  },
  collisions: {
    ...base,
    ...brief,
    name: "collisions",
    schedulers: 3,
    crons: 3,
    tickEveryMs: 2 * minuteMs,
    keys: 2,
    policy: rash,
    externalActors: { everyMs: 20 * minuteMs, asks: true, meddles: false },
    habits: (random) => ({
      everyMs: 10 * minuteMs,
      keptMs: 10 * minuteMs,
      archives: 0.2,
      archivedReadEveryMs: (20 + 60 * random.next()) * minuteMs,
    }),
    faults: (random) => ({
      ...noFaults,
      crash: some(random, 0.05),
      lostResponse: some(random, 0.1),
      late: some(random, 0.2),
      stall: some(random, 0.1),
      slow: some(random, 0.3),
      stale: some(random, 0.3),
      doubleTick: some(random, 0.2),
    }),
  },
  /** People ask for what they planned hours before, while the world went on. */
  planned: {
    ...base,
    ...brief,
    name: "planned",
    schedulers: 3,
    tickEveryMs: 5 * minuteMs,
    keys: 2,
    policy: rash,
    externalActors: { everyMs: 20 * minuteMs, asks: true, meddles: false, plans: true },
    faults: (random) => ({
      ...noFaults,
      crash: some(random, 0.05),
      lostResponse: some(random, 0.1),
      late: some(random, 0.2),
      stall: some(random, 0.1),
      slow: some(random, 0.3),
      doubleTick: some(random, 0.5),
    }),
  },
  /** Several requests wait for a managed key when it is due, and every answer is slow. */
  "requests-while-due": {
    ...base,
    ...brief,
    name: "requests-while-due",
    schedulers: 2,
    keys: 2,
    policy: rash,
    safetyMs: 5 * hourMs,
    externalActors: { everyMs: 6 * minuteMs, asks: true, meddles: false },
    faults: (random) => ({
      ...noFaults,
      slow: 0.5 + 0.5 * random.next(),
      lostResponse: some(random, 0.05),
      again: some(random, 0.1),
      doubleTick: some(random, 0.2),
    }),
  },
  "to-the-end": {
    ...base,
    name: "to-the-end",
    schedulers: 2,
    tickEveryMs: hourMs,
    keys: 3,
    policy: patient,
    externalActors: { everyMs: 24 * hourMs, asks: true, meddles: true },
    habits: (random) => ({ ...forgetful(random), everyMs: 8 * hourMs }),
    faults: anything,
    envelope: { ...insideEnvelope, tagLagMs: hourMs },
    orphanSlackMs: 8 * 24 * hourMs,
    safetyMs: 18 * 24 * hourMs,
    calmMs: 24 * hourMs,
    slackMs: 24 * hourMs,
  },
  /** Of what is made nothing is heard, and for an hour it is not found by its tags. */
  unheard: {
    ...base,
    name: "unheard",
    faults: () => ({ ...noFaults, lostResponse: 0.12, unfound: 0.7 }),
    envelope: { ...insideEnvelope, tagLagMs: hourMs },
    orphanSlackMs: 8 * 24 * hourMs,
    safetyMs: 10 * 24 * hourMs,
  },
} satisfies Record<string, Scenario>;

export function scenarioNamed(name: string): Scenario {
  const scenario = (scenarios as Record<string, Scenario>)[name];
  if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
  return scenario;
}
