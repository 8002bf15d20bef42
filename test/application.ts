/** An application that uses a managed key only through its alias, and has data to lose. */
import { dayMs } from "./fixtures.ts";
import { startMs, type World } from "./world.ts";

type Blob = { keyId: string; bytes: unknown };

/** It encrypts every day, and every fifth day decrypts all the data that it keeps. */
export class Application {
  readonly alias: string;
  /** How long after a move of the alias it re-encrypts everything under the new version. */
  migratesAfterMs = 10 * dayMs;
  blobs: Blob[] = [];
  /** The calls that failed. */
  failures: string[] = [];
  #days = 0;
  #keyId = "";
  #sinceMs = startMs;

  constructor(alias: string) {
    this.alias = alias;
  }

  async day(world: World): Promise<void> {
    const made = await this.#encrypt(world);
    if (made !== undefined && made.keyId !== this.#keyId) {
      this.#keyId = made.keyId;
      this.#sinceMs = world.clock.nowMs();
    }
    this.#days += 1;
    if (this.#days % 5 !== 0) return;
    if (made !== undefined) this.blobs.push(made);
    for (const blob of this.blobs) await this.#decrypt(world, blob);
    if (made === undefined || world.clock.nowMs() < this.#sinceMs + this.migratesAfterMs) return;
    this.blobs = this.blobs.map((blob) => (blob.keyId === made.keyId ? blob : made));
  }

  copy(): Application {
    const copy = new Application(this.alias);
    copy.migratesAfterMs = this.migratesAfterMs;
    copy.blobs = [...this.blobs];
    copy.#days = this.#days;
    copy.#keyId = this.#keyId;
    copy.#sinceMs = this.#sinceMs;
    return copy;
  }

  async #encrypt(world: World): Promise<Blob | undefined> {
    const input = { KeyId: this.alias, Plaintext: Buffer.from("a") };
    try {
      const answer = await world.ask<{ CiphertextBlob: unknown; KeyId: string }>("Encrypt", input);
      return { keyId: answer.KeyId.split("/").at(-1) ?? "", bytes: answer.CiphertextBlob };
    } catch (error) {
      this.#failed(world, "Encrypt", error);
      return undefined;
    }
  }

  async #decrypt(world: World, { keyId, bytes }: Blob): Promise<void> {
    await world.ask("Decrypt", { CiphertextBlob: bytes }).catch((error: unknown) => {
      this.#failed(world, `Decrypt under ${keyId}`, error);
    });
  }

  #failed(world: World, what: string, error: unknown): void {
    const day = Math.floor((world.clock.nowMs() - startMs) / dayMs);
    this.failures.push(`day ${day}: ${what}: ${String(error)}`);
  }
}
