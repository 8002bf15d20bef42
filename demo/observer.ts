/** Observes KMS itself: counts each caller's calls, and checks that every alias has an Enabled key. */
import type { CallRecord, KmsTwin } from "../embedded-aws/kms/twin.ts";

/** Successful and failed calls, by access key and operation. */
export type CallCounts = Record<string, Record<string, number>>;

export class Observer {
  readonly calls: CallCounts = {};
  observations = 0;
  /** Observed invariant violations: an alias without an Enabled key behind it. */
  readonly violations: string[] = [];
  /** Called when KMS has created a key for keyturn, before it answers. */
  onKeyMade: ((keyId: string) => void) | undefined;
  readonly #kms: KmsTwin;

  constructor(kms: KmsTwin) {
    this.#kms = kms;
    kms.onCall = (record) => this.#count(record);
  }

  #count({ operation, principalArn, keyId, outcome }: CallRecord): void {
    const who = principalArn.split("/").at(-1) ?? principalArn;
    const counts = (this.calls[who] ??= {});
    counts[operation] = (counts[operation] ?? 0) + 1;
    if (outcome !== "ok") return;
    if (operation === "CreateKey" && who === "keyturn" && keyId !== undefined) {
      this.onKeyMade?.(keyId);
    }
    if (!isRead(operation)) this.read();
  }

  read(): void {
    const { aliases, keys } = this.#kms.world;
    this.observations += 1;
    for (const { name, keyId } of aliases.values()) {
      const state = keys.get(keyId)?.state ?? "deleted";
      if (state !== "Enabled") this.violations.push(`${name} pointed at a key that is ${state}`);
    }
  }
}

/** Reads change nothing; every other management call does. */
export function isRead(operation: string): boolean {
  return /^(Get|List|Describe)/.test(operation);
}
