/** The histories to interrupt: together they make every call that keyturn makes. */
import type { Policy } from "../../lambda/workflow/model/types.ts";
import type { Scenario } from "../scenario.ts";
import { noNeeds } from "../world/resources.ts";
import { insideEnvelope, noFaults } from "../world/fault-plan.ts";
import type { SimulatedWorld } from "../world/world.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

export const alias = "alias/key-0";
const userArn = "arn:aws:iam::000000000000:role/reader";

export type History = {
  name: string;
  retire: Policy["retire"];
  horizonMs: number;
  /** Further input of CreateKey for the first version. */
  firstKey?: object;
  /** What external actors do, each at a time after the beginning. */
  acts: { afterMs: number; act: (world: SimulatedWorld) => void }[];
};

/** How far the clocks of runs are from each other. */
export type Clocks = "together" | "apart";

/** With seed 34, the interrupted run mostly has the slowest possible clock. */
export function seedOf(clocks: Clocks): number {
  return clocks === "apart" ? 34 : 1;
}

let asked = 0;
export function ask(kind: string, fields: object = {}) {
  return (world: SimulatedWorld): void =>
    world.table.ask(alias, `request-${String((asked += 1)).padStart(8, "0")}`, {
      kind,
      by: "ada",
      ...fields,
    });
}

const written = new WeakMap<SimulatedWorld, Uint8Array>();

function write(world: SimulatedWorld): void {
  const input = { KeyId: alias, Plaintext: Buffer.from("kept") };
  const answer = world.kms.call("Encrypt", input, { principalArn: userArn });
  written.set(world, (answer as { CiphertextBlob: Uint8Array }).CiphertextBlob);
}

export function hasWritten(world: SimulatedWorld): boolean {
  return written.has(world);
}

/** Decrypts a ciphertext of the first version: a use attempt if the version is out of use. */
export function read(world: SimulatedWorld): void {
  try {
    const input = { CiphertextBlob: written.get(world) };
    world.kms.call("Decrypt", input, { principalArn: userArn });
  } catch {
    // CloudTrail reports the failed call to keyturn.
  }
}

function grant(world: SimulatedWorld): void {
  const KeyId = world.kms.world.aliases.get(alias)?.keyId;
  const input = { KeyId, GranteePrincipal: userArn, Operations: ["Decrypt"] };
  world.kms.call("CreateGrant", input, { principalArn: userArn });
}

/**
 * A page of the due index then names the key three times. The requests do not change the record.
 */
function dueWhileRequested(world: SimulatedWorld): void {
  ask("pause")(world);
  ask("resume")(world);
  void world.table.nudge(alias, world.engine.nowMs());
}

export const rotated = { afterMs: hourMs, act: ask("rotate") };
export const kept = { afterMs: 30 * minuteMs, act: write };

export const histories: History[] = [
  {
    name: "to the deletion",
    retire: "delete",
    horizonMs: 10 * dayMs,
    acts: [{ afterMs: 20 * minuteMs, act: grant }, kept, rotated],
  },
  {
    name: "rolled back in drain",
    retire: "disable",
    horizonMs: 2 * dayMs,
    acts: [
      rotated,
      { afterMs: 3 * hourMs, act: ask("rollback", { version: 2 }) },
      { afterMs: 8 * hourMs, act: ask("resume") },
    ],
  },
  {
    name: "rolled back out of the deletion window",
    retire: "delete",
    horizonMs: 3 * dayMs,
    acts: [
      rotated,
      { afterMs: 18 * hourMs, act: ask("rollback", { version: 2 }) },
      { afterMs: 36 * hourMs, act: ask("pause") },
      { afterMs: 40 * hourMs, act: ask("resume") },
    ],
  },
  {
    name: "used in the soak",
    retire: "disable",
    horizonMs: 2 * dayMs,
    acts: [
      kept,
      rotated,
      { afterMs: 8 * hourMs, act: read },
      { afterMs: 12 * hourMs, act: ask("resume") },
    ],
  },
  {
    name: "used in the deletion window",
    retire: "delete",
    horizonMs: 3 * dayMs,
    acts: [
      kept,
      rotated,
      { afterMs: 18 * hourMs, act: read },
      { afterMs: 30 * hourMs, act: ask("resume") },
    ],
  },
  {
    name: "a signing key",
    retire: "delete",
    horizonMs: 2 * dayMs,
    firstKey: { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" },
    acts: [rotated],
  },
  {
    name: "due while requests wait",
    retire: "delete",
    horizonMs: 2 * dayMs,
    acts: [
      rotated,
      ...[1, 1.5, 2, 3, 9].map((hours) => ({ afterMs: hours * hourMs, act: dueWhileRequested })),
    ],
  },
  {
    name: "un-enrolled in mid-rotation",
    retire: "delete",
    horizonMs: dayMs,
    acts: [rotated, { afterMs: 2.25 * hourMs, act: ask("un-enrol", { confirm: alias }) }],
  },
];

export function scenarioOf(
  { name, retire, horizonMs, firstKey = {} }: History,
  clocks: Clocks,
): Scenario {
  const policy: Policy = {
    name: "matrix",
    cryptoperiodMs: 40 * dayMs,
    leadMs: dayMs,
    propagationMs: 20 * minuteMs,
    originate: "alias-only",
    drain: { atLeastMs: hourMs, quietForMs: hourMs, evidence: "required" },
    retire,
    soakMs: 6 * hourMs,
    deletionWindowDays: 7,
    approval: "none",
    acknowledgeWithinMs: dayMs,
  };
  return {
    name,
    faults: () => noFaults,
    envelope: clocks === "apart" ? insideEnvelope : { ...insideEnvelope, skewMs: 0 },
    schedulers: 1,
    crons: 1,
    tickEveryMs: 15 * minuteMs,
    keys: 1,
    policy: () => policy,
    externalActors: { everyMs: Infinity, asks: false, meddles: false },
    needs: noNeeds,
    firstKey: () => firstKey,
    habits: () => ({
      everyMs: 6 * hourMs,
      keptMs: minuteMs,
      archives: 0,
      archivedReadEveryMs: Infinity,
    }),
    safetyMs: horizonMs,
    calmMs: 0,
    slackMs: dayMs,
    orphanSlackMs: hourMs,
  };
}
