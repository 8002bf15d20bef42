/**
 * Everybody else with rights on the keys: a person at the console, Terraform that puts an alias back, an
 * auto-tagger. And, when the dust has settled, an operator who reads findings and puts things right.
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

/** By which a rotator, whichever it is, says whose version a key is. */
const rotatorTags = [tagNames.alias, "rotator:alias"];

/** The operations of which the quota is five a second. */
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
  /** How often, on average, somebody does something; never where there is no number. */
  everyMs: number;
  /** What they ask of keyturn, and what they do behind its back. */
  asks: boolean;
  meddles: boolean;
  /** They ask for what they planned some time before, on the record as it was then. */
  plans?: boolean;
};

export class ExternalActors {
  acts = 0;
  /** When somebody last asked something of a managed key. */
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

  /** Every quarter of an hour it may get crowded. */
  crowd(faultPlan: FaultPlan): void {
    this.#engine.after(15 * 60_000, () => {
      if (faultPlan.strikes("crowd")) {
        const what = this.#random.next() < 0.8 ? this.#pick(scarce) : this.#someKey();
        const untilMs = this.#engine.nowMs() + faultPlan.between(60_000, 600_000);
        this.#trace(() => `others use up all of ${what} for some minutes`);
        this.#kms.crowded.set(what, untilMs);
      }
      if (faultPlan.on) this.crowd(faultPlan);
    });
  }

  #someKey(): string {
    return this.#pick([...this.#kms.world.keys.keys()]);
  }

  /** Tags whatever is made, three seconds later. */
  tagSoon(keyId: string): void {
    this.#engine.after(3000, () => {
      const Tags = [{ TagKey: "cost-center", TagValue: "42" }];
      this.#try("TagResource", { KeyId: keyId, Tags }, taggerArn);
    });
  }

  /** From now on nobody does anything but what findings ask for. */
  goHome(): void {
    this.#isHome = true;
  }

  /** Does what the record's findings tell an operator to do. */
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

  /** They look now, and ask up to hours later, whatever has become of it by then. */
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

  /** To a version of it, old or new. */
  #moveAlias(alias: string): void {
    const keyId = this.#someVersion(alias);
    if (keyId === undefined) return;
    this.#try("UpdateAlias", { AliasName: alias, TargetKeyId: keyId });
  }

  /** Puts the alias where its state file has it. */
  #terraform(alias: string): void {
    const [first] = this.#versionsOf(alias);
    if (first === undefined) return;
    this.#try("UpdateAlias", { AliasName: alias, TargetKeyId: first.keyId });
  }

  /** A key of their own, in use, with tags copied from a version. */
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
    // Who breaks what serves notices soon.
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
    this.#trace(() => `somebody asks: ${kind} ${alias} ${JSON.stringify(fields)}`);
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
