/** Two deployments in one AWS, with a check of whose keys each of them changes. */
import { RotationError } from "../../lambda/errors.ts";
import { tagNames } from "../../lambda/workflow/model/tag-names.ts";
import type { Policy } from "../../lambda/workflow/model/types.ts";
import { SimClock } from "../../embedded-aws/clock.ts";
import { cheapCryptography } from "../../embedded-aws/kms/cheap-cryptography.ts";
import { KmsTwin } from "../../embedded-aws/kms/twin.ts";
import { SimRandom } from "../../embedded-aws/random.ts";
import { CopiedDeployment } from "./copied-deployment.ts";
import { dayMs, hourMs, tagList } from "../fixtures.ts";
import { startMs, type WorldOptions } from "../world.ts";

const stepMs = 4 * hourMs;

export const orders = "alias/orders";

/** A whole history takes forty days. */
const brisk: Partial<Policy> = {
  cryptoperiodMs: 20 * dayMs,
  leadMs: 2 * dayMs,
  drain: { atLeastMs: 3 * dayMs, quietForMs: 2 * dayMs, evidence: "required" },
  soakMs: 2 * dayMs,
  retire: "delete",
  deletionWindowDays: 7,
};

type Input = { KeyId?: string; TargetKeyId?: string; AliasName?: string; Tags?: Tag[] };
type Tag = { TagKey: string; TagValue: string };

export class TwoDeployments {
  readonly clock = new SimClock({ startMs });
  readonly kms = new KmsTwin({
    clock: this.clock,
    random: new SimRandom(1),
    cryptography: cheapCryptography,
    quotas: "off",
  });
  readonly acme: CopiedDeployment;
  readonly globex: CopiedDeployment;
  /** Changing calls on a key that was the other's at the caller's read, or without a read. */
  readonly wrongs: string[] = [];
  /** Those on a key that became the other's between the read and the call. */
  readonly unlucky: string[] = [];
  #steps = 0;
  readonly #observedKeys = new Map<string, Map<string, number>>();
  readonly #ownedSince = new Map<string, number>();

  constructor(options: WorldOptions = {}) {
    const policy = { ...brisk, ...options.policy };
    const deploy = (name: string): CopiedDeployment =>
      new CopiedDeployment(
        { ...options, policy, owner: name },
        { clock: this.clock, kms: this.kms, name },
      );
    const call = this.kms.call.bind(this.kms);
    this.kms.call = (operation, input, caller) => {
      this.#watch(operation, input as Input, caller.principalArn);
      return call(operation, input, caller);
    };
    this.acme = deploy("acme");
    this.globex = deploy("globex");
  }

  get both(): [CopiedDeployment, CopiedDeployment] {
    return [this.acme, this.globex];
  }

  /** A new key behind the alias, without an owner. */
  async begin(): Promise<string> {
    const { KeyMetadata } = await this.acme.ask<{ KeyMetadata: { KeyId: string } }>(
      "CreateKey",
      {},
    );
    const TargetKeyId = KeyMetadata.KeyId;
    await this.acme.ask("CreateAlias", { AliasName: orders, TargetKeyId });
    return TargetKeyId;
  }

  ownerOf(keyId: string): string | undefined {
    return this.kms.world.keys.get(keyId)?.tags.get(tagNames.owner);
  }

  /** An operator re-tags it; a key that is pending deletion stays as it is. */
  async giveTo(owner: string | undefined, KeyId: string): Promise<void> {
    const done =
      owner === undefined
        ? this.acme.ask("UntagResource", { KeyId, TagKeys: [tagNames.owner] })
        : this.acme.ask("TagResource", { KeyId, Tags: tagList({ [tagNames.owner]: owner }) });
    await done.catch(() => undefined);
  }

  /** Time passes; when a key is due, `some` run one after the other, at most every four hours. */
  async passDays(days: number, some: CopiedDeployment[] = this.both): Promise<void> {
    const untilMs = this.clock.nowMs() + days * dayMs;
    for (;;) {
      for (const one of some) await this.tick(one);
      const nextMs = Math.max(await this.nextDueMs(some), this.clock.nowMs() + stepMs);
      if (nextMs > untilMs) break;
      this.clock.moveTo(nextMs);
    }
    this.clock.moveTo(Math.max(untilMs, this.clock.nowMs()));
  }

  async nextDueMs(some: CopiedDeployment[]): Promise<number> {
    const pages = await Promise.all(some.map(({ table }) => table.due(Infinity, 1000)));
    return Math.min(
      ...pages.flatMap(({ items }) =>
        items.flatMap((item) => ("dueAtMs" in item ? [item.dueAtMs] : [])),
      ),
    );
  }

  #watch(operation: string, input: Input, principalArn: string): void {
    this.#steps += 1;
    const caller = this.both.find((one) => one?.principalArn === principalArn);
    const keyId = operation === "UpdateAlias" ? input.TargetKeyId : input.KeyId;
    const isOwnerChange =
      operation === "UntagResource" ||
      input.Tags?.some(({ TagKey }) => TagKey === tagNames.owner) === true;
    if (keyId === undefined) return;
    if (caller !== undefined) this.#judge(caller, operation, keyId, isOwnerChange);
    if (isOwnerChange) this.#ownedSince.set(keyId, this.#steps);
  }

  /** One run of one of them. */
  async tick(one: CopiedDeployment): Promise<void> {
    this.#forgetReads(one);
    await one.tick().catch((error: unknown) => {
      if (!(error instanceof RotationError)) throw error;
    });
    await one.approveDeletions();
  }

  /** CloudTrail reports the last use attempt to one of them. */
  async deliver(one: CopiedDeployment): Promise<void> {
    this.#forgetReads(one);
    await one.deliver(one.attempts.at(-1));
  }

  /** A read before a changing call, or in another run, allows no other call. */
  #forgetReads({ configuration }: CopiedDeployment): void {
    this.#observedKeys.set(configuration.owner, new Map());
  }

  /** An audit also reads tags, beside the pass: the earlier read counts. */
  #judge(caller: CopiedDeployment, operation: string, keyId: string, isOwnerChange: boolean): void {
    const { owner } = caller.configuration;
    const reads = this.#observedKeys.get(owner);
    const observedKeys = reads?.get(keyId);
    if (operation === "ListResourceTags") reads?.set(keyId, observedKeys ?? this.#steps);
    if (/^(Describe|List|Get)/.test(operation)) return;
    this.#forgetReads(caller);
    const there = this.ownerOf(keyId);
    const enrols = operation === "TagResource" && isOwnerChange && there === undefined;
    if (there === owner || enrols) return;
    const what = `${owner}: ${operation} on ${keyId} of ${there ?? "no owner"}`;
    const becameSo = this.#ownedSince.get(keyId) ?? 0;
    (observedKeys !== undefined && observedKeys < becameSo ? this.unlucky : this.wrongs).push(what);
  }
}

/** A run of each at once, call by call in random order; sometimes an operator acts between two calls. */
export async function interleave(
  two: TwoDeployments,
  random: SimRandom,
  act: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const waiting: (() => void)[] = [];
  let running = two.both.length;
  const runs = two.both.map(async (one) => {
    one.intercept = async (_port, _method, _input, proceed) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return proceed();
    };
    await two.tick(one).finally(() => (running -= 1));
    one.intercept = undefined;
  });
  while (running > 0) {
    await new Promise((resolve) => setImmediate(resolve));
    const [next] = waiting.splice(Math.floor(random.next() * waiting.length), 1);
    if (next !== undefined && random.next() < 0.05) await act();
    next?.();
  }
  await Promise.all(runs);
}
