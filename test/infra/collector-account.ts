/**
 * The second function beside the first, each with only its role's policies: its code on the real
 * adapter, and a small model of the queue and of Lambda's poller, which uses the function's role
 * (Lambda developer guide, services-sqs-configure).
 */
import { createTable } from "../../lambda/aws/dynamodb.ts";
import { describeError } from "../../lambda/errors.ts";
import { Collector, type Message } from "../../lambda/refusals/collect.ts";
import { canaryEvent } from "../fixtures.ts";
import type { Account } from "./account.ts";
import * as role from "./role.ts";

export const orders = "alias/orders";
const stranger = "arn:aws:iam::000000000000:user/stranger";
const operator = "arn:aws:iam::000000000000:user/operator";

/** A rotation a day. */
export const deployed: role.Deployed = {
  document: {
    owner: "acme",
    policies: {
      daily: {
        cryptoperiod: "1d",
        lead: "0m",
        propagation: "5m",
        drain: { atLeast: "12h", quietFor: "2h" },
      },
    },
    managedKeys: [{ alias: orders, policy: "daily" }],
  },
  watchRefusals: true,
};

export type Ended = {
  findings: string[];
  heard: boolean;
  unattributed: number;
  queued: number;
  isLogged: boolean;
};

export const end: Ended = {
  findings: ["READ_BY_ALIAS", "REFUSED_USE"],
  heard: true,
  unattributed: 1,
  queued: 0,
  isLogged: true,
};

/** A rotation, then callers that KMS refuses: the state after the next run. */
export async function play(account: Account): Promise<Ended> {
  const queue: Message[] = [];
  const first = account.makeKey(orders);
  const made = account.ask<{ CiphertextBlob: Uint8Array }>("Encrypt", {
    KeyId: first,
    Plaintext: Buffer.from("a"),
  });
  const CiphertextBlob = Buffer.from(made.CiphertextBlob).toString("base64");
  account.policies.attach(stranger, []);
  await account.passDays(1.5);
  const refused = (principalArn: string, input: object): void => {
    try {
      account.aws.kms.call("Decrypt", input, { principalArn });
    } catch {
      queue.push(messageOf(account.aws.refusedUses.at(-1), queue.length));
    }
  };
  refused(stranger, { CiphertextBlob });
  refused(operator, { CiphertextBlob, KeyId: orders });
  const [event] = account.aws.refusedUses;
  const nameless = { ...event, detail: { ...event?.detail, errorMessage: "denied" } };
  queue.push(messageOf(nameless, 2), messageOf(canaryEvent(account.clock.nowMs()), 3));
  const isLogged = await poll(account, queue);
  await account.invoke();
  const codes = new Set((await account.findings(orders)).map(({ code }) => code));
  const watch = await createTable(role.tableName, account.sdk("operator")).refusalsWatch();
  return {
    findings: [...codes].filter((code) => /REFUSED|READ_BY/.test(code)).sort(),
    heard: watch !== undefined && watch.heardAtMs > 0,
    unattributed: watch?.unattributed ?? 0,
    queued: queue.length,
    isLogged,
  };
}

function messageOf(event: unknown, index: number): Message {
  return { id: `message-${index}`, body: JSON.stringify(event) };
}

/** Lambda polls only if the role may receive, delete and read the queue's attributes. */
async function poll(account: Account, queue: Message[]): Promise<boolean> {
  const may = (action: string, resource: string): boolean =>
    account.policies.allows(role.collectorArn, action, resource);
  const wanted = ["sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:DeleteMessage"];
  if (!wanted.every((action) => may(action, role.refusalsQueueArn))) return false;
  const table = createTable(role.tableName, account.sdk("collector"));
  const collector = new Collector(
    table,
    () => account.clock.nowMs(),
    (alias) => alias,
  );
  const home = { accountId: role.account, region: role.region, roleName: role.roleName };
  const { failed, error } = await collector.collect(queue, home);
  if (error !== undefined) account.reported.add(describeError(error));
  queue.splice(0, queue.length, ...queue.filter(({ id }) => failed.includes(id)));
  const logGroup = `arn:aws:logs:${role.region}:${role.account}:log-group:keyturn-refusals`;
  const stream = `${logGroup}:log-stream:1`;
  return ["logs:CreateLogStream", "logs:PutLogEvents"].every((action) => may(action, stream));
}
