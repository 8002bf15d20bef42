/** What KMS itself sees: who calls what, and whether every alias has an Enabled key behind it. */
import type { CallRecord, KmsTwin } from "../embedded-aws/kms/twin.ts";

/** Successful or not, by access key and operation. */
export type CallCounts = Record<string, Record<string, number>>;

export class Observer {
  readonly calls: CallCounts = {};
  observations = 0;
  /** What was seen that must never be: an alias with nothing behind it that could serve. */
  readonly violations: string[] = [];
  /** Told the moment KMS has made a key for keyturn, before the answer is on its way. */
  onKeyMade: ((keyId: string) => void) | undefined;
  readonly #kms: KmsTwin;

  constructor(kms: KmsTwin) {
    this.#kms = kms;
    kms.onCall = (record) => this.#heard(record);
  }

  #heard({ operation, principalArn, keyId, outcome }: CallRecord): void {
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

/** Looks change nothing; every other management call does. */
export function isRead(operation: string): boolean {
  return /^(Get|List|Describe)/.test(operation);
}
