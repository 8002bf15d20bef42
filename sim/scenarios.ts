/** The worlds: one for each of the four hidden assumptions, a calm one, and combinations. */
import { patient, rash, varied } from "./policies.ts";
import {
  anything,
  asymmetric,
  base,
  brief,
  forgetful,
  meddled,
  meddling,
  needed,
  readAgain,
  some,
  type Scenario,
} from "./scenario.ts";
import { noNeeds } from "./world/resources.ts";
import { insideEnvelope, noFaults } from "./world/fault-plan.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Refusals arrive within a quarter of an hour; a few are lost. */
const heard = { everyMs: 2 * hourMs, delayMs: 15 * minuteMs, lost: 0.05 };

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
    needs: {
      volumesEveryMs: 30 * hourMs,
      snapshotsEveryMs: 40 * hourMs,
      verifiersEveryMs: 40 * hourMs,
      neededAfterMs: 20 * hourMs,
    },
    callers: {
      ...{ ...heard, everyMs: 8 * hourMs },
      counts: { "by-alias": 1, "by-arn": 1, "by-tag": 1, "by-name": 1, scanner: 2 },
    },
    meddlers: { everyMs: 12 * hourMs, followedWithinMs: 6 * hourMs, delivery: heard },
    firstKey: (index) => (index === 4 ? asymmetric(0) : {}),
    faults: anything,
  },
  /** Volumes hold grants for a day and more, and their service calls at the start alone. */
  "held-by-services": {
    ...needed,
    name: "held-by-services",
    needs: { ...noNeeds, volumesEveryMs: 9 * hourMs, neededAfterMs: 30 * hourMs },
  },
  /** Snapshots without a grant start long after: EC2's CreateGrant is their first call. */
  "started-late": {
    ...needed,
    name: "started-late",
    needs: { ...noNeeds, snapshotsEveryMs: 7 * hourMs, neededAfterMs: 24 * hourMs },
  },
  /** Signing keys with verifiers that fetch the public key, or never; and a key for encryption. */
  "public-keys": {
    ...needed,
    name: "public-keys",
    firstKey: asymmetric,
    needs: { ...noNeeds, verifiersEveryMs: 8 * hourMs, neededAfterMs: 24 * hourMs },
  },
  /** Readers that are allowed by the alias are refused on the old version from the move on. */
  "allowed-by-alias": {
    ...needed,
    name: "allowed-by-alias",
    callers: { ...heard, counts: { "by-alias": 1, "by-tag": 1, scanner: 2 } },
  },
  /** Such readers come so rarely that a deletion may be scheduled before the first refusal. */
  "refused-late": {
    ...needed,
    name: "refused-late",
    callers: { ...heard, counts: { "by-alias": 2 }, everyMs: 14 * hourMs },
  },
  /** Callers whose policies name the first key's ARN are refused on the new version. */
  "allowed-by-first-key": {
    ...needed,
    name: "allowed-by-first-key",
    callers: { ...heard, counts: { "by-arn": 1, "by-tag": 1, scanner: 2 } },
  },
  /** Callers hold only what the construct grants: whatever moves, KMS refuses them nothing. */
  "granted-by-construct": {
    ...needed,
    name: "granted-by-construct",
    externalActors: { everyMs: 5 * hourMs, asks: true, meddles: false },
    callers: { ...heard, everyMs: hourMs / 2, counts: { "by-helper": 2 } },
  },
  /** Readers that name the alias for old data get the new key. */
  "read-by-alias": {
    ...needed,
    name: "read-by-alias",
    callers: { ...heard, counts: { "by-name": 1, scanner: 1 } },
  },
  /** Bots, operators and infrastructure code change versions of any state; their events arrive late, some never. */
  "external-changes": {
    ...meddled,
    name: "external-changes",
    meddlers: { ...meddling, delivery: { delayMs: 5 * minuteMs, lost: 0.2 } },
  },
  /** The same without a trail: only the daily inspection finds what they did. */
  "changes-unreported": {
    ...meddled,
    name: "changes-unreported",
    keys: 8,
    meddlers: { ...meddling, everyMs: 5 * hourMs },
  },
  /** Nobody answers the findings, and KMS deletes what a bot scheduled for deletion. */
  "deleted-by-others": {
    ...meddled,
    name: "deleted-by-others",
    keys: 3,
    tickEveryMs: hourMs / 2,
    safetyMs: 9 * 24 * hourMs,
    meddlers: {
      ...{ everyMs: 8 * hourMs, followedWithinMs: Infinity },
      delivery: { delayMs: 5 * minuteMs, lost: 0.5 },
    },
  },
  /** For days no event of a refusal arrives. */
  "trail-off": {
    ...needed,
    name: "trail-off",
    keys: 1,
    tickEveryMs: hourMs / 2,
    safetyMs: 7 * 24 * hourMs,
    callers: {
      ...{ counts: { "by-alias": 1 }, everyMs: 30 * minuteMs, delayMs: 5 * minuteMs, lost: 0 },
      off: { afterMs: 24 * hourMs, forMs: 4 * 24 * hourMs },
    },
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
  /** Events of use attempts arrive again, hours later: other ones restored the version, and it was disabled anew. */
  "attempts-again": { ...readAgain, name: "attempts-again", attemptsAgainMs: 6 * hourMs },
  /** Operators request what they planned up to hours before; the record has changed since. */
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
  /** Several requests wait for a managed key when it is due, and many responses are slow. */
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
  /** Operators roll back minutes after a DisableKey, while reads still show the version Enabled. */
  "rolled-back-at-once": {
    ...base,
    ...brief,
    name: "rolled-back-at-once",
    tickEveryMs: minuteMs,
    keys: 2,
    policy: rash,
    externalActors: { everyMs: 20 * minuteMs, asks: true, meddles: false, regrets: true },
    faults: (random) => ({ ...noFaults, stale: 0.3 + 0.4 * random.next() }),
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
  /** Responses are lost, and for up to an hour the tag search does not find a new key. */
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
  if (scenario === undefined) throw new Error(`the scenario ${name} does not exist`);
  return scenario;
}
