/**
 * A complete simulated world: the production code of keyturn on simulated ports, an AWS with stale
 * reads and lost responses, external actors, applications, checkers. One seed determines all of it.
 */
import { requestLimitMs } from "../../lambda/workflow/model/limits.ts";
import type { ManagedKey, Policy } from "../../lambda/workflow/model/types.ts";
import { bookkeeper, type Checker, type Facts, type Violation } from "../checkers/checker.ts";
import { deletions } from "../checkers/deletions.ts";
import { lockouts } from "../checkers/lockouts.ts";
import { checkersOfAll } from "../checkers/all.ts";
import { others } from "../checkers/others.ts";
import { cheapCryptography } from "../../embedded-aws/kms/cheap-cryptography.ts";
import { KmsTwin } from "../../embedded-aws/kms/twin.ts";
import type { UseAttemptEvent } from "../../embedded-aws/kms/use-attempts.ts";
import { createTableTwin, type TableTwin } from "../ports/table.ts";
import { SimRandom } from "../../embedded-aws/random.ts";
import type { Scenario } from "../scenario.ts";
import { Application } from "./application.ts";
import { Approver } from "./approver.ts";
import { CallersOfKeys } from "./callers.ts";
import type { Arrival, Lockout } from "./lockout.ts";
import { complaintsOf } from "./complaints.ts";
import { configurationOf } from "./configuration.ts";
import { Engine } from "./engine.ts";
import { factsOf } from "./facts.ts";
import { FaultPlan } from "./fault-plan.ts";
import type { HistoryResult, WorldOptions } from "./options.ts";
import { Keyturn, keyturnArn } from "./keyturn.ts";
import { Naive, naiveArn } from "./naive.ts";
import { Network } from "./network.ts";
import { ExternalActors } from "./external-actors.ts";
import type { Flight } from "./ports.ts";
import type { Rotator, Surroundings } from "./rotator.ts";
import { Meddlers } from "./meddlers.ts";
import { Resources } from "./resources.ts";
import { SharedKms } from "./shared-kms.ts";
import { Trail } from "./trail.ts";

const hourMs = 3_600_000;
const minuteMs = 60_000;
/** The interval of reads and of an operator's corrections after the faults. */
const readEveryMs = 3 * hourMs;
const startMs = Date.UTC(2027, 0, 1);
const makerArn = "arn:aws:iam::000000000000:user/maker";

export class SimulatedWorld {
  readonly engine = new Engine(startMs);
  readonly violations: Violation[] = [];
  readonly table: TableTwin;
  readonly kms: SharedKms;
  readonly faultPlan: FaultPlan;
  readonly applications: Application[] = [];
  /** Called with the record after each pass. */
  onPassEnd: ((record: ManagedKey) => void) | undefined;
  readonly #random: SimRandom;
  readonly #scenario: Scenario;
  readonly #rotator: Rotator;
  readonly #ours: string;
  readonly #externalActors: ExternalActors;
  readonly #resources: Resources;
  readonly #trail: Trail | undefined;
  readonly #changes: Trail | undefined;
  readonly #meddlers: Meddlers | undefined;
  readonly #callers: CallersOfKeys | undefined;
  readonly #policies = new Map<string, Policy>();
  readonly #checkers: Checker[];
  readonly #facts: Facts;
  readonly #onLine: ((line: string) => void) | undefined;
  readonly #flights = new Set<Flight>();
  readonly #uses = new Map<string, number[]>();

  constructor(options: WorldOptions) {
    const { seed, scenario, rotator = "keyturn", faultsMax = Infinity, trace } = options;
    this.table = createTableTwin({ shares: options.tableCopies !== true });
    const random = new SimRandom(seed);
    this.#random = random;
    this.#scenario = scenario;
    this.#onLine = trace;
    this.#ours = rotator === "naive" ? naiveArn : keyturnArn;
    this.faultPlan = new FaultPlan(random, scenario.faults(random), scenario.envelope);
    this.faultPlan.faultsMax = faultsMax;
    const twin = new KmsTwin({
      clock: this.engine,
      random,
      cryptography: cheapCryptography,
      quotas: "off",
      trackingStartMs: 0,
      // Unsettled on AWS: the stricter answers.
      lastUsePrecisionMs: 1000,
      publicKeyOfDisabled: "refused",
    });
    twin.onUseAttempt = (event) => this.#deliver(event);
    const { callers } = scenario;
    if (callers !== undefined) {
      const deliver = (event: unknown): void => this.#rotator.deliverRefused(event);
      this.#trail = new Trail(this.engine, seed, callers, deliver);
      twin.onRefusedUse = (event) => this.#trail?.record(event);
    }
    if (scenario.meddlers?.delivery !== undefined) {
      const { delivery } = scenario.meddlers;
      this.#changes = new Trail(this.engine, seed ^ 0x1b873593, delivery, (event) =>
        this.#rotator.deliverChange(event, () => this.#changes?.died(event)),
      );
      twin.onKeyChange = (event) => this.#changes?.record(event);
    }
    this.kms = new SharedKms(twin, this.faultPlan, [this.#ours], keyturnArn);
    for (let index = 0; index < scenario.keys; index++) {
      this.#policies.set(`alias/key-${index}`, scenario.policy(random, index));
    }
    const around = this.#surroundings();
    const aliases = [...this.#policies.keys()];
    this.#externalActors = new ExternalActors(around, aliases, around.trace);
    this.#rotator = rotator === "naive" ? new Naive(around) : new Keyturn(around, scenario.slackMs);
    const complaints = complaintsOf({
      nowMs: () => this.engine.nowMs(),
      uses: this.#uses,
      checkers: () => this.#checkers,
      trace: around.trace,
    });
    this.#resources = new Resources(around, complaints);
    if (this.#trail !== undefined) {
      const lockedOut = (lockout: Lockout): void => {
        for (const checker of this.#checkers) checker.onLockout?.(lockout);
      };
      this.#callers = new CallersOfKeys(around, this.#trail, seed, lockedOut);
    }
    if (scenario.meddlers !== undefined) {
      this.#meddlers = new Meddlers(around, seed, aliases, (alias) => this.record(alias));
    }
    for (const [index, alias] of aliases.entries()) {
      const habits = scenario.habits(random);
      const isSymmetric = Object.keys(scenario.firstKey(index)).length === 0;
      if (isSymmetric) this.applications.push(new Application(alias, habits, around, complaints));
    }
    this.#facts = around.facts;
    this.#checkers = this.#checkersOf(around.facts);
    this.#observe();
  }

  #observe(): void {
    this.kms.beforeChange = (...result) => {
      for (const checker of this.#checkers) checker.beforeChange?.(...result);
    };
    this.kms.onChange = (applied) => {
      for (const checker of this.#checkers) checker.onChange?.(applied);
      const made = applied.answer.KeyMetadata as { KeyId: string } | undefined;
      const isMade = applied.operation === "CreateKey" && made !== undefined;
      const { meddles, regrets } = this.#scenario.externalActors;
      if (isMade && meddles) this.#externalActors.tagSoon(made.KeyId);
      if (applied.operation === "DisableKey" && regrets === true) {
        this.#externalActors.regretSoon(String(applied.input["KeyId"]));
      }
    };
  }

  #surroundings(): Surroundings {
    const { engine, kms, table, faultPlan } = this;
    const trace = (line: () => string): void => this.#trace(line);
    return {
      engine,
      kms,
      table,
      network: new Network(engine, faultPlan, requestLimitMs, trace),
      faultPlan,
      random: this.#random,
      flights: this.#flights,
      configuration: configurationOf(this.#policies),
      policies: this.#policies,
      facts: factsOf({
        ...{ engine, trace, violations: this.violations, kms: kms.world, ours: this.#ours },
        ...{ policies: this.#policies, flights: this.#flights, uses: this.#uses },
      }),
      collects: this.#scenario.callers !== undefined,
      canary: (mark) => this.#trail?.canary(mark),
      passEnded: (record) => this.onPassEnd?.(record),
      trace,
    };
  }

  record(alias: string): ManagedKey | undefined {
    return (this.table.stored(alias) as { record: ManagedKey } | undefined)?.record;
  }

  /** Starts one more run. */
  startRun(): void {
    this.#rotator.tick();
  }

  /** Plays the whole history, and returns its violations. */
  async simulate(): Promise<HistoryResult> {
    const { engine, faultPlan } = this;
    const { safetyMs, calmMs } = this.#scenario;
    this.#settle();
    await engine.runUntil(startMs + safetyMs);
    this.#trace(() => "the faults are over");
    faultPlan.on = false;
    this.#externalActors.goHome();
    this.#meddlers?.goHome();
    const endMs = startMs + safetyMs + calmMs;
    for (let atMs = engine.nowMs(); atMs < endMs; atMs += readEveryMs) {
      for (const application of this.applications) application.readAll();
      await this.#putRight();
      await engine.runUntil(Math.min(endMs, atMs + readEveryMs));
    }
    for (const checker of this.#checkers) checker.atEnd?.();
    return {
      violations: this.violations,
      rates: faultPlan.rates,
      faults: faultPlan.injected,
      faultCount: faultPlan.count,
      events: engine.events,
      runs: this.#rotator.runs,
      simulatedMs: safetyMs + calmMs,
      rotations: this.kms.world.keys.size - this.#policies.size,
    };
  }

  /** Makes the keys that exist before keyturn, and starts everything. */
  #settle(): void {
    const { crons, externalActors, callers } = this.#scenario;
    const isNaive = this.#ours === naiveArn;
    const tickEveryMs = isNaive ? hourMs : this.#scenario.tickEveryMs;
    const schedulers = isNaive ? crons : this.#scenario.schedulers;
    for (const [index, alias] of [...this.#policies.keys()].entries()) {
      const tagged = callers === undefined ? {} : { Tags: [{ TagKey: "app", TagValue: alias }] };
      const made = this.#make("CreateKey", { ...this.#scenario.firstKey(index), ...tagged }) as {
        KeyMetadata: { KeyId: string };
      };
      this.#make("CreateAlias", { AliasName: alias, TargetKeyId: made.KeyMetadata.KeyId });
    }
    for (const application of this.applications) application.start();
    for (let index = 0; index < schedulers; index++) {
      const firstMs = Math.floor(this.#random.next() * tickEveryMs);
      const again = (): void => {
        this.#rotator.tick();
        this.engine.after(tickEveryMs, again);
      };
      this.engine.after(firstMs, again);
    }
    this.#externalActors.start(externalActors);
    this.#externalActors.crowd(this.faultPlan);
    const { engine, table } = this;
    const aliases = [...this.#policies.keys()];
    this.#resources.start(aliases, this.#scenario.needs);
    if (this.#scenario.meddlers !== undefined) this.#meddlers?.start(this.#scenario.meddlers);
    if (callers !== undefined) this.#callers?.start(aliases, callers);
    const world = { engine, table, aliases };
    new Approver(world, this.#resources, (alias) => this.record(alias)).start();
  }

  async #putRight(): Promise<void> {
    for (const alias of this.#policies.keys()) {
      const record = (await this.table.read(alias))?.record;
      if (record !== undefined) this.#externalActors.putRight(record);
    }
  }

  #make(operation: string, input: object): unknown {
    return this.kms.call(operation, input, { principalArn: makerArn });
  }

  #trace(line: () => string): void {
    this.#onLine?.(`${new Date(this.engine.nowMs()).toISOString()} ${line()}`);
  }

  /** Delivers the event late, and in a fifth of the cases twice; in some worlds, again hours later. */
  #deliver(event: UseAttemptEvent): void {
    const deliver = (withinMs: number): void => {
      const delayMs = minuteMs + Math.floor(this.#random.next() * withinMs);
      this.engine.after(delayMs, () => this.#rotator.deliver(event));
    };
    this.#facts.attempts.set(event.detail.eventID, this.engine.nowMs());
    deliver(14 * minuteMs);
    if (this.#random.next() < 0.2) deliver(14 * minuteMs);
    if (this.#scenario.attemptsAgainMs !== undefined) deliver(this.#scenario.attemptsAgainMs);
  }

  #checkersOf(facts: Facts): Checker[] {
    const recordOf = (alias: string): ManagedKey | undefined => this.record(alias);
    const { accounts, checkers } = this.#rotator;
    const { slackMs } = this.#scenario;
    const arrival = (): Arrival | undefined => this.#changes?.last;
    const { crash, lostRequest, stall, refused } = this.faultPlan.rates;
    const isDelayed = crash + lostRequest + stall + refused > 0;
    const calmFromMs = isDelayed ? startMs + this.#scenario.safetyMs : 0;
    const watched = { engine: this.engine, arrival, recordOf, slackMs: slackMs / 2, calmFromMs };
    return [
      ...checkersOfAll(facts, accounts, {
        ...{ askedAtMs: this.#externalActors.askedAtMs, applications: this.applications },
        ...{ resources: this.#resources, recordOf, scenario: this.#scenario },
      }),
      ...(this.#callers === undefined ? [] : [lockouts(facts, this.#callers, recordOf)]),
      ...(this.#meddlers === undefined
        ? []
        : [others(facts, watched), deletions(facts, this.engine, recordOf)]),
      ...checkers,
      bookkeeper(facts.interventions),
    ];
  }
}
