/** Histories of managed keys, made by production runs, from the final state table. */
import type { KnownRefusals } from "../../cli/forecast/refusals.ts";
import type { KeyHistory } from "../../lambda/aws/dynamodb-reading.ts";
import { genesisHash, hashOf } from "../../lambda/record/journal.ts";
import type { JournalEntry } from "../../lambda/ports.ts";
import { byAlias } from "../../lambda/workflow/model/refusals.ts";
import type { Policy, RefusedUse } from "../../lambda/workflow/model/types.ts";
import { aPolicy, dayMs } from "../fixtures.ts";
import { aWorld, startMs, type World, type WorldOptions } from "../world.ts";

export async function historyIn(world: World, alias = "alias/orders"): Promise<KeyHistory> {
  const stored = await world.table.read(alias);
  if (stored === undefined) throw new Error(`no record of ${alias}`);
  const { record, journalHead } = stored;
  const journal = world.table.journal(alias);
  const ids = new Set(journal.flatMap(({ rotationId }) => rotationId ?? []));
  const closed = await Promise.all([...ids].map((id) => world.table.closedRotation(alias, id)));
  const rotations = closed.filter((rotation) => rotation !== undefined);
  return { record, journalHead, journal, rotations };
}

/** The same history for another managed key: other names and keys, and a valid chain. */
export function renamed(history: KeyHistory, alias: string, salt: number): KeyHistory {
  const text = JSON.stringify(history)
    .replaceAll(history.record.alias, alias)
    .replace(/[0-9a-f]{8}(?=-[0-9a-f]{4}-)/g, (part) => salted(part, salt));
  const other = JSON.parse(text) as KeyHistory;
  return { ...other, ...rechained(other.journal) };
}

function salted(part: string, salt: number): string {
  const mixed = (parseInt(part, 16) ^ Math.imul(salt, 0x9e3779b1)) >>> 0;
  return mixed.toString(16).padStart(8, "0");
}

export function rechained(lines: JournalEntry[]): Pick<KeyHistory, "journal" | "journalHead"> {
  let previousHash = genesisHash;
  const journal = lines.map((line) => {
    const { hash: _, ...unhashed } = { ...line, previousHash };
    const entry = { ...unhashed, hash: hashOf(unhashed) };
    previousHash = entry.hash;
    return entry;
  });
  return { journal, journalHead: previousHash };
}

/** With a policy for each managed key. */
export async function aWorldOf(
  keys: Record<string, { policy: Partial<Policy>; key?: object }>,
  options: WorldOptions = {},
): Promise<World> {
  const made = Object.entries(keys).map(([alias, { key = {} }]) => [alias, key] as const);
  const world = await aWorld({ ...options, keys: Object.fromEntries(made) });
  const policies = Object.values(keys).map(({ policy }) => aPolicy(policy));
  world.configuration = {
    ...world.configuration,
    policies: Object.fromEntries(policies.map((policy) => [policy.name, policy])),
    managedKeys: world.configuration.managedKeys.map((home, at) => ({
      ...home,
      policy: policies[at]?.name ?? home.policy,
    })),
  };
  return world;
}

const sign = { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" };
const mac = { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" };

const quarterly = { name: "quarterly", retire: "delete" } as const;
const yearly = { name: "half-yearly", cryptoperiodMs: 180 * dayMs, leadMs: 14 * dayMs };
const approved = { name: "approved", retire: "delete", approval: "revoke" } as const;
const hmac = { name: "tokens", cryptoperiodMs: 120 * dayMs } as const;

export const showcaseKeys = {
  "alias/archive": { policy: yearly },
  "alias/card-vault": { policy: approved },
  "alias/invoices": { policy: yearly, key: sign },
  "alias/orders": { policy: quarterly },
  "alias/releases": { policy: yearly, key: sign },
  "alias/tokens": { policy: hmac, key: mac },
};

/** A year of six managed keys with different events, always the same. */
export async function aYear(): Promise<{ histories: KeyHistory[]; nowMs: number }> {
  const world = await aWorldOf(showcaseKeys, { owner: "acme-prod" });
  await days(world, 45);
  await world.passDays(80 - 45);
  world.request("pause", { by: "grace", reason: "an audit of the archive" }, "alias/archive");
  await days(world, 135);
  const tokens = "alias/tokens";
  world.request("rollback", { version: 2, by: "linus", reason: "readers hold v1 only" }, tokens);
  await days(world, 150);
  world.request("resume", { by: "linus", reason: "readers can take v2 now" }, tokens);
  world.request("resume", { by: "linus" }, "alias/invoices");
  await days(world, 180);
  const { KeyId: old } = await keyOf(world, "alias/releases", 1);
  await world.ask("UpdateAlias", { AliasName: "alias/releases", TargetKeyId: old });
  await days(world, 184);
  const { KeyId: fresh } = await keyOf(world, "alias/releases", 2);
  await world.ask("UpdateAlias", { AliasName: "alias/releases", TargetKeyId: fresh });
  await days(world, 240);
  const leak = { version: 2, by: "ada", reason: "INC-2087: a build log had the signing context" };
  world.request("compromised", leak, "alias/invoices");
  await days(world, 316);
  const aliases = Object.keys(showcaseKeys);
  const histories = await Promise.all(aliases.map((alias) => historyIn(world, alias)));
  return { histories, nowMs: world.clock.nowMs() };
}

/** Until that day. Each week the applications use their keys, and an operator gives approvals. */
async function days(world: World, until: number): Promise<void> {
  const untilMs = startMs + until * dayMs;
  while (world.clock.nowMs() < untilMs) {
    await world.pass(Math.min(7 * dayMs, untilMs - world.clock.nowMs()));
    for (const alias of Object.keys(showcaseKeys)) await use(world, alias);
    for (const { code, observed } of (await world.record("alias/card-vault")).findings) {
      const [, version, evidence] = /version (\d+).*evidence ([0-9a-f]{64})/.exec(observed) ?? [];
      if (code !== "APPROVAL_REQUIRED" || evidence === undefined) continue;
      const word = { by: "grace", reason: "CHG-4411: drained, no open objection" };
      const body = { version: Number(version), evidence, ...word };
      world.request("approve", body, "alias/card-vault");
    }
  }
}

async function use(world: World, alias: string): Promise<void> {
  const key: object | undefined = { ...showcaseKeys }[alias as keyof typeof showcaseKeys];
  const made = key !== undefined && "key" in key ? key.key : undefined;
  if (made === mac) {
    const Message = Buffer.from("a token");
    await world.ask("GenerateMac", { KeyId: alias, Message, MacAlgorithm: "HMAC_SHA_256" });
  } else if (made === sign) {
    const Message = Buffer.from("a release");
    await world.ask("Sign", { KeyId: alias, Message, SigningAlgorithm: "ECDSA_SHA_256" });
  } else await world.ask("Encrypt", { KeyId: alias, Plaintext: Buffer.from("an order") });
}

async function keyOf(world: World, alias: string, number: number): Promise<{ KeyId: string }> {
  const version = (await world.record(alias)).versions.find((one) => one.number === number);
  return { KeyId: version?.keyId ?? "" };
}

/** Callers that each version refused, some more beyond the first twenty, and a scanner that is accepted. */
export function refusedIn({ record }: KeyHistory, nowMs: number): KnownRefusals {
  const times = { firstAtMs: nowMs - 9 * dayMs, lastAtMs: nowMs - dayMs, storedAtMs: nowMs };
  const role = (name: string): string => `arn:aws:iam::000000000000:role/${name}`;
  const use = (name: string, error = "AccessDenied"): RefusedUse => ({
    ...{ principal: role(name), operation: "Decrypt", error, count: 3 },
    ...times,
  });
  const uses = { a: use("reader-of-archives"), b: use("scanner") };
  const others = {
    ...times,
    count: 40,
    grownAtMs: nowMs - dayMs,
    joinedAtMs: nowMs - dayMs,
    known: {},
  };
  const named = { uses: { c: use("sops", "IncorrectKeyException") } };
  const on = Object.fromEntries(record.versions.map(({ keyId }) => [keyId, { uses, others }]));
  const of = { owner: record.owner, mode: "act" as const, policies: [], taggedAliases: [] };
  const accepted = {
    ...{ alias: "alias/*", principal: role("scanner"), operation: "*", error: "*" },
  };
  return {
    refusals: { revision: 1, on: { ...on, [byAlias]: named } },
    watch: {
      revision: 1,
      heardAtMs: nowMs - dayMs,
      sinceMs: startMs,
      unattributed: 2,
      storedAtMs: 0,
    },
    configuration: { ...of, acceptedRefusals: [accepted], refusalsWatch: "cloudtrail" },
  };
}
