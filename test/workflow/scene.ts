/**
 * A managed key in operation, and a KMS that agrees with its record. A test sets only the relevant
 * differences. In a change, `undefined` removes a field.
 */
import { newManagedKey } from "../../lambda/workflow/model/record.ts";
import { nothingObserved } from "../../lambda/workflow/safety/observations.ts";
import type {
  Approval,
  Request,
  KeyState,
  ManagedKey,
  Context,
  Rotation,
  Scene,
  ObservedState,
  Observation,
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
/** The last use in a scene: before the old version was retired. */
export const lastUsedAtMs = nowMs - 55 * dayMs;

export function aVersion(number: number, changes: Changes<Version> = {}): Version {
  const createdAtMs = 100 * number * dayMs;
  return changed<Version>(
    {
      number,
      keyId: `key-${number}`,
      arn: `arn:aws:kms:us-east-1:000000000000:key/key-${number}`,
      shape: { spec: "RSA_2048", usage: "SIGN_VERIFY", origin: "AWS_KMS", multiRegion: false },
      state: "active",
      createdAtMs,
      activatedAtMs: createdAtMs,
      publicKey: "its public key",
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

/** Enrolled, with version 1 active. */
export function aRecord(changes: Changes<ManagedKey> = {}): ManagedKey {
  const home = aHome({ alias });
  const enrolledAtMs = 10 * dayMs;
  const made = newManagedKey({ owner, tableId: "table" }, home, "configuration", enrolledAtMs);
  const versions = [aVersion(1)];
  return changed<ManagedKey>({ ...made, enrolledAtMs, versions, lastNumber: 1 }, changes);
}

export function aContext(changes: Changes<Context> = {}): Context {
  return changed<Context>(
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

export type Observations = {
  [K in keyof ObservedState]?: Record<string, ObservedState[K][string] | undefined>;
};

export function present<T>(value: T): Observation<T> {
  return { kind: "observed", value };
}

export const absent = { kind: "absent" } as const;
export const denied = { kind: "denied", message: "not authorized" } as const;

/** The DescribeKey answer for one of the keys `key-1`, `key-2` … */
export function observedKey(
  keyId: string,
  changes: Parameters<typeof aKey>[0] = {},
): ObservedState["key"][string] {
  const number = Number(keyId.replace("key-", ""));
  const { shape, createdAtMs, arn } = aVersion(number);
  return present(aKey({ ...shape, keyId, arn, createdAtMs, ...changes }));
}

export function lastUsed(operation: string, atMs: number, hash = "evidence-hash") {
  return present({ lastUse: { kind: "used" as const, atMs, operation }, hash });
}

export const unknownLastUse = present({
  lastUse: { kind: "unknown" as const, why: "older than the tracking" },
  hash: "unknown-hash",
});

const stateByVersionState: Partial<Record<Version["state"], KeyState>> = {
  disabled: "Disabled",
  "pending-deletion": "PendingDeletion",
};

function tagsOf(record: ManagedKey, { number, label }: Version): Record<string, string> {
  return {
    "keyturn:owner": record.owner,
    "keyturn:alias": record.alias,
    "keyturn:version": String(number),
    ...(label === undefined ? {} : { "keyturn:retired": label }),
  };
}

/** The complete observed state according to the record, with this test's changes. */
export function allObserved(record: ManagedKey, changes: Observations = {}): ObservedState {
  const observed = nothingObserved();
  const active = record.versions.find(({ state }) => state === "active");
  for (const name of record.aliases) {
    observed.key[name] = active === undefined ? absent : observedKey(active.keyId);
  }
  for (const version of record.versions) {
    const { keyId, state, deletionAtMs } = version;
    const keyState = stateByVersionState[state] ?? "Enabled";
    const pending = deletionAtMs === undefined ? {} : { deletionAtMs };
    observed.key[keyId] = observedKey(keyId, { state: keyState, ...pending });
    observed.aliases[keyId] = present(version === active ? record.aliases : []);
    observed.policy[keyId] = present({ document: "{}", hash: "policy-hash" });
    observed.tags[keyId] = present(tagsOf(record, version));
    observed.grants[keyId] = present([]);
    observed["last-use"][keyId] = lastUsed("Sign", lastUsedAtMs);
    observed.watch[keyId] = absent;
  }
  for (const { id } of record.rotations) observed.successors[id] = present([]);
  observed.lineage[record.alias] = present([]);
  for (const kind of Object.keys(changes) as (keyof ObservedState)[]) {
    observed[kind] = changed<never>(observed[kind] as never, changes[kind] as never);
  }
  return observed;
}

export type Setting = {
  record?: Changes<ManagedKey>;
  context?: Changes<Context>;
  observed?: Observations;
};

export function aScene({ record, context, observed }: Setting = {}): Scene {
  const made = aRecord(record);
  return { record: made, context: aContext(context), observed: allObserved(made, observed) };
}

export type StepSetting = Setting & {
  rotation?: Changes<Rotation>;
  intent?: Changes<Rotation["intent"]>;
  /** Changes of the old version, and of the new one. */
  old?: Changes<Version>;
  fresh?: Changes<Version>;
};

const lateSteps: Step[] = ["drain", "revoke"];

/** A rotation from version 1 to version 2, in this step. */
export function stepScene(step: Step, setting: StepSetting = {}): StepScene {
  const late = lateSteps.includes(step);
  const retired = { state: "draining" as const, retiredAtMs, label: "r1" };
  const old = changed(aVersion(1, late ? retired : {}), setting.old);
  const created = { state: "pending-activation" as const, activatedAtMs: undefined };
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

/** An approval of the evidence in a scene, for DisableKey. */
export function anApproval(changes: Partial<Approval> = {}): Approval {
  return {
    evidence: "evidence-hash",
    of: "disable",
    accepts: [],
    override: false,
    by: "ada",
    atMs: 0,
    ...changes,
  };
}

type Approve = Extract<Request, { kind: "approve" }>;

/** The request for such an approval. */
export function anApproveRequest(changes: Partial<Approve> = {}): Approve {
  const { evidence, of, accepts, override, by } = anApproval();
  const asked = { id: "a", kind: "approve", by, reason: "", version: 1 } as const;
  return { ...asked, evidence, of, accepts, override, confirm: "", ...changes };
}
