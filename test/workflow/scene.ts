/**
 * A managed key in the middle of its life, and a KMS that looks as its record says: a test sets only
 * what differs, and that is what matters to it. In a change, `undefined` takes a field away.
 */
import { newManagedKey } from "../../lambda/workflow/model/record.ts";
import { nothingSeen } from "../../lambda/workflow/safety/sights.ts";
import type {
  KeyState,
  ManagedKey,
  Moment,
  Rotation,
  Scene,
  Seen,
  Sight,
  Step,
  StepScene,
  Version,
} from "../../lambda/workflow/model/types.ts";
import { aHome, aKey, dayMs, hourMs } from "../fixtures.ts";

export type Changes<T> = { [K in keyof T]?: T[K] | undefined };

/** The base with these changes. */
export function changed<T extends object>(base: T, changes: Changes<T> = {}): T {
  const entries = Object.entries({ ...base, ...changes });
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as T;
}

export const nowMs = 1000 * dayMs;
export const alias = "alias/orders";
export const owner = "acme";
/** When the rotation of a scene opened, and when its old version was retired, if it was. */
export const openedAtMs = nowMs - 60 * dayMs;
export const retiredAtMs = nowMs - 50 * dayMs;
/** The last use that a scene shows: before the old version was retired. */
export const lastUsedAtMs = nowMs - 55 * dayMs;

export function aVersion(number: number, changes: Changes<Version> = {}): Version {
  const createdAtMs = 100 * number * dayMs;
  return changed<Version>(
    {
      number,
      keyId: `key-${number}`,
      arn: `arn:aws:kms:us-east-1:000000000000:key/key-${number}`,
      shape: { spec: "RSA_2048", usage: "SIGN_VERIFY", origin: "AWS_KMS", multiRegion: false },
      standing: "serving",
      createdAtMs,
      activatedAtMs: createdAtMs,
    },
    changes,
  );
}

export function aRotation(changes: Changes<Rotation> = {}): Rotation {
  const { shape } = aVersion(1);
  return changed<Rotation>(
    {
      id: "r1",
      from: 1,
      to: 2,
      direction: "forward",
      step: "drain",
      openedAtMs,
      stepSinceMs: openedAtMs,
      policy: aHome().policy,
      intent: {
        aliases: [alias],
        shape,
        policyHash: "policy-hash",
        tags: { team: "blue" },
        description: "",
        writtenAtMs: openedAtMs,
        attempts: 1,
        misses: 0,
      },
      grantsCopied: [],
      movedAtMs: {},
      dependents: [],
      acknowledgedAtMs: {},
      episode: 1,
    },
    changes,
  );
}

/** Enrolled, and version 1 serves. */
export function aRecord(changes: Changes<ManagedKey> = {}): ManagedKey {
  const home = aHome({ alias });
  const enrolledAtMs = 10 * dayMs;
  const made = newManagedKey({ owner, tableId: "table" }, home, "configuration", enrolledAtMs);
  const versions = [aVersion(1)];
  return changed<ManagedKey>({ ...made, enrolledAtMs, versions, lastNumber: 1 }, changes);
}

export function aMoment(changes: Changes<Moment> = {}): Moment {
  return changed<Moment>(
    {
      nowMs,
      epoch: 7,
      home: aHome({ alias }),
      newRotationId: "r-new",
      uncertain: false,
      parked: {},
      mode: "act",
      tableId: "table",
      head: "0".repeat(64),
      requests: [],
    },
    changes,
  );
}

export type Sights = { [K in keyof Seen]?: Record<string, Seen[K][string] | undefined> };

export function saw<T>(value: T): Sight<T> {
  return { kind: "seen", value };
}

export const absent = { kind: "absent" } as const;
export const denied = { kind: "denied", message: "not authorized" } as const;

/** How DescribeKey shows one of the keys `key-1`, `key-2` … */
export function sawKey(
  keyId: string,
  changes: Parameters<typeof aKey>[0] = {},
): Seen["key"][string] {
  const number = Number(keyId.replace("key-", ""));
  const { shape, createdAtMs, arn } = aVersion(number);
  return saw(aKey({ ...shape, keyId, arn, createdAtMs, ...changes }));
}

export function sawUse(operation: string, atMs: number, hash = "evidence-hash") {
  return saw({ lastUse: { kind: "used" as const, atMs, operation }, hash });
}

export const sawUnknownUse = saw({
  lastUse: { kind: "unknown" as const, why: "older than the tracking" },
  hash: "unknown-hash",
});

const states: Partial<Record<Version["standing"], KeyState>> = {
  disabled: "Disabled",
  "deletion-scheduled": "PendingDeletion",
};

function tagsOf(record: ManagedKey, { number, label }: Version): Record<string, string> {
  return {
    "keyturn:owner": record.owner,
    "keyturn:alias": record.alias,
    "keyturn:version": String(number),
    ...(label === undefined ? {} : { "keyturn:retired": label }),
  };
}

/** KMS as the record has it, every look taken; then what this test changes about it. */
export function allSeen(record: ManagedKey, changes: Sights = {}): Seen {
  const seen = nothingSeen();
  const serving = record.versions.find(({ standing }) => standing === "serving");
  for (const name of record.aliases) {
    seen.key[name] = serving === undefined ? absent : sawKey(serving.keyId);
  }
  for (const version of record.versions) {
    const { keyId, standing, deletionAtMs } = version;
    const state = states[standing] ?? "Enabled";
    const pending = deletionAtMs === undefined ? {} : { deletionAtMs };
    seen.key[keyId] = sawKey(keyId, { state, ...pending });
    seen.aliases[keyId] = saw(version === serving ? record.aliases : []);
    seen.policy[keyId] = saw({ document: "{}", hash: "policy-hash" });
    seen.tags[keyId] = saw(tagsOf(record, version));
    seen.grants[keyId] = saw([]);
    seen["last-use"][keyId] = sawUse("Sign", lastUsedAtMs);
    seen.watch[keyId] = absent;
  }
  for (const { id } of record.rotations) seen.successors[id] = saw([]);
  seen.lineage[record.alias] = saw([]);
  for (const kind of Object.keys(changes) as (keyof Seen)[]) {
    seen[kind] = changed<never>(seen[kind] as never, changes[kind] as never);
  }
  return seen;
}

export type Setting = {
  record?: Changes<ManagedKey>;
  moment?: Changes<Moment>;
  seen?: Sights;
};

export function aScene({ record, moment, seen }: Setting = {}): Scene {
  const made = aRecord(record);
  return { record: made, moment: aMoment(moment), seen: allSeen(made, seen) };
}

export type StepSetting = Setting & {
  rotation?: Changes<Rotation>;
  intent?: Changes<Rotation["intent"]>;
  /** Changes of the version that is replaced, and of the one that replaces it. */
  old?: Changes<Version>;
  fresh?: Changes<Version>;
};

const lateSteps: Step[] = ["drain", "revoke"];

/** Version 1 gives way to version 2, in this step. */
export function stepScene(step: Step, setting: StepSetting = {}): StepScene {
  const late = lateSteps.includes(step);
  const retired = { standing: "draining" as const, retiredAtMs, label: "r1" };
  const old = changed(aVersion(1, late ? retired : {}), setting.old);
  const created = { standing: "created" as const, activatedAtMs: undefined };
  const fresh = changed(
    aVersion(2, late ? { activatedAtMs: retiredAtMs } : created),
    setting.fresh,
  );
  const drained = { drainSinceMs: retiredAtMs, labelledAtMs: retiredAtMs };
  const base = aRotation({ step, ...(late ? drained : {}) });
  const moved = changed(base, setting.rotation);
  const rotation = { ...moved, intent: changed(moved.intent, setting.intent) };
  const versions = step === "generate" ? [old] : [old, fresh];
  const scene = aScene({
    ...setting,
    record: { versions, rotations: [rotation], lastNumber: 2, ...setting.record },
  });
  return { ...scene, rotation, old };
}

/** A mark of an earlier epoch: its call may still land for an hour. */
export const blockedMs = nowMs + hourMs;
export const unsettled = [{ epoch: 3, untilMs: blockedMs }];
