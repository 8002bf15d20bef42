/**
 * The story: the clock jumps from each scheduled action of keyturn, the application, the operator
 * or the machine to the next.
 */
import type { JournalEntry } from "../lambda/ports.ts";
import { Agenda } from "./agenda.ts";
import { Approver } from "./approver.ts";
import { Application } from "./application.ts";
import { dayMs } from "./fleet.ts";
import { Incidents } from "./incidents.ts";
import { Keyturn } from "./keyturn.ts";
import { Narrator } from "./narrator.ts";
import { Observer } from "./observer.ts";
import { prove, type Proof } from "./proof.ts";
import { secondAct } from "./second-act.ts";
import { openStage, turnTo, type Stage } from "./stage.ts";
import { merged, type Entry } from "./timeline.ts";

/** A Monday. */
const startMs = Date.UTC(2027, 0, 4);

const hourMs = 3_600_000;
const works = { firstMs: 9 * hourMs, everyMs: 6 * dayMs };
const proves = { firstMs: 100 * dayMs + 10 * hourMs, everyMs: 100 * dayMs };
/** Soon after an activation, not at once: the application has its own deployments. */
const movesOnAfterMs = 12 * hourMs;

/** More runs per simulated day than a fleet can need: above it, an item falls due in a loop. */
const runsPerDay = 40;

/** None is expected. The proof reports a few; above this limit the story aborts. */
const failuresAllowed = 20;

export type StoryOptions = { seed: number; keys: number; days: number };

export async function narrateStory(
  options: StoryOptions,
  print: (entry: Entry) => void,
): Promise<Proof> {
  let proof: Proof;
  const stage = await openStage({ ...options, startMs, port: 0, runsWithRealTime: false });
  try {
    turnTo(stage);
    const story = new Story(stage, options, print);
    await story.play();
    proof = await story.proof();
  } finally {
    await stage.close();
  }
  const afterwards = { seed: options.seed, startMs: startMs + (options.days + 1) * dayMs };
  const proofs = [...proof.proofs, ...(await secondAct(afterwards, print))];
  return { ...proof, proofs, ok: proofs.every(({ ok }) => ok) };
}

class Story {
  readonly #stage: Stage;
  readonly #options: StoryOptions;
  readonly #print: (entry: Entry) => void;
  readonly #agenda: Agenda;
  readonly #observer: Observer;
  readonly #keyturn: Keyturn;
  readonly #narrator: Narrator;
  readonly #application: Application;
  readonly #incidents: Incidents;
  readonly #approver: Approver;
  /** Every line of every journal from the events, each once. */
  readonly #lines: JournalEntry[] = [];
  readonly #known = new Set<string>();
  #eventsRead = 0;

  constructor(stage: Stage, options: StoryOptions, print: (entry: Entry) => void) {
    const { fleet, clock } = stage;
    this.#stage = stage;
    this.#options = options;
    this.#print = print;
    this.#agenda = new Agenda(clock);
    this.#approver = new Approver(this.#agenda);
    this.#observer = new Observer(stage.aws.kms);
    this.#keyturn = new Keyturn(stage, this.#observer, options.seed);
    this.#narrator = new Narrator(new Map(fleet.map(({ alias, retire }) => [alias, retire])));
    this.#application = new Application(stage, (keyId) => this.#narrator.versionName(keyId));
    this.#incidents = new Incidents(fleet, options.seed, {
      keyturn: this.#keyturn,
      agenda: this.#agenda,
      operator: stage.kmsAs("operator"),
      nameOf: (keyId) => this.#narrator.versionName(keyId),
    });
  }

  async play(): Promise<void> {
    const { clock } = this.#stage;
    const endsMs = startMs + this.#options.days * dayMs;
    this.#agenda.every(works.firstMs, works.everyMs, () => this.#work());
    this.#agenda.every(proves.firstMs, proves.everyMs, async () => [await this.#proveNow()]);
    await this.#run();
    let runAtMs = await this.#keyturn.nextRunAtMs();
    for (;;) {
      const atMs = Math.min(runAtMs, this.#agenda.nextAtMs());
      if (atMs > endsMs) break;
      clock.moveTo(atMs);
      if (atMs === runAtMs) {
        await this.#run();
        runAtMs = await this.#keyturn.nextRunAtMs();
      } else {
        this.#narrate(await this.#agenda.act());
      }
    }
    clock.moveTo(endsMs);
  }

  async #run(): Promise<void> {
    const entries = await this.#incidents.run();
    const news = this.#news();
    this.#narrate([...entries, ...news.flatMap((line) => this.#narrator.narrate(line) ?? [])]);
    for (const line of news) this.#pass(line);
    this.#guard();
  }

  /** Delivers the event: the application moves its items, the operator moves an alias. */
  #pass(line: JournalEntry): void {
    this.#incidents.receive(line);
    this.#approver.receive(line);
    if (!this.#application.receive(line)) return;
    this.#agenda.after(movesOnAfterMs, async () => {
      const entry = await this.#application.moveOn(line.alias);
      return entry === undefined ? [] : [entry];
    });
  }

  /** Events come at least once, and those of different keys in any order. */
  #news(): JournalEntry[] {
    const { aws, fleet } = this.#stage;
    const order = new Map(fleet.map(({ alias }, index) => [alias, index]));
    const news = aws.events.slice(this.#eventsRead).map(({ detail }) => detail as JournalEntry);
    this.#eventsRead = aws.events.length;
    const fresh = news.filter(({ alias, revision }) => {
      const isNew = !this.#known.has(`${alias} ${revision}`);
      this.#known.add(`${alias} ${revision}`);
      return isNew;
    });
    fresh.sort(
      (a, b) => (order.get(a.alias) ?? 0) - (order.get(b.alias) ?? 0) || a.revision - b.revision,
    );
    this.#lines.push(...fresh);
    return fresh;
  }

  #narrate(entries: Entry[]): void {
    for (const entry of merged(entries)) this.#print(entry);
  }

  async #work(): Promise<Entry[]> {
    const isFirst = this.#application.produced() === 0;
    await this.#application.work();
    if (!isFirst) return [];
    const what = `encrypts, signs or generates a MAC under every alias, and again every ${works.everyMs / dayMs} days`;
    return [{ atMs: this.#agenda.nowMs(), who: "application", aliases: [], what }];
  }

  async #proveNow(): Promise<Entry> {
    const { produced, readable, lost } = await this.#application.prove();
    const all = `reads or verifies every item that it ever made: ${readable} of ${produced}`;
    const entry: Entry = { atMs: this.#agenda.nowMs(), who: "application", aliases: [], what: all };
    return lost.length === 0 ? entry : { ...entry, why: `lost: ${lost[0]}`, incident: true };
  }

  #guard(): void {
    const { worked, failedPasses } = this.#keyturn.runs;
    if (failedPasses > failuresAllowed) {
      throw new Error(`${failedPasses} passes of keyturn failed; its log above gives the reason`);
    }
    const days = (this.#agenda.nowMs() - startMs) / dayMs;
    if (worked <= runsPerDay * (days + 10)) return;
    const last = this.#lines.at(-1);
    const what = last === undefined ? "nothing happened" : `last, ${last.alias}: ${last.event}`;
    throw new Error(`keyturn runs in a loop: ${worked} runs in ${Math.ceil(days)} days; ${what}`);
  }

  async proof(): Promise<Proof> {
    return prove({
      ...this.#options,
      nowMs: this.#agenda.nowMs(),
      fleet: this.#stage.fleet,
      kms: this.#stage.aws.kms,
      observer: this.#observer,
      runs: this.#keyturn.runs,
      records: await this.#keyturn.records(),
      lines: this.#lines,
      memory: this.#incidents.memory,
      victims: this.#incidents.victims,
      items: await this.#application.prove(),
      refused: this.#application.refused,
    });
  }
}
