/**
 * An application that is a model dependent: it uses the aliases, keeps its items, and follows
 * keyturn's events. None of its items depends on a version that keyturn revokes.
 */
import type { JournalEntry } from "../lambda/ports.ts";
import type { Member } from "./fleet.ts";
import type { Stage } from "./stage.ts";
import { counted, type Entry } from "./timeline.ts";
import { createWorkload, type Item, type Workload } from "./workloads.ts";

type Desk = {
  member: Member;
  workload: Workload;
  items: Item[];
  /** The active version, its activation time and number, from keyturn's events. */
  active: { keyId: string; sinceMs: number; name: string } | undefined;
};

export type Proved = { produced: number; readable: number; lost: string[] };

export class Application {
  /** The failed requests of its daily work. */
  readonly refused: string[] = [];
  readonly #stage: Stage;
  readonly #desks: Map<string, Desk>;
  readonly #nameOf: (keyId: string) => string;

  constructor(stage: Stage, nameOf: (keyId: string) => string) {
    this.#stage = stage;
    this.#nameOf = nameOf;
    const kms = stage.kmsAs("application");
    this.#desks = new Map(
      stage.fleet.map((member) => [
        member.alias,
        { member, workload: createWorkload(kms, member), items: [], active: undefined },
      ]),
    );
  }

  produced(): number {
    return [...this.#desks.values()].reduce((sum, { items }) => sum + items.length, 0);
  }

  /** A day's work: one more item under each alias. */
  async work(): Promise<void> {
    for (const { member, workload, items } of this.#desks.values()) {
      const number = items.length + 1;
      const message = Buffer.from(`${member.name} ${number}`);
      await this.#attempt(`${member.alias} item ${number}`, async () => {
        const made = await workload.make(message);
        items.push({ number, message, madeAtMs: this.#stage.clock.nowMs(), ...made });
      });
    }
  }

  /** Whether this event means that items must move to another version. */
  receive({ event, alias, atMs, detail }: JournalEntry): boolean {
    const desk = this.#desks.get(alias);
    if (desk === undefined) return false;
    if (event === "activated" || event === "enrolled") {
      const name = `v${detail.version ?? 1}`;
      desk.active = { keyId: String(detail.keyId), sinceMs: atMs, name };
    }
    if (desk.member.retire === "retain") return false;
    return (
      event === "activated" ||
      (event === "findings-closed" && /\bALIAS_/.test(String(detail.closed)))
    );
  }

  /** Moves the items of an old version to the active one, to let the old one drain. */
  async moveOn(alias: string): Promise<Entry | undefined> {
    const desk = this.#desks.get(alias);
    if (desk?.active === undefined) return undefined;
    const { member, items, active } = desk;
    const old = items.filter(({ keyId }) => keyId !== active.keyId);
    // A valid signature stays valid: the application keeps its public key.
    const stale = member.use === "sign" ? old.filter((item) => madeBy(item, active)) : old;
    const from = [...new Set((stale.length > 0 ? stale : old).map(({ keyId }) => keyId))];
    for (const item of stale) {
      await this.#attempt(`${alias} item ${item.number}, renewed`, async () => {
        Object.assign(item, await desk.workload.renew(item));
      });
    }
    const names = from.map((keyId) => this.#nameOf(keyId)).join(", ");
    if (stale.length > 0) return this.#entry(alias, renewed(member, stale.length, active, names));
    if (member.use !== "sign" || old.length === 0) return undefined;
    const what = `keeps verifying ${counted(old.length, "signature")} of ${names}`;
    return this.#entry(alias, { what, why: "with stored public keys, without KMS" });
  }

  #entry(alias: string, words: Pick<Entry, "what" | "why">): Entry {
    return { atMs: this.#stage.clock.nowMs(), who: "application", aliases: [alias], ...words };
  }

  /** Reads or verifies every item that it ever made. */
  async prove(): Promise<Proved> {
    const proved: Proved = { produced: 0, readable: 0, lost: [] };
    for (const { member, workload, items } of this.#desks.values()) {
      for (const item of items) {
        proved.produced += 1;
        try {
          await this.#pace();
          await workload.check(item);
          proved.readable += 1;
        } catch (error) {
          const version = this.#nameOf(item.keyId);
          proved.lost.push(
            `${member.alias} item ${item.number}, by ${version}: ${describeError(error)}`,
          );
        }
      }
    }
    return proved;
  }

  async #attempt(what: string, request: () => Promise<void>): Promise<void> {
    try {
      await this.#pace();
      await request();
    } catch (error) {
      const day = new Date(this.#stage.clock.nowMs()).toISOString().slice(0, 10);
      this.refused.push(`${day} ${what}: ${describeError(error)}`);
    }
  }

  /** One millisecond per request keeps it within the account's quotas. */
  #pace(): Promise<void> {
    return this.#stage.sleep(1);
  }
}

function describeError(error: unknown): string {
  return error instanceof Error ? `${error.name} ${error.message}` : String(error);
}

/** Made by the wrong version: an external actor had moved the alias. */
function madeBy(item: Item, active: { sinceMs: number }): boolean {
  return item.madeAtMs > active.sinceMs;
}

function renewed(
  { use }: Member,
  many: number,
  active: { name: string },
  from: string,
): Pick<Entry, "what" | "why"> {
  const why = `to let ${from} drain`;
  switch (use) {
    case "encrypt":
    case "data-key":
      return { what: `re-encrypts ${counted(many, "ciphertext")} under ${active.name}`, why };
    case "mac":
      return {
        what: `verifies ${counted(many, "MAC")} a last time and makes new ones with ${active.name}`,
        why,
      };
    case "sign":
      return {
        what: `verifies ${counted(many, "signature")} made by ${from} after the activation, and signs again with ${active.name}`,
        why,
      };
  }
}
