/**
 * Needs of a key that no use shows (need.md): a volume whose service holds a grant and calls KMS only at
 * its start; a snapshot without a grant, started long after; a verifier that fetches the public key.
 */
import type { Surroundings } from "./rotator.ts";
import { AwsError } from "../../embedded-aws/http/aws-error.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** The role by which EC2 uses the key of a volume. */
const serviceArn = "arn:aws:sts::000000000000:assumed-role/aws:ec2-infrastructure/i-0abc";
const starterArn = "arn:aws:iam::000000000000:role/starter";
const verifierArn = "arn:aws:iam::000000000000:role/verifier";

export type Needs = {
  /** How often, on average, each alias gets one of these; Infinity: never. */
  volumesEveryMs: number;
  snapshotsEveryMs: number;
  verifiersEveryMs: number;
  /** How long after its creation it needs the key. */
  neededAfterMs: number;
};

export const noNeeds: Needs = {
  volumesEveryMs: Infinity,
  snapshotsEveryMs: Infinity,
  verifiersEveryMs: Infinity,
  neededAfterMs: 0,
};

export type Kind = "volume" | "snapshot" | "verifier";
export type Resource = { kind: Kind; alias: string; keyId: string; grantId: string | undefined };

export type Wants = {
  /** It needed its key, and KMS refused. */
  failed: (resource: Resource, error: AwsError) => void;
  worked: (resource: Resource) => void;
};

type World = Pick<Surroundings, "engine" | "kms" | "policies" | "random">;

export class Resources {
  /** Those that will need their key. */
  readonly open = new Set<Resource>();
  readonly #world: World;
  readonly #wants: Wants;
  #isOver = false;

  constructor(world: World, wants: Wants) {
    this.#world = world;
    this.#wants = wants;
  }

  /** No draw is made of a world without such needs. */
  start(aliases: string[], needs: Needs): void {
    const kinds: [Kind, number][] = [
      ["volume", needs.volumesEveryMs],
      ["snapshot", needs.snapshotsEveryMs],
      ["verifier", needs.verifiersEveryMs],
    ];
    for (const [kind, everyMs] of kinds) {
      if (everyMs === Infinity) continue;
      for (const alias of aliases) this.#again(kind, alias, everyMs, needs.neededAfterMs);
    }
  }

  /** From now on none is made; those that exist need their keys once more, now. */
  useAll(): void {
    this.#isOver = true;
    for (const resource of this.open) this.#use(resource, 0);
  }

  isNeeded(keyId: string): boolean {
    return [...this.open].some((one) => one.keyId === keyId);
  }

  #again(kind: Kind, alias: string, everyMs: number, neededAfterMs: number): void {
    const { engine, random } = this.#world;
    engine.after(Math.ceil(everyMs * (0.5 + random.next())), () => {
      if (this.#isOver) return;
      this.#make(kind, alias, neededAfterMs);
      this.#again(kind, alias, everyMs, neededAfterMs);
    });
  }

  #make(kind: Kind, alias: string, neededAfterMs: number): void {
    const { engine, kms, random, policies } = this.#world;
    // keyturn halts such a key and reports it (ALIAS_ONLY_UNFIT): services call keys by their ARN.
    if (kind === "volume" && policies.get(alias)?.originate === "alias-only") return;
    const keyId = kms.world.aliases.get(alias)?.keyId;
    const key = kms.world.keys.get(keyId ?? "");
    const isSymmetric = key?.spec === "SYMMETRIC_DEFAULT";
    if (keyId === undefined || key?.state !== "Enabled" || isSymmetric === (kind === "verifier")) {
      return;
    }
    const grantId = kind === "volume" ? this.#grant(keyId) : undefined;
    if (kind === "volume" && grantId === undefined) return;
    const resource = { kind, alias, keyId, grantId };
    this.open.add(resource);
    const afterMs = neededAfterMs * (0.5 + random.next());
    engine.after(Math.ceil(afterMs), () => this.#use(resource, 8));
  }

  #grant(KeyId: string): string | undefined {
    const input = { KeyId, GranteePrincipal: serviceArn, Operations: ["Decrypt", "CreateGrant"] };
    return this.#try("CreateGrant", input, starterArn)?.GrantId as string | undefined;
  }

  /** What fails is tried again for some hours, as services and clients do. */
  #use(resource: Resource, retries: number): void {
    const { engine } = this.#world;
    const error = this.#fails(resource);
    if (error === undefined) {
      this.#wants.worked(resource);
      this.#end(resource);
      return;
    }
    this.#wants.failed(resource, error);
    if (retries > 0) engine.after(hourMs / 2, () => this.#use(resource, retries - 1));
  }

  #fails({ kind, keyId }: Resource): AwsError | undefined {
    const input = { KeyId: keyId, GranteePrincipal: serviceArn, Operations: ["Decrypt"] };
    try {
      const call = kind === "verifier" ? "GetPublicKey" : "CreateGrant";
      const principalArn = kind === "verifier" ? verifierArn : starterArn;
      this.#world.kms.call(call, kind === "verifier" ? { KeyId: keyId } : input, { principalArn });
      return undefined;
    } catch (error) {
      if (error instanceof AwsError) return error;
      throw error;
    }
  }

  /** Once started it is deleted: its grants go with it. */
  #end(resource: Resource): void {
    this.open.delete(resource);
    const key = this.#world.kms.world.keys.get(resource.keyId);
    if (key === undefined || resource.kind === "verifier") return;
    for (const GrantId of key.grants.keys()) {
      const grant = key.grants.get(GrantId);
      const isOwn = GrantId === resource.grantId || !this.#holds(resource.keyId);
      if (grant?.grantee !== serviceArn || !isOwn) continue;
      this.#try("RevokeGrant", { KeyId: resource.keyId, GrantId }, starterArn);
    }
  }

  #holds(keyId: string): boolean {
    return [...this.open].some((one) => one.keyId === keyId && one.kind === "volume");
  }

  #try(
    operation: string,
    input: object,
    principalArn: string,
  ): Record<string, unknown> | undefined {
    try {
      const { kms } = this.#world;
      return kms.call(operation, input, { principalArn }) as Record<string, unknown>;
    } catch (error) {
      if (error instanceof AwsError) return undefined;
      throw error;
    }
  }
}
