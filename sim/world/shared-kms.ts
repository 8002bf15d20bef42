/**
 * The one KMS of all processes, operators and applications. It shows some of them the state of some
 * minutes ago, authorizes keyturn by the tags of that time, and reports every change to the
 * checkers.
 */
import type { Call } from "../../lambda/workflow/model/types.ts";
import { tagNames } from "../../lambda/workflow/model/tag-names.ts";
import { AwsError } from "../../embedded-aws/http/aws-error.ts";
import type { KmsTwin } from "../../embedded-aws/kms/twin.ts";
import type { FaultPlan } from "./fault-plan.ts";
import { RecentStates } from "./recent-states.ts";

/** A call that KMS has executed. */
export type Applied = {
  operation: string;
  input: Record<string, unknown>;
  principalArn: string;
  atMs: number;
  answer: Record<string, unknown>;
};

export type Witness = (applied: Applied) => void;

const isRead = /^(Describe|Get|List)/;
/** The tags that a key needs before the function's role may make the call on it. */
const wanted: Record<Call["kind"], "owner" | "owner and label" | "nothing"> = {
  CreateKey: "nothing",
  UpdateAlias: "owner",
  TagResource: "nothing",
  CancelKeyDeletion: "owner",
  CreateGrant: "owner",
  EnableKey: "owner",
  UntagResource: "owner",
  DisableKey: "owner and label",
  ScheduleKeyDeletion: "owner and label",
};

export class SharedKms {
  readonly twin: KmsTwin;
  readonly recentStates: RecentStates;
  /** Called before and after every change of a key or an alias. */
  onChange: Witness | undefined;
  beforeChange:
    ((operation: string, input: Record<string, unknown>, by: string) => void) | undefined;
  /** Operations and keys with a quota that external callers exhaust, and until when. */
  readonly crowded = new Map<string, number>();
  readonly #faultPlan: FaultPlan;
  readonly #laggards: Set<string>;
  readonly #roleArn: string;

  /** `laggards`: principals with stale reads; `roleArn`: the one that the key tags authorize. */
  constructor(twin: KmsTwin, faultPlan: FaultPlan, laggards: string[], roleArn: string) {
    this.twin = twin;
    this.#faultPlan = faultPlan;
    this.#laggards = new Set(laggards);
    this.#roleArn = roleArn;
    this.recentStates = new RecentStates(
      twin.world,
      Math.max(faultPlan.envelope.lagMs, faultPlan.envelope.tagLagMs),
    );
  }

  get world(): KmsTwin["world"] {
    return this.twin.world;
  }

  /** Like the twin: returns, or throws an AwsError. */
  call(operation: string, input: unknown, caller: { principalArn: string }): unknown {
    const asked = input as Record<string, unknown>;
    const { principalArn } = caller;
    const lags = this.#laggards.has(principalArn);
    if (lags) this.#throttle(operation, asked);
    if (isRead.test(operation)) {
      const lagMs = lags ? this.#faultPlan.lagMs("stale") : 0;
      if (lagMs === 0) return this.twin.call(operation, asked, caller);
      return this.#showPast(operation, asked, caller, this.twin.world.clock.nowMs() - lagMs);
    }
    if (principalArn === this.#roleArn) this.#authorize(operation, asked);
    const changes = !cryptographic.has(operation);
    if (changes) this.beforeChange?.(operation, asked, principalArn);
    const answer = this.twin.call(operation, asked, caller) as Record<string, unknown>;
    if (changes) this.#note(operation, asked, principalArn, answer);
    return answer;
  }

  #note(
    operation: string,
    input: Record<string, unknown>,
    principalArn: string,
    answer: Record<string, unknown>,
  ): void {
    const made = answer.KeyMetadata as { KeyId: string } | undefined;
    const keyId = made?.KeyId ?? (input.KeyId as string | undefined);
    this.recentStates.note(keyId);
    const atMs = this.twin.world.clock.nowMs();
    this.onChange?.({ operation, input, principalArn, atMs, answer });
  }

  #showPast(
    operation: string,
    input: Record<string, unknown>,
    caller: { principalArn: string },
    thenMs: number,
  ): unknown {
    const named = input.KeyId as string | undefined;
    const keyId = named?.startsWith("alias/") ? this.recentStates.targetAt(named, thenMs) : named;
    const view = keyId === undefined ? undefined : this.recentStates.keyAt(keyId, thenMs);
    if (named !== undefined && view === undefined) throw new AwsError("NotFoundException", named);
    const asked = keyId === undefined ? input : { ...input, KeyId: keyId };
    const answer = this.twin.call(operation, asked, caller) as Record<string, unknown>;
    if (operation === "DescribeKey" && view !== undefined) {
      const { DeletionDate: _, ...metadata } = answer.KeyMetadata as Record<string, unknown>;
      const { state, deletionAtMs } = view;
      const date = deletionAtMs === undefined ? {} : { DeletionDate: new Date(deletionAtMs) };
      const Enabled = state === "Enabled";
      return { KeyMetadata: { ...metadata, KeyState: state, Enabled, ...date } };
    }
    if (operation === "ListResourceTags" && view !== undefined) {
      const Tags = [...view.tags].map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
      return { ...answer, Tags };
    }
    if (operation === "ListAliases") return this.#pastAliases(answer, keyId, thenMs);
    return answer;
  }

  #pastAliases(
    answer: Record<string, unknown>,
    keyId: string | undefined,
    thenMs: number,
  ): unknown {
    const { recentStates } = this;
    if (keyId !== undefined) {
      const names = recentStates.aliasesAt(keyId, thenMs);
      return { ...answer, Aliases: names.map((name) => aliasEntry(name, keyId)) };
    }
    const now = answer.Aliases as { AliasName: string }[];
    const Aliases = now.flatMap(({ AliasName }) => {
      const target = recentStates.targetAt(AliasName, thenMs);
      return target === undefined ? [] : [aliasEntry(AliasName, target)];
    });
    return { ...answer, Aliases };
  }

  /** A quota applies to the operation and to the key; a few requests succeed. */
  #throttle(operation: string, input: Record<string, unknown>): void {
    const nowMs = this.twin.world.clock.nowMs();
    const names = [operation, String(input.KeyId ?? input.TargetKeyId)];
    const isCrowded = names.some((name) => (this.crowded.get(name) ?? 0) > nowMs);
    if (!isCrowded || this.#faultPlan.between(0, 10) === 0) return;
    throw new AwsError("ThrottlingException", "Rate exceeded");
  }

  /** Like the policy of the function's role: by owner, and for retired keys by label. */
  #authorize(operation: string, input: Record<string, unknown>): void {
    const keyId = (input.KeyId ?? input.TargetKeyId) as string | undefined;
    if (keyId === undefined || operation === "CreateKey") return;
    const lagMs = this.#faultPlan.lagMs("unauthorized");
    const nowMs = this.twin.world.clock.nowMs();
    const tags = this.recentStates.keyAt(keyId, nowMs - lagMs)?.tags;
    const isOurs = tags?.has(tagNames.owner) ?? false;
    const isRetired = tags?.has(tagNames.retired) ?? false;
    const needs = Object.hasOwn(wanted, operation) ? wanted[operation as Call["kind"]] : "nothing";
    const isDenied =
      (needs !== "nothing" && !isOurs) || (needs === "owner and label" && !isRetired);
    if (isDenied && this.twin.world.keys.has(keyId)) {
      throw new AwsError("AccessDeniedException", `${operation} on ${keyId}: not by its tags`);
    }
  }
}

const cryptographic = new Set(["Encrypt", "Decrypt", "GenerateMac", "VerifyMac", "Sign", "Verify"]);

function aliasEntry(AliasName: string, TargetKeyId: string) {
  return { AliasName, TargetKeyId };
}
