/**
 * An application that uses one managed key: it encrypts under the alias, and decrypts its data as
 * long as it keeps it.
 */
import { AwsError } from "../../embedded-aws/http/aws-error.ts";
import type { SimRandom } from "../../embedded-aws/random.ts";
import type { Engine } from "./engine.ts";
import type { SharedKms } from "./shared-kms.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const plaintext = Buffer.from("what must not be lost");

export type Habits = {
  everyMs: number;
  /** How long it keeps and reads its data. */
  keptMs: number;
  /** The probability of archiving a ciphertext, and the interval between archive reads. */
  archives: number;
  archivedReadEveryMs: number;
};

/** `rereadAtMs`: set if the ciphertext is archived. */
export type Kept = {
  ciphertext: Uint8Array;
  keyId: string;
  dropAtMs: number;
  rereadAtMs: number | undefined;
};

export type Complaints = {
  /** The application could not encrypt under the alias. */
  outage: (alias: string, error: AwsError) => void;
  /** The application could not decrypt a kept ciphertext. */
  unreadable: (alias: string, kept: Kept, error: AwsError) => void;
  used: (keyId: string) => void;
};

export class Application {
  readonly alias: string;
  readonly principalArn: string;
  kept: Kept[] = [];
  readonly #engine: Engine;
  readonly #kms: SharedKms;
  readonly #random: SimRandom;
  readonly #habits: Habits;
  readonly #complaints: Complaints;

  constructor(
    alias: string,
    habits: Habits,
    world: { engine: Engine; kms: SharedKms; random: SimRandom },
    complaints: Complaints,
  ) {
    this.alias = alias;
    this.principalArn = `arn:aws:iam::000000000000:role/${alias.slice("alias/".length)}`;
    this.#habits = habits;
    this.#engine = world.engine;
    this.#kms = world.kms;
    this.#random = world.random;
    this.#complaints = complaints;
  }

  start(): void {
    this.#again();
  }

  /** Reads everything that it keeps, and reports each failure. */
  readAll(): void {
    this.#forget();
    for (const kept of this.kept) this.#read(kept, 0);
  }

  #again(): void {
    const { everyMs } = this.#habits;
    this.#engine.after(Math.ceil(everyMs * (0.5 + this.#random.next())), () => {
      this.#write();
      this.#forget();
      const kept = this.#choose();
      if (kept !== undefined) this.#read(kept, 5);
      this.#again();
    });
  }

  /** A due read of the archive takes precedence. */
  #choose(): Kept | undefined {
    const nowMs = this.#engine.nowMs();
    const archived = this.kept.find(({ rereadAtMs }) => (rereadAtMs ?? Infinity) <= nowMs);
    if (archived !== undefined) {
      archived.rereadAtMs = nowMs + this.#habits.archivedReadEveryMs;
      return archived;
    }
    const kept = this.kept[Math.floor(this.#random.next() * this.kept.length)];
    return kept?.rereadAtMs === undefined ? kept : undefined;
  }

  #write(): void {
    const nowMs = this.#engine.nowMs();
    const { alias, principalArn } = this;
    try {
      const input = { KeyId: alias, Plaintext: plaintext };
      const answer = this.#kms.call("Encrypt", input, { principalArn }) as {
        CiphertextBlob: Uint8Array;
        KeyId: string;
      };
      const keyId = answer.KeyId.slice(answer.KeyId.lastIndexOf("/") + 1);
      const isArchived = this.#random.next() < this.#habits.archives;
      const { keptMs, archivedReadEveryMs } = this.#habits;
      const dropAtMs = isArchived ? Infinity : nowMs + keptMs;
      const rereadAtMs = isArchived ? nowMs + archivedReadEveryMs : undefined;
      this.kept.push({ ciphertext: answer.CiphertextBlob, keyId, dropAtMs, rereadAtMs });
      this.#complaints.used(keyId);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      this.#complaints.outage(alias, error);
    }
  }

  /** Retries a failed read a few times, as clients do. */
  #read(kept: Kept, retries: number): void {
    const { alias, principalArn } = this;
    try {
      this.#kms.call("Decrypt", { CiphertextBlob: kept.ciphertext }, { principalArn });
      this.#complaints.used(kept.keyId);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      this.#complaints.unreadable(alias, kept, error);
      if (retries === 0) return;
      const pauseMs = 5 * minuteMs + Math.floor(this.#random.next() * hourMs);
      this.#engine.after(pauseMs, () => this.#read(kept, retries - 1));
    }
  }

  #forget(): void {
    const nowMs = this.#engine.nowMs();
    this.kept = this.kept.filter(({ dropAtMs }) => dropAtMs > nowMs);
  }
}
