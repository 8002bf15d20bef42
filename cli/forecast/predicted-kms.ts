/**
 * KMS as the record of a managed key describes it, for predictions. It assumes no external changes, no
 * failed calls and no further use of retired versions. It does not predict KMS state that the record
 * does not hold: grants, unlisted aliases, the text of key policies.
 */
import { keyPolicyOf } from "../../lambda/record/canonical.ts";
import type { KeyService, Discovery } from "../../lambda/ports.ts";
import { withAliasOnly } from "../../lambda/workflow/enrolment/alias-only.ts";
import { consistencyMs, dayMs } from "../../lambda/workflow/model/limits.ts";
import { activeVersion } from "../../lambda/workflow/model/record.ts";
import { tagNames } from "../../lambda/workflow/model/tag-names.ts";
import type {
  Call,
  Key,
  KeyShape,
  KeyState,
  LastUse,
  ManagedKey,
  Outcome,
  Observation,
  Tags,
  Version,
} from "../../lambda/workflow/model/types.ts";

type PredictedKey = {
  keyId: string;
  arn: string;
  shape: KeyShape;
  state: KeyState;
  createdAtMs: number;
  deletionAtMs?: number;
  description: string;
  tags: Tags;
  policy: string;
  /** By the evidence on record, to which no use is added; without it, by the retirement. */
  lastUse?: LastUse;
};

const rootMayAll =
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:*","Resource":"*"}]}';

/**
 * `record` returns the record at the present time of the forecast; `called` receives each call, and `heard`
 * the mark of each canary.
 */
export type Around = {
  record: () => ManagedKey;
  nowMs: () => number;
  called: (call: Call) => void;
  heard: (mark: string) => Promise<void>;
};

export class PredictedKms implements KeyService, Discovery {
  readonly #keys: Map<string, PredictedKey>;
  readonly #targets = new Map<string, string>();
  readonly #around: Around;
  #made = 0;

  constructor(beginning: ManagedKey, around: Around) {
    this.#around = around;
    const { versions, extras } = beginning;
    const keys = [
      ...versions.map((version) => keyOfVersion(beginning, version)),
      ...extras.map((extra) => keyOfExtra(beginning, extra)),
    ];
    this.#keys = new Map(keys.map((key) => [key.keyId, key]));
    const active = activeVersion(beginning)?.keyId;
    for (const alias of beginning.aliases) {
      const keyId = movedTo(beginning, alias) ?? active;
      if (keyId !== undefined) this.#targets.set(alias, keyId);
    }
  }

  describe(key: string): Promise<Observation<Key>> {
    return this.#observe(this.#targets.get(key) ?? key, (found) => ({
      ...found.shape,
      keyId: found.keyId,
      arn: found.arn,
      state: found.state,
      managedBy: "CUSTOMER",
      description: found.description,
      createdAtMs: found.createdAtMs,
      ...(found.deletionAtMs === undefined ? {} : { deletionAtMs: found.deletionAtMs }),
    }));
  }

  aliasesOf(keyId: string): Promise<Observation<string[]>> {
    return this.#observe(keyId, () =>
      [...this.#targets].flatMap(([alias, target]) => (target === keyId ? [alias] : [])),
    );
  }

  /** An intent is bound to the policy that was read then. The forecast assumes the same policy. */
  policyOf(keyId: string) {
    const intended = this.#around.record().rotations.find(({ step }) => step === "generate");
    const intent = intended === undefined ? {} : { hash: intended.intent.policyHash };
    return this.#observe(keyId, ({ policy }) => ({ ...keyPolicyOf(policy), ...intent }));
  }

  tagsOf(keyId: string): Promise<Observation<Tags>> {
    return this.#observe(keyId, ({ tags }) => tags);
  }

  grantsOf(keyId: string): Promise<Observation<[]>> {
    return this.#observe(keyId, () => []);
  }

  lastUseOf(keyId: string): Promise<Observation<LastUse>> {
    return this.#observe(keyId, (key) => key.lastUse ?? this.#usedUntilRetired(keyId));
  }

  publicKeyOf(keyId: string): Promise<Observation<string>> {
    return this.#observe(keyId, () => "");
  }

  rotatesItself(keyId: string): Promise<Observation<boolean>> {
    const { versions } = this.#around.record();
    const version = versions.find((one) => one.keyId === keyId);
    return this.#observe(keyId, () => version?.autoRotation === true);
  }

  canary(_keyId: string, mark: string): Promise<void> {
    return this.#around.heard(mark);
  }

  allAliases() {
    return Promise.resolve([...this.#targets].map(([alias, keyId]) => ({ alias, keyId })));
  }

  keysTagged(tags: Tags) {
    const has = (key: PredictedKey): boolean =>
      Object.entries(tags).every(([name, value]) => key.tags[name] === value);
    return this.#found(has);
  }

  keysWithTag(name: string) {
    return this.#found(({ tags }) => Object.hasOwn(tags, name));
  }

  change(call: Call): Promise<Outcome> {
    this.#around.called(call);
    return Promise.resolve(this.#change(call));
  }

  /** How many keys KMS charges for: not those pending deletion (AWS KMS pricing). */
  charged(): number {
    return [...this.#keys.values()].filter(
      (key) => this.#isThere(key) && key.state !== "PendingDeletion",
    ).length;
  }

  #change(call: Call): Outcome {
    if (call.kind === "CreateKey") return this.#create(call);
    const key = this.#keys.get(call.keyId);
    if (key === undefined)
      throw new Error(`${call.kind} on ${call.keyId}, which the forecast does not know`);
    switch (call.kind) {
      case "UpdateAlias":
        this.#targets.set(call.alias, call.keyId);
        break;
      case "TagResource":
        key.tags = { ...key.tags, ...call.tags };
        break;
      case "UntagResource":
        key.tags = Object.fromEntries(
          Object.entries(key.tags).filter(([name]) => !call.names.includes(name)),
        );
        break;
      case "EnableKey":
        key.state = "Enabled";
        break;
      case "CancelKeyDeletion":
        delete key.deletionAtMs;
        key.state = "Disabled";
        break;
      case "DisableKey":
        key.state = "Disabled";
        break;
      case "ScheduleKeyDeletion":
        key.deletionAtMs = this.#around.nowMs() + call.windowDays * dayMs;
        key.state = "PendingDeletion";
        return { kind: "done", deletionAtMs: key.deletionAtMs };
      case "CreateGrant":
        break;
    }
    return { kind: "done" };
  }

  #create({ shape, policy, description, tags }: Extract<Call, { kind: "CreateKey" }>): Outcome {
    this.#made += 1;
    const keyId = `(new key ${this.#made})`;
    const createdAtMs = this.#around.nowMs();
    const made = { keyId, arn: keyId, shape, description, tags, policy, createdAtMs };
    this.#keys.set(keyId, { ...made, state: "Enabled" });
    return { kind: "done", keyId, arn: keyId, createdAtMs };
  }

  #usedUntilRetired(keyId: string): LastUse {
    const version = this.#around.record().versions.find((one) => one.keyId === keyId);
    const atMs = version?.retiredAtMs ?? this.#around.nowMs();
    return { kind: "used", atMs, operation: "Decrypt" };
  }

  #isThere({ deletionAtMs }: PredictedKey): boolean {
    return deletionAtMs === undefined || this.#around.nowMs() < deletionAtMs;
  }

  #observe<T>(keyId: string, what: (key: PredictedKey) => T): Promise<Observation<T>> {
    const key = this.#keys.get(keyId);
    const observation: Observation<T> =
      key === undefined || !this.#isThere(key)
        ? { kind: "absent" }
        : { kind: "observed", value: what(key) };
    return Promise.resolve(observation);
  }

  #found(has: (key: PredictedKey) => boolean) {
    const found = [...this.#keys.values()].filter((key) => this.#isThere(key) && has(key));
    return Promise.resolve(found.map(({ keyId, tags }) => ({ keyId, tags })));
  }
}

function keyOfVersion(record: ManagedKey, version: Version): PredictedKey {
  const { number, keyId, arn, shape, createdAtMs, deletionAtMs, label } = version;
  const rotationId = record.rotations.find(({ to }) => to === number)?.id;
  const aliases = version.aliasOnly === true ? record.aliases : undefined;
  const lastUse = lastUseOnRecord(record, version);
  return {
    ...{ keyId, arn, shape, createdAtMs, description: "" },
    state: stateOf(version),
    tags: {
      [tagNames.owner]: record.owner,
      [tagNames.alias]: record.alias,
      [tagNames.version]: String(number),
      ...(rotationId === undefined ? {} : { [tagNames.rotation]: rotationId }),
      ...(label === undefined || label === "unknown" ? {} : { [tagNames.retired]: label }),
    },
    policy: withAliasOnly(rootMayAll, aliases),
    ...(deletionAtMs === undefined ? {} : { deletionAtMs }),
    ...(lastUse === undefined ? {} : { lastUse }),
  };
}

function stateOf({ state }: Version): KeyState {
  switch (state) {
    case "disabled":
      return "Disabled";
    case "pending-deletion":
      return "PendingDeletion";
    case "pending-activation":
    case "active":
    case "draining":
    case "retained":
    case "reactivating":
      return "Enabled";
  }
}

/** As its rotation read it last, or as a finding reports it. */
function lastUseOnRecord(record: ManagedKey, { number, keyId, retiredAtMs }: Version) {
  const found = record.findings.filter(({ subject }) => subject === keyId);
  const has = (code: string) => found.find((one) => one.code === code);
  const unknown = has("USAGE_UNKNOWN");
  if (unknown !== undefined) return { kind: "unknown", why: unknown.observed } as const;
  if (has("ORIGINATED_AFTER_ACTIVATION") !== undefined) {
    const atMs = (retiredAtMs ?? 0) + consistencyMs + 1;
    return { kind: "used", atMs, operation: "Encrypt" } as const;
  }
  const out = record.rotations.find(({ from, step }) => from === number && step !== "generate");
  return out?.evidence?.lastUse;
}

function keyOfExtra(record: ManagedKey, extra: ManagedKey["extras"][number]): PredictedKey {
  const { keyId, rotationId, madeAfterMs, labelledAtMs, quarantinedAtMs } = extra;
  const shape = record.versions[0]?.shape;
  return {
    ...{ keyId, arn: keyId, createdAtMs: madeAfterMs, description: "", policy: rootMayAll },
    shape: shape ?? { spec: "", usage: "", origin: "AWS_KMS", multiRegion: false },
    state: quarantinedAtMs === undefined ? "Enabled" : "Disabled",
    tags: {
      [tagNames.owner]: record.owner,
      [tagNames.alias]: record.alias,
      [tagNames.rotation]: rotationId,
      ...(labelledAtMs === undefined ? {} : { [tagNames.retired]: rotationId }),
    },
    lastUse: { kind: "never", sinceMs: madeAfterMs },
  };
}

/** While a rotation moves the aliases one by one, some point at the new version. */
function movedTo(record: ManagedKey, alias: string): string | undefined {
  const moving = record.rotations.find(
    ({ movedAtMs, step }) => step === "activate" && alias in movedAtMs,
  );
  return record.versions.find(({ number }) => number === moving?.to)?.keyId;
}
