/**
 * External actors: clean-up bots, operators, infrastructure code and a tagger, at any moment on a version of any
 * state. Somebody on call follows the findings: types the printed command of each, as it stands. They have random
 * numbers of their own.
 */
import type { ManagedKey } from "../../lambda/workflow/model/types.ts";
import type { Finding } from "../../lambda/workflow/model/findings.ts";
import { tagNames } from "../../lambda/workflow/model/tag-names.ts";
import { AwsError } from "../../embedded-aws/http/aws-error.ts";
import { SimRandom } from "../../embedded-aws/random.ts";
import type { Surroundings } from "./rotator.ts";
import { typed } from "./typed-command.ts";
import type { Delivery } from "./trail.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

export type Meddling = {
  /** The mean interval between their acts. */
  everyMs: number;
  /** How CloudTrail's events of their acts arrive; without it, none does. */
  delivery?: Delivery;
  /** The longest time from a finding to its command. */
  followedWithinMs: number;
};

type World = Pick<Surroundings, "engine" | "kms" | "table" | "trace">;

const bot = "arn:aws:iam::000000000000:user/clean-up";
const root = "arn:aws:iam::000000000000:root";
const terraform = "arn:aws:sts::000000000000:assumed-role/terraform/apply";
const tagger = "arn:aws:iam::000000000000:role/auto-tagger";
const onCall = "arn:aws:iam::000000000000:user/on-call";

const policyOf = (sid: number): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: `Rev${sid}`,
        Effect: "Allow",
        Principal: { AWS: root },
        Action: "kms:*",
        Resource: "*",
      },
    ],
  });

export class Meddlers {
  readonly #world: World;
  readonly #random: SimRandom;
  readonly #aliases: string[];
  readonly #recordOf: (alias: string) => ManagedKey | undefined;
  readonly #followed = new Map<string, number>();
  #other: string | undefined;
  #areHome = false;
  #requests = 0;

  constructor(
    world: World,
    seed: number,
    aliases: string[],
    recordOf: (alias: string) => ManagedKey | undefined,
  ) {
    this.#world = world;
    this.#random = new SimRandom(seed ^ 0x5bd1e995);
    this.#aliases = aliases;
    this.#recordOf = recordOf;
  }

  start({ everyMs, followedWithinMs }: Meddling): void {
    const again = (): void => {
      this.#world.engine.after(Math.ceil(everyMs * 2 * this.#random.next()), () => {
        if (this.#areHome) return;
        this.#act();
        again();
      });
    };
    again();
    const follow = (): void => {
      this.#follow(this.#areHome ? 0 : followedWithinMs);
      this.#world.engine.after(30 * minuteMs, follow);
    };
    this.#world.engine.after(hourMs, follow);
  }

  /** From now on only the findings are followed. */
  goHome(): void {
    this.#areHome = true;
  }

  #act(): void {
    const record = this.#recordOf(this.#pick(this.#aliases));
    const version = record === undefined ? undefined : this.#pick(record.versions);
    if (record === undefined || version === undefined) return;
    const { alias } = record;
    const { keyId: KeyId } = version;
    const untag = (TagKeys: string[]) => () =>
      this.#try("UntagResource", { KeyId, TagKeys }, terraform);
    const acts = [
      () => this.#try("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 }, bot),
      () => this.#try("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 }, root),
      () => this.#try("DisableKey", { KeyId }, terraform),
      () => this.#try("EnableKey", { KeyId }, terraform),
      () => this.#try("CancelKeyDeletion", { KeyId }, root),
      untag([tagNames.alias]),
      untag([tagNames.owner, tagNames.alias, tagNames.version]),
      () => this.#try("PutKeyPolicy", { KeyId, Policy: policyOf(this.#number(9)) }, terraform),
      () => this.#try("UpdateAlias", { AliasName: alias, TargetKeyId: KeyId }, terraform),
      () => this.#try("UpdateAlias", { AliasName: alias, TargetKeyId: this.#another() }, root),
      () => this.#try("DeleteAlias", { AliasName: alias }, bot),
      () => this.#try("CreateAlias", { AliasName: `${alias}-too`, TargetKeyId: KeyId }, root),
      ...Array.from({ length: 3 }, () => () => this.#tag(KeyId)),
    ];
    this.#pick(acts)();
  }

  /** A key that keyturn does not manage. */
  #another(): string {
    if (this.#other !== undefined) return this.#other;
    const made = this.#world.kms.call("CreateKey", {}, { principalArn: root }) as {
      KeyMetadata: { KeyId: string };
    };
    return (this.#other = made.KeyMetadata.KeyId);
  }

  /** No finding comes of it. */
  #tag(KeyId: string): void {
    const Tags = [{ TagKey: "cost-center", TagValue: String(this.#number(100)) }];
    this.#try("TagResource", { KeyId, Tags }, tagger);
  }

  /** Each command once in three hours, as a person who sees that the finding is still there. */
  #follow(withinMs: number): void {
    const { engine } = this.#world;
    for (const alias of this.#aliases) {
      for (const finding of this.#recordOf(alias)?.findings ?? []) {
        const name = `${alias} ${finding.code} ${finding.subject}`;
        if ((this.#followed.get(name) ?? 0) > engine.nowMs() - 3 * hourMs) continue;
        this.#followed.set(name, engine.nowMs());
        engine.after(Math.floor(this.#random.next() * withinMs), () => this.#type(alias, finding));
      }
    }
  }

  #type(alias: string, { code, subject }: Finding): void {
    const still = this.#recordOf(alias)?.findings.find(
      (one) => one.code === code && one.subject === subject,
    );
    if (still === undefined || !followed.has(code)) return;
    for (const command of typed(still.next)) {
      if (command.kind === "aws") {
        if (!this.#try(command.operation, command.input, onCall)) return;
      } else if (command.request.kind !== "explain") {
        const id = `followed-${String((this.#requests += 1)).padStart(6, "0")}`;
        this.#world.trace(() => `on-call: ${still.next}`);
        this.#world.table.ask(alias, id, { by: "on-call", ...command.request });
      }
    }
  }

  #try(operation: string, input: object, principalArn: string): boolean {
    this.#world.trace(() => `${principalArn.slice(13)}: ${operation} ${JSON.stringify(input)}`);
    try {
      this.#world.kms.call(operation, input, { principalArn });
      return true;
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return false;
    }
  }

  #number(below: number): number {
    return Math.floor(this.#random.next() * below);
  }

  #pick<T>(of: T[]): T {
    return of[this.#number(of.length)] as T;
  }
}

/** The findings about changes by others; the approver and the applications answer the rest. */
export const followed: ReadonlySet<string> = new Set([
  ...["DELETION_SCHEDULED_BY_OTHERS", "DISABLED_BY_OTHERS", "VERSION_CHANGED", "VERSION_DELETED"],
  ...["ACCESS_TAG_GONE", "KEY_POLICY_CHANGED", "OTHER_OWNER", "STATE_BEHIND_KMS"],
  ...["ALIAS_MOVED", "ALIAS_NOT_FOUND", "ALIAS_SET_SPLIT", "ALIAS_ON_OLD_VERSION"],
  ...["NEW_VERSION_NOT_ENABLED", "KEY_NOT_ENABLED", "USED_WHILE_DISABLED"],
]);
