/**
 * An account in which the function runs with only its role's policies: the production run on the
 * real adapters against the embedded AWS, which evaluates the policies for every request.
 */
import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { marshall } from "@aws-sdk/util-dynamodb";
import { createTaggingDiscovery, createWalkingDiscovery } from "../../lambda/aws/discovery.ts";
import { createTable } from "../../lambda/aws/dynamodb.ts";
import { createEvents } from "../../lambda/aws/eventbridge.ts";
import { createKeyService } from "../../lambda/aws/kms.ts";
import { parseConfiguration } from "../../lambda/configuration/configuration.ts";
import { describeError } from "../../lambda/errors.ts";
import type { Ports } from "../../lambda/ports.ts";
import { createService, type Service } from "../../lambda/service.ts";
import type { Telemetry } from "../../lambda/telemetry/telemetry.ts";
import { readKeyChange } from "../../lambda/inbound/key-change.ts";
import { readUseAttempt } from "../../lambda/inbound/use-attempt.ts";
import type { DrainWatch, ManagedKey } from "../../lambda/workflow/model/types.ts";
import type { Finding } from "../../lambda/workflow/model/findings.ts";
import { SimClock } from "../../embedded-aws/clock.ts";
import { startEmbeddedAws, type EmbeddedAws } from "../../embedded-aws/embedded-aws.ts";
import {
  type WellFormedRequest,
  type IdentityDecision,
  IdentityPolicies,
} from "../../embedded-aws/iam/identity-policies.ts";
import { cheapCryptography } from "../../embedded-aws/kms/cheap-cryptography.ts";
import { dayMs, minuteMs } from "../fixtures.ts";
import { Approver } from "../approver.ts";
import { listener } from "../listener.ts";
import * as role from "./role.ts";

const tickEveryMs = 5 * minuteMs;
const operatorArn = `arn:aws:iam::${role.account}:user/operator`;

const roles = [role.roleArn, role.collectorArn];

/** Records the roles' requested actions, and the denied ones. */
class WatchedPolicies extends IdentityPolicies {
  readonly asked = new Set<string>();
  readonly refused: string[] = [];

  override decide(asked: WellFormedRequest): IdentityDecision {
    const decision = super.decide(asked);
    if (!roles.includes(asked.principalArn)) return decision;
    this.asked.add(asked.action);
    if (decision !== "allowed") this.refused.push(`${asked.action} on ${asked.resource}`);
    return decision;
  }

  /** A request of a service that is not embedded. */
  allows(principalArn: string, action: string, resource: string): boolean {
    return this.decide({ principalArn, action, resource, context: () => new Map() }) === "allowed";
  }
}

export class Account {
  readonly aws: EmbeddedAws;
  readonly clock: SimClock;
  readonly policies: WatchedPolicies;
  /**
   * What Lambda stored with the role's rights: a line per invocation, and events of failed ones.
   */
  readonly logged: string[] = [];
  readonly deadLetters: unknown[] = [];
  /** Codes of findings, and errors. */
  readonly reported = new Set<string>();
  /** Runs after each invocation; an exception ends the history. */
  afterInvocation: (() => void) | undefined;
  /** Every finding that a run reported. */
  readonly findingsReported: Finding[] = [];
  /** Whether an operator approves of each deletion, as soon as a finding asks for it. */
  approves = true;
  /** Where a test starts one: it delivers refused uses to the second function. */
  trail: { isOn: boolean; deliver: () => Promise<void> } | undefined;
  readonly #approver = new Approver();
  #service: Service;
  /** Reads as an operator, with the operator's own rights. */
  readonly #read: Ports;
  readonly #dynamoDb: DynamoDB;
  #requests = 0;
  #changesDelivered = 0;

  private constructor(
    aws: EmbeddedAws,
    clock: SimClock,
    policies: WatchedPolicies,
    of: role.Deployed,
  ) {
    this.aws = aws;
    this.clock = clock;
    this.policies = policies;
    this.#service = this.#serviceOf(of);
    this.#read = this.#ports("operator", of);
    this.#dynamoDb = new DynamoDB(this.sdk("operator"));
  }

  static async deployed(of: role.Deployed, statements: role.RoleStatement[]): Promise<Account> {
    const clock = new SimClock({ startMs: Date.UTC(2027, 0, 1) });
    const identityPolicies = new WatchedPolicies();
    identityPolicies.attach(role.roleArn, [role.policyOf(statements)]);
    const cryptography = cheapCryptography;
    const aws = await startEmbeddedAws({ clock, quotas: "off", cryptography, identityPolicies });
    await aws.createStateTable(role.tableName);
    return new Account(aws, clock, identityPolicies, of);
  }

  /** Deploys another configuration for the same state table. */
  deployAgain(of: role.Deployed): void {
    this.#service = this.#serviceOf(of);
  }

  #serviceOf(of: role.Deployed): Service {
    const configuration = parseConfiguration(of.document);
    const watchIf = (is = false): DrainWatch => (is ? "cloudtrail" : "none");
    const watches = [watchIf(of.watchDrain), watchIf(of.watchRefusals)] as const;
    const ports = this.#ports("keyturn", of);
    return createService(ports, this.#telemetry(), configuration, 1, ...watches);
  }

  async close(): Promise<void> {
    this.#dynamoDb.destroy();
    await this.aws.close();
  }

  /** An operator or an application calls KMS. */
  ask<T = { KeyMetadata: { KeyId: string } }>(operation: string, input: object): T {
    return this.aws.kms.call(operation, input, { principalArn: operatorArn }) as T;
  }

  /** An operator creates a key with this alias. */
  makeKey(alias: string, input: object = {}): string {
    const { KeyId } = this.ask("CreateKey", input).KeyMetadata;
    this.ask("CreateAlias", { AliasName: alias, TargetKeyId: KeyId });
    return KeyId;
  }

  stateOf(keyId: string): string {
    return this.aws.kms.world.keys.get(keyId)?.state ?? "deleted";
  }

  targetOf(alias: string): string {
    return this.aws.kms.world.aliases.get(alias)?.keyId ?? "nothing";
  }

  async record(alias: string): Promise<ManagedKey | undefined> {
    return (await this.#read.table.read(alias))?.record;
  }

  async findings(alias: string): Promise<Finding[]> {
    return (await this.record(alias))?.findings ?? [];
  }

  /** The state of each version, in order. */
  async states(alias: string): Promise<string[]> {
    const stored = await this.#read.table.read(alias);
    return (stored?.record.versions ?? []).map(({ state }) => state);
  }

  /** An external actor changes an item, by default of `alias/orders`. */
  async rewrite(sk: string, fields: object, pk = "key#alias/orders"): Promise<void> {
    const Key = marshall({ pk, sk });
    const { Item = {} } = await this.#dynamoDb.getItem({ TableName: role.tableName, Key });
    const changed = { ...Item, ...marshall(fields) };
    await this.#dynamoDb.putItem({ TableName: role.tableName, Item: changed });
  }

  /** An operator writes a request. */
  async request(alias: string, fields: Record<string, unknown>): Promise<void> {
    const sk = `request-${String((this.#requests += 1)).padStart(6, "0")}`;
    const item = { pk: `request#${alias}`, sk, queue: "due", dueAtMs: 1, by: "ada", ...fields };
    await this.#dynamoDb.putItem({ TableName: role.tableName, Item: marshall(item) });
  }

  /** CloudTrail delivers every change of keys and aliases to the function. */
  async deliverChanges(): Promise<void> {
    for (const event of this.aws.keyChanges.slice(this.#changesDelivered)) await this.invoke(event);
    this.#changesDelivered = this.aws.keyChanges.length;
  }

  /** Lambda invokes the function, and stores logs and dead letters with the role's rights. */
  async invoke(event: unknown = {}): Promise<void> {
    try {
      await this.#handle(event);
    } catch (error) {
      this.reported.add(describeError(error));
      const queue = `arn:aws:sqs:${role.region}:${role.account}:dead-letters`;
      if (this.#allows("sqs:SendMessage", queue)) this.deadLetters.push(event);
    }
    const stream = `arn:aws:logs:${role.region}:${role.account}:log-group:keyturn:log-stream:1`;
    if (["logs:CreateLogStream", "logs:PutLogEvents"].every((one) => this.#allows(one, stream))) {
      this.logged.push(JSON.stringify(event));
    }
    this.afterInvocation?.();
  }

  /** Time passes; the schedule starts a run for each due time. */
  async passDays(days: number): Promise<void> {
    const untilMs = this.clock.nowMs() + days * dayMs;
    for (;;) {
      await this.trail?.deliver();
      const { items } = await this.#read.table.due(untilMs, 1000);
      const due = items.flatMap((item) => (item.kind === "configuration" ? [] : [item.dueAtMs]));
      const dueMs = items.length === 0 ? 0 : Math.min(...due);
      const nextMs = Math.max(dueMs, this.clock.nowMs() + tickEveryMs);
      if (nextMs > untilMs) break;
      this.clock.moveTo(nextMs);
      await this.invoke();
      await this.#approve();
    }
    // A run takes time: the last one may end a little later.
    this.clock.moveTo(Math.max(untilMs, this.clock.nowMs()));
  }

  /** An operator approves of what a policy deletes, unless a test says otherwise. */
  async #approve(): Promise<void> {
    if (!this.approves) return;
    for (const alias of this.aws.kms.world.aliases.keys()) {
      const stored = await this.#read.table.read(alias);
      const { versions = [], findings = [] } = stored?.record ?? {};
      for (const fields of this.#approver.requests(versions, findings)) {
        await this.request(alias, fields);
      }
    }
  }

  async #handle(event: unknown): Promise<void> {
    const deadlineMs = this.clock.nowMs() + 5 * minuteMs;
    // The role of these tests is a user: the change of an operator has another name.
    const home = { accountId: role.account, region: role.region, roleName: role.roleName };
    const change = readKeyChange(event, home);
    if (change.kind === "change") {
      await this.#service.changed(change.change, deadlineMs);
      return;
    }
    const reading = readUseAttempt(event);
    if (reading.kind === "attempt") await this.#service.answer(reading.attempts, deadlineMs);
    else await this.#service.run(deadlineMs);
  }

  #allows(action: string, resource: string): boolean {
    return this.policies.allows(role.roleArn, action, resource);
  }

  #ports(accessKeyId: string, { discovery }: role.Deployed): Ports {
    const sdk = this.sdk(accessKeyId);
    const { clock } = this;
    let ids = 0;
    const sleep = (ms: number) => Promise.resolve(clock.advance(Math.ceil(ms)));
    const time = { nowMs: () => clock.nowMs(), sleep };
    return {
      keys: createKeyService(time, sdk),
      discovery: discovery === "walk" ? createWalkingDiscovery(sdk) : createTaggingDiscovery(sdk),
      table: createTable(role.tableName, sdk),
      events: createEvents("default", sdk),
      clock: time,
      chance: { next: () => 0.5, id: () => `id-${String((ids += 1)).padStart(6, "0")}` },
    };
  }

  /** Of a principal with this access key. */
  sdk(accessKeyId: string) {
    const credentials = { accessKeyId, secretAccessKey: "secret" };
    return { endpoint: this.aws.endpoint, region: role.region, credentials };
  }

  #telemetry(): Telemetry {
    return {
      ...listener([], []),
      finding: (_of, finding) => {
        this.reported.add(finding.code);
        this.findingsReported.push(finding);
      },
      failed: (_of, error) => void this.reported.add(describeError(error)),
    };
  }
}
