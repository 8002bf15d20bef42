/**
 * The states of KMS in the last minutes: a read, or an authorization, may use any of them
 * ("Eventual consistency" and "Troubleshooting tags and aliases", KMS Developer Guide).
 */
import type { KeyState, KmsKey, World } from "../../embedded-aws/kms/types.ts";

export type KeyView = {
  fromMs: number;
  state: KeyState;
  deletionAtMs: number | undefined;
  tags: ReadonlyMap<string, string>;
};

type AliasView = { fromMs: number; keyId: string | undefined };

export class RecentStates {
  readonly #world: World;
  readonly #keptMs: number;
  readonly #keys = new Map<string, KeyView[]>();
  readonly #aliases = new Map<string, AliasView[]>();

  constructor(world: World, keptMs: number) {
    this.#world = world;
    this.#keptMs = keptMs;
  }

  /** Records the state of this key, and of every alias. */
  note(keyId: string | undefined): void {
    const nowMs = this.#world.clock.nowMs();
    const key = keyId === undefined ? undefined : this.#world.keys.get(keyId);
    if (key !== undefined) this.#noteKey(key, nowMs);
    for (const { name, keyId: target } of this.#world.aliases.values()) {
      this.#noteAlias(name, target, nowMs);
    }
    for (const name of this.#aliases.keys()) {
      if (!this.#world.aliases.has(name)) this.#noteAlias(name, undefined, nowMs);
    }
  }

  /** Undefined if no read could show it yet. */
  keyAt(keyId: string, atMs: number): KeyView | undefined {
    return this.#keys.get(keyId)?.findLast(({ fromMs }) => fromMs <= atMs);
  }

  targetAt(alias: string, atMs: number): string | undefined {
    return this.#aliases.get(alias)?.findLast(({ fromMs }) => fromMs <= atMs)?.keyId;
  }

  aliasesAt(keyId: string, atMs: number): string[] {
    return [...this.#aliases.keys()].filter((name) => this.targetAt(name, atMs) === keyId);
  }

  #noteKey(key: KmsKey, nowMs: number): void {
    const views = this.#keys.get(key.keyId) ?? [];
    const { state, deletionAtMs } = key;
    views.push({ fromMs: nowMs, state, deletionAtMs, tags: new Map(key.tags) });
    this.#forget(views, nowMs);
    this.#keys.set(key.keyId, views);
  }

  #noteAlias(name: string, keyId: string | undefined, nowMs: number): void {
    const views = this.#aliases.get(name) ?? [];
    if (views.length > 0 && views.at(-1)?.keyId === keyId) return;
    views.push({ fromMs: nowMs, keyId });
    this.#forget(views, nowMs);
    this.#aliases.set(name, views);
  }

  /** Drops the views that no read can show any longer. */
  #forget(views: { fromMs: number }[], nowMs: number): void {
    const shown = views.findLastIndex(({ fromMs }) => fromMs <= nowMs - this.#keptMs);
    if (shown > 0) views.splice(0, shown);
  }
}
