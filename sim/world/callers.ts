/**
 * Callers whose rights name an alias, a key or a tag, and callers that KMS refuses on every key (need.md, N3 to N5).
 * They have random numbers of their own: a world without them keeps its histories.
 */
import { tagNames } from "../../lambda/workflow/model/tag-names.ts";
import { AwsError } from "../../embedded-aws/http/aws-error.ts";
import { SimRandom } from "../../embedded-aws/random.ts";
import type { Surroundings } from "./rotator.ts";
import type { Caller, CallerKind, Arrival, Lockout } from "./lockout.ts";
import type { Trail } from "./trail.ts";

const minuteMs = 60_000;
const plaintext = Buffer.from("what they must still read");
const account = "arn:aws:iam::000000000000:role";
/** Authorization sees a change of aliases and tags up to five minutes late. */
const lagMs = 5 * minuteMs;

export type Callers = {
  /** How many of each kind an alias has; scanners, in all. */
  counts: Partial<Record<CallerKind, number>>;
  everyMs: number;
};

/** The prefix of the scanners' names: an operator knows them. */
export const scannerArn = `${account}/scanner`;

type World = Pick<Surroundings, "engine" | "kms" | "policies">;

export class CallersOfKeys {
  readonly all: Caller[] = [];
  /** Why each key is needed, in order. */
  readonly lockouts: Lockout[] = [];
  readonly #world: World;
  readonly #trail: Trail;
  readonly #random: SimRandom;
  readonly #lockedOut: (lockout: Lockout) => void;
  #requests = 0;

  constructor(world: World, trail: Trail, seed: number, lockedOut: (lockout: Lockout) => void) {
    this.#world = world;
    this.#trail = trail;
    this.#random = new SimRandom(seed ^ 0x5f3759df);
    this.#lockedOut = lockedOut;
  }

  start(aliases: string[], { counts, everyMs }: Callers): void {
    const { kms } = this.#world;
    for (const [index, alias] of aliases.entries()) {
      const firstKeyId = kms.world.aliases.get(alias)?.keyId ?? "";
      if (kms.world.keys.get(firstKeyId)?.spec !== "SYMMETRIC_DEFAULT") continue;
      for (const kind of ["by-alias", "by-arn", "by-tag", "by-name", "by-helper"] as const) {
        for (let number = 0; number < (counts[kind] ?? 0); number++) {
          this.#add({ kind, alias, firstKeyId }, `${kind}-${index}-${number}`, everyMs);
        }
      }
    }
    for (let number = 0; number < (counts.scanner ?? 0); number++) {
      const nobody = { kind: "scanner" as const, alias: "", firstKeyId: "" };
      this.#add(nobody, `scanner-${number}`, 4 * everyMs);
    }
    kms.world.authorizedBy = (key, { principalArn }) => {
      if (!this.all.some((caller) => caller.principalArn === principalArn)) {
        return { aliasNames: key.aliasNames, tags: key.tags };
      }
      const thenMs = this.#world.engine.nowMs() - Math.floor(this.#random.next() * lagMs);
      const tags = kms.recentStates.keyAt(key.keyId, thenMs)?.tags ?? new Map<string, string>();
      return { aliasNames: kms.recentStates.aliasesAt(key.keyId, thenMs), tags };
    };
  }

  #add(caller: Omit<Caller, "principalArn" | "kept">, name: string, everyMs: number): void {
    const one = { ...caller, principalArn: `${account}/${name}`, kept: new Map() };
    this.all.push(one);
    const document = { Version: "2012-10-17", Statement: this.#statements(one) };
    const { identityPolicies } = this.#world.kms.world;
    identityPolicies.attach(one.principalArn, [JSON.stringify(document)]);
    this.#again(one, everyMs);
  }

  /** A grant of what `manage()` returns has two. */
  #statements(caller: Caller): object[] {
    if (caller.kind !== "by-helper") return [this.#statement(caller)];
    const byAlias = this.#statement({ ...caller, kind: "by-alias" });
    const Condition = { StringEquals: { [`aws:ResourceTag/${tagNames.alias}`]: caller.alias } };
    return [byAlias, { ...byAlias, Condition }];
  }

  #statement({ kind, alias, firstKeyId }: Caller): object {
    const allowed = { Effect: "Allow", Action: ["kms:Encrypt", "kms:Decrypt"], Resource: "*" };
    switch (kind) {
      case "by-alias": {
        const aliases = { "ForAnyValue:StringEquals": { "kms:ResourceAliases": alias } };
        return { ...allowed, Condition: aliases };
      }
      case "by-arn":
        return { ...allowed, Resource: `arn:aws:kms:*:*:key/${firstKeyId}` };
      case "by-tag":
        return { ...allowed, Condition: { StringEquals: { "aws:ResourceTag/app": alias } } };
      case "by-name":
        return allowed;
      case "by-helper":
        return {};
      case "scanner":
        return { ...allowed, Action: "kms:ListKeys" };
    }
  }

  #again(caller: Caller, everyMs: number): void {
    this.#world.engine.after(Math.ceil(everyMs * (0.5 + this.#random.next())), () => {
      this.#act(caller);
      this.#again(caller, everyMs);
    });
  }

  #act(caller: Caller): void {
    const { kind, kept, alias, firstKeyId } = caller;
    if (kind === "scanner") return this.#scan(caller);
    const encrypt = { KeyId: alias, Plaintext: plaintext };
    const answer = this.#call(caller, "Encrypt", encrypt, kind === "by-arn" ? firstKeyId : "");
    if (kind === "by-arn") return;
    const keyId = this.#world.kms.world.aliases.get(alias)?.keyId;
    const made = answer?.CiphertextBlob as Uint8Array | undefined;
    if (keyId !== undefined && made !== undefined && !kept.has(keyId)) kept.set(keyId, made);
    for (const [heldKeyId, CiphertextBlob] of kept) {
      // A reader that succeeds would keep the version in use.
      if (kind === "by-tag" && heldKeyId !== keyId) continue;
      if (kind === "by-helper" && heldKeyId !== keyId && this.#random.next() < 0.8) continue;
      const named = kind === "by-name" ? { KeyId: alias } : {};
      this.#call(caller, "Decrypt", { CiphertextBlob, ...named }, heldKeyId);
    }
  }

  #scan(caller: Caller): void {
    for (const KeyId of this.#world.kms.world.keys.keys()) {
      this.#call(caller, "GetPublicKey", { KeyId }, "");
    }
  }

  /** `neededKeyId`: the key without which a refusal locks the caller out; empty where none does. */
  #call(
    caller: Caller,
    operation: string,
    input: object,
    neededKeyId: string,
  ): Record<string, unknown> | undefined {
    const { kms, engine } = this.#world;
    const { principalArn } = caller;
    const requestId = `${principalArn} ${(this.#requests += 1)}`;
    this.#trail.last = undefined;
    try {
      const by = { principalArn, requestId };
      return kms.call(operation, input, by) as Record<string, unknown>;
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      const arrival = this.#trail.last as Arrival | undefined;
      // They find a version that is out of use like any caller.
      if (caller.kind === "by-helper" && error.code !== "AccessDeniedException") return undefined;
      if (arrival === undefined || neededKeyId === "") return undefined;
      const aliasedKeyId = kms.world.aliases.get(caller.alias)?.keyId;
      const atMs = engine.nowMs();
      const lockout = { keyId: neededKeyId, aliasedKeyId, caller, atMs, arrival };
      this.lockouts.push(lockout);
      this.#lockedOut(lockout);
      return undefined;
    }
  }
}
