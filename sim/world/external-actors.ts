/**
 * Other principals with rights on the keys: an operator at the console, Terraform that restores an
 * alias, an auto-tagger. After the faults, an operator reads the findings and follows them.
 */
import type { Stored } from "../../lambda/ports.ts";
import type { ManagedKey } from "../../lambda/workflow/model/types.ts";
import { tagNames } from "../../lambda/workflow/model/tag-names.ts";
import type { Facts } from "../checkers/checker.ts";
import { AwsError } from "../../embedded-aws/http/aws-error.ts";
import type { KmsKey } from "../../embedded-aws/kms/types.ts";
import type { TableTwin } from "../ports/table.ts";
import type { SimRandom } from "../../embedded-aws/random.ts";
import type { Engine } from "./engine.ts";
import type { FaultPlan } from "./fault-plan.ts";
import type { Surroundings } from "./rotator.ts";
import type { SharedKms } from "./shared-kms.ts";

const personArn = "arn:aws:iam::000000000000:user/person";
const taggerArn = "arn:aws:iam::000000000000:role/auto-tagger";

/** The tags in which either rotator stores the alias of a version. */
const rotatorTags = [tagNames.alias, "rotator:alias"];

/** The operations with a quota of five a second. */
const scarce = [
  "CreateKey",
  "UpdateAlias",
  "EnableKey",
  "DisableKey",
  "CancelKeyDeletion",
  "GetKeyLastUsage",
  "UntagResource",
];

export type Acts = {
  /** The mean interval between acts; Infinity for none. */
  everyMs: number;
  /** Whether they make requests to keyturn, and whether they change keys directly. */
  asks: boolean;
  meddles: boolean;
  /** Whether they make requests planned some time before, on an earlier record. */
  plans?: boolean;
  /** Whether an operator rolls back within minutes of a DisableKey: a caller was locked out. */
  regrets?: boolean;
};

export class ExternalActors {
  acts = 0;
  /** The time of the last request for each managed key. */
  readonly askedAtMs = new Map<string, number>();
  readonly #engine: Engine;
  readonly #kms: SharedKms;
  readonly #random: SimRandom;
  readonly #table: TableTwin;
  readonly #plans: Facts["plans"];
  readonly #trace: (line: () => string) => void;
  readonly #aliases: string[];
  #isHome = false;
  #ids = 0;

  constructor(
    world: Pick<Surroundings, "engine" | "kms" | "random" | "table" | "facts">,
    aliases: string[],
    trace: (line: () => string) => void,
  ) {
    this.#engine = world.engine;
    this.#kms = world.kms;
    this.#random = world.random;
    this.#table = world.table;
    this.#plans = world.facts.plans;
    this.#aliases = aliases;
    this.#trace = trace;
  }

  start({ everyMs, asks, meddles, plans = false }: Acts): void {
    const kinds = [
      ...(meddles ? this.#meddling : []),
      ...(asks ? this.#asking : []),
      ...(plans ? this.#planning : []),
    ];
    const again = (): void => {
      this.#engine.after(Math.ceil(everyMs * 2 * this.#random.next()), () => {
        if (this.#isHome) return;
        this.acts += 1;
        this.#pick(kinds)(this.#pick(this.#aliases));
        again();
      });
    };
    if (kinds.length > 0) again();
  }

  /** Every quarter of an hour, external callers may exhaust a quota. */
  crowd(faultPlan: FaultPlan): void {
    this.#engine.after(15 * 60_000, () => {
      if (faultPlan.strikes("crowd")) {
        const what = this.#random.next() < 0.8 ? this.#pick(scarce) : this.#someKey();
        const untilMs = this.#engine.nowMs() + faultPlan.between(60_000, 600_000);
        this.#trace(() => `external callers exhaust the quota of ${what} for some minutes`);
        this.#kms.crowded.set(what, untilMs);
      }
      if (faultPlan.on) this.crowd(faultPlan);
    });
  }

  #someKey(): string {
    return this.#pick([...this.#kms.world.keys.keys()]);
  }

  /** Tags every new key, three seconds later. */
  tagSoon(keyId: string): void {
    this.#engine.after(3000, () => {
      const Tags = [{ TagKey: "cost-center", TagValue: "42" }];
      this.#try("TagResource", { KeyId: keyId, Tags }, taggerArn);
    });
  }

  /** A caller of the version complains at once, and an operator rolls back while reads may still show it Enabled. */
  regretSoon(keyId: string): void {
    const alias = this.#aliases.find((one) =>
      this.#versionsOf(one).some((key) => key.keyId === keyId),
    );
    if (alias === undefined || this.#random.next() < 0.5) return;
    this.#engine.after(Math.ceil(this.#random.next() * 2 * 60_000), () => {
      if (!this.#isHome) this.#ask(alias, "rollback", { version: this.#newestNumber(alias) });
    });
  }

  /** From now on external actors only follow findings. */
  goHome(): void {
    this.#isHome = true;
  }

  /** Follows the findings of the record, as an operator would. */
  putRight(record: ManagedKey): void {
    const active = record.versions.find(({ state }) => state === "active");
    if (active === undefined) return;
    const state = this.#kms.world.keys.get(active.keyId)?.state;
    if (state === "PendingDeletion") this.#try("CancelKeyDeletion", { KeyId: active.keyId });
    if (state !== "Enabled") this.#try("EnableKey", { KeyId: active.keyId });
    const moving = record.rotations.some(({ step }) => step === "activate");
    for (const alias of moving ? [] : record.aliases) {
      if (this.#kms.world.aliases.get(alias)?.keyId === active.keyId) continue;
      this.#try("UpdateAlias", { AliasName: alias, TargetKeyId: active.keyId });
    }
    if (record.holds.length > 0) this.#ask(record.alias, "resume");
  }

  readonly #meddling = [
    (alias: string) => this.#moveAlias(alias),
    (alias: string) => this.#terraform(alias),
    (alias: string) => this.#forge(alias),
    (alias: string) => this.#onSome(alias, "DisableKey"),
    (alias: string) => this.#onSome(alias, "EnableKey"),
    (alias: string) => this.#onSome(alias, "CancelKeyDeletion"),
    (alias: string) => this.#onSome(alias, "ScheduleKeyDeletion", { PendingWindowInDays: 7 }),
  ];

  readonly #asking = [
    (alias: string) => this.#ask(alias, "rotate"),
    (alias: string) => this.#ask(alias, "pause"),
    (alias: string) => this.#ask(alias, "resume"),
    (alias: string) => this.#ask(alias, "resume"),
    (alias: string) => this.#ask(alias, "rollback", { version: this.#newestNumber(alias) }),
    (alias: string) => this.#ask(alias, "compromised", { version: this.#newestNumber(alias) }),
  ];

  readonly #planning = [
    (alias: string) => this.#plan(alias, "rotate"),
    (alias: string) => this.#plan(alias, "rotate"),
    (alias: string) => this.#plan(alias, "pause"),
    (alias: string) => this.#plan(alias, "resume"),
    (alias: string) => this.#plan(alias, "rollback", { version: this.#newestNumber(alias) }),
  ];

  /** Reads the record now, and makes the request up to hours later, on a changed record. */
  #plan(alias: string, kind: string, fields: object = {}): void {
    const stored = this.#table.stored(alias) as Stored | undefined;
    if (stored === undefined) return;
    const { revision } = stored.record;
    const { journalHead: head } = stored;
    const hurry = this.#random.next() < 0.5 ? 600_000 : 4 * 3_600_000;
    this.#engine.after(Math.ceil(this.#random.next() * hurry), () => {
      if (this.#isHome) return;
      const id = this.#ask(alias, kind, { ...fields, ifHead: head });
      this.#plans.set(id, { head, revision });
    });
  }

  /** Moves the alias to any version, old or new. */
  #moveAlias(alias: string): void {
    const keyId = this.#someVersion(alias);
    if (keyId === undefined) return;
    this.#try("UpdateAlias", { AliasName: alias, TargetKeyId: keyId });
  }

  /** Moves the alias to the key in Terraform's state file. */
  #terraform(alias: string): void {
    const [first] = this.#versionsOf(alias);
    if (first === undefined) return;
    this.#try("UpdateAlias", { AliasName: alias, TargetKeyId: first.keyId });
  }

  /** Makes and uses an external key, with tags copied from a version. */
  #forge(alias: string): void {
    const like = this.#pick(this.#versionsOf(alias));
    const Tags = [...(like?.tags ?? [])].map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
    const made = this.#try("CreateKey", { Tags }) as { KeyMetadata: { KeyId: string } } | undefined;
    if (made === undefined) return;
    const { KeyId } = made.KeyMetadata;
    this.#try("Encrypt", { KeyId, Plaintext: Buffer.from("theirs") });
  }

  #onSome(alias: string, operation: string, more: object = {}): void {
    const keyId = this.#someVersion(alias);
    if (keyId === undefined) return;
    this.#try(operation, { KeyId: keyId, ...more });
    // An operator who breaks the active version notices soon.
    const isActive = this.#kms.world.aliases.get(alias)?.keyId === keyId;
    if (!isActive || operation === "EnableKey") return;
    this.#engine.after(Math.ceil(this.#random.next() * 3_600_000), () => {
      if (operation === "ScheduleKeyDeletion") this.#try("CancelKeyDeletion", { KeyId: keyId });
      this.#try("EnableKey", { KeyId: keyId });
    });
  }

  #someVersion(alias: string): string | undefined {
    return this.#pick(this.#versionsOf(alias))?.keyId;
  }

  #newestNumber(alias: string): number {
    const numbers = this.#versionsOf(alias).map(({ tags }) => Number(tags.get(tagNames.version)));
    return Math.max(1, ...numbers);
  }

  #versionsOf(alias: string): KmsKey[] {
    const isOf = ({ tags, aliasNames }: KmsKey): boolean =>
      aliasNames.has(alias) || rotatorTags.some((name) => tags.get(name) === alias);
    return [...this.#kms.world.keys.values()].filter(isOf);
  }

  #ask(alias: string, kind: string, fields: object = {}): string {
    const id = `request-${String((this.#ids += 1)).padStart(6, "0")}`;
    this.#trace(() => `request: ${kind} ${alias} ${JSON.stringify(fields)}`);
    this.askedAtMs.set(alias, this.#engine.nowMs());
    this.#table.ask(alias, id, { kind, by: "ada", ...fields });
    return id;
  }

  #try(operation: string, input: Record<string, unknown>, principalArn = personArn): unknown {
    this.#trace(() => `${principalArn.slice(31)}: ${operation} ${JSON.stringify(input)}`);
    try {
      return this.#kms.call(operation, input, { principalArn });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return undefined;
    }
  }

  #pick<T>(of: T[]): T {
    return of[Math.floor(this.#random.next() * of.length)] as T;
  }
}
