/** The story's incidents: which alias they hit, when, and the results that the proof needs. */
import { UpdateAliasCommand, type KMSClient } from "@aws-sdk/client-kms";
import type { JournalEntry } from "../lambda/ports.ts";
import type { ManagedKey } from "../lambda/workflow/model/types.ts";
import { rotationBeforeActivation, activeVersion } from "../lambda/workflow/model/record.ts";
import { rotationOpensAtMs } from "../lambda/workflow/active-version.ts";
import { SimRandom } from "../embedded-aws/random.ts";
import type { Agenda } from "./agenda.ts";
import { dayMs, type Member } from "./fleet.ts";
import type { Keyturn } from "./keyturn.ts";
import { codesOf } from "./narrator.ts";
import type { Entry } from "./timeline.ts";

/** During the drain of the old version; the weekly audit makes the next observation. */
const meddlesAfterMs = 3 * dayMs;
const readsFindingsAfterMs = 3 * 3_600_000;

type Cast = {
  keyturn: Keyturn;
  agenda: Agenda;
  operator: KMSClient;
  /** The version name of a KMS key. */
  nameOf: (keyId: string) => string;
};

export type Memory = {
  /** The key that KMS created for the killed run. */
  orphanKeyId?: string;
  overlapLeft?: boolean;
  movedByHand?: boolean;
  movedBack?: boolean;
};

export class Incidents {
  readonly memory: Memory = {};
  readonly victims: { kill: string; overlap: string; hand: string };
  readonly #cast: Cast;
  /** The active key behind the alias that the operator will move. */
  #active: string | undefined;

  constructor(fleet: Member[], seed: number, cast: Cast) {
    this.#cast = cast;
    const random = new SimRandom(seed + 2);
    const pick = (from: Member[]): string =>
      from[Math.floor(random.next() * from.length)]?.alias ?? "";
    // Alone in its cohort: the killed run works on no other key, and the story stays the same.
    const alone = fleet.filter(
      ({ ageMs }) => fleet.filter((other) => other.ageMs === ageMs).length === 1,
    );
    this.victims = { kill: pick(alone), overlap: pick(fleet), hand: pick(fleet) };
  }

  /** A scheduled run, or the incident that is due instead. */
  async run(): Promise<Entry[]> {
    const { orphanKeyId, overlapLeft } = this.memory;
    const pending = orphanKeyId === undefined || overlapLeft !== true;
    const due = pending ? await this.#cast.keyturn.due() : [];
    const nowMs = this.#cast.agenda.nowMs();
    const isOf = (alias: string) => (record: ManagedKey) => record.alias === alias;
    const opening = due.filter(isOf(this.victims.kill)).some((record) => opens(record, nowMs));
    if (orphanKeyId === undefined && opening) return this.#kill(nowMs);
    const moving = due.filter(isOf(this.victims.overlap)).some(activates);
    if (overlapLeft !== true && moving) return this.#overlap(nowMs);
    await this.#cast.keyturn.run();
    return [];
  }

  async #kill(atMs: number): Promise<Entry[]> {
    this.memory.orphanKeyId = await this.#cast.keyturn.killedRun();
    const what = "the run is killed (SIGKILL): KMS has created the new key, but no record names it";
    const aliases = [this.victims.kill];
    return [{ atMs, who: "machine", aliases, step: "generate", what, incident: true }];
  }

  async #overlap(atMs: number): Promise<Entry[]> {
    const { second } = await this.#cast.keyturn.runTwice();
    const left = second?.outcome === "another-run-at-work";
    this.memory.overlapLeft = left;
    const aliases = [this.victims.overlap];
    const what = "two runs start at the same time";
    const why = "EventBridge and Lambda deliver at least once";
    const expected = "one run finds the run claim held and exits; the other does the work";
    return [
      { atMs, who: "machine", aliases, what, why, incident: true },
      {
        atMs,
        who: "keyturn",
        aliases,
        what: left ? expected : `the outcome of the second run: ${second?.outcome ?? "none"}`,
        incident: true,
      },
    ];
  }

  /** The operator receives activations and findings like any other dependent. */
  receive({ alias, event, detail }: JournalEntry): void {
    if (alias !== this.victims.hand) return;
    if (event === "enrolled") this.#active = String(detail.keyId);
    if (event === "activated") {
      const old = this.#active;
      this.#active = String(detail.keyId);
      if (old === undefined || this.memory.movedByHand !== undefined) return;
      this.memory.movedByHand = false;
      this.#cast.agenda.after(meddlesAfterMs, () => this.#move(old, "movedByHand"));
    }
    const found = event === "findings-opened" && codesOf(detail.opened).includes("ALIAS_MOVED");
    const right = this.#active;
    if (!found || right === undefined || this.memory.movedBack !== undefined) return;
    this.memory.movedBack = false;
    this.#cast.agenda.after(readsFindingsAfterMs, () => this.#move(right, "movedBack"));
  }

  async #move(keyId: string, deed: "movedByHand" | "movedBack"): Promise<Entry[]> {
    const { agenda, operator, nameOf } = this.#cast;
    const alias = this.victims.hand;
    await operator.send(new UpdateAliasCommand({ AliasName: alias, TargetKeyId: keyId }));
    this.memory[deed] = true;
    const words =
      deed === "movedByHand"
        ? { what: `moves the alias to ${nameOf(keyId)} by hand`, why: "unannounced" }
        : { what: `moves the alias back to ${nameOf(keyId)}`, why: "after reading the finding" };
    const entry: Entry = { atMs: agenda.nowMs(), who: "operator", aliases: [alias], ...words };
    return [{ ...entry, incident: true }];
  }
}

function opens(record: ManagedKey, nowMs: number): boolean {
  const active = activeVersion(record);
  if (active === undefined || rotationBeforeActivation(record) !== undefined) return false;
  return rotationOpensAtMs(record, active) <= nowMs;
}

/** The propagation wait of the new version is over: this run moves the alias. */
function activates(record: ManagedKey): boolean {
  return rotationBeforeActivation(record)?.enabledSinceMs !== undefined;
}
