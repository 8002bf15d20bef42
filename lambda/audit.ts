/**
 * The audit: every key that carries our owner tag is known to the table, and every alias is where
 * its record has it. It changes nothing in KMS; what it finds goes to the managed key's own turn.
 */
import type { Run } from "./run.ts";
import { extraOf } from "./workflow/1-generate.ts";
import { finding, type Finding } from "./workflow/findings.ts";
import { consistencyMs, dayMs, recheckMs } from "./workflow/limits.ts";
import { rotationBeforeActivation, servingVersion, withExtra } from "./workflow/record.ts";
import { valueOf } from "./workflow/sights.ts";
import { tagNames } from "./workflow/tag-names.ts";
import type { Extra, ManagedKey } from "./workflow/types.ts";

const auditEveryMs = 7 * dayMs;

export async function audit(run: Run): Promise<void> {
  const { table, clock } = run.ports;
  await table.scheduleAudit(clock.nowMs() + recheckMs, undefined);
  const records = await table.readMany([...run.homes.keys()]);
  await findDrift(run, records);
  const findings = await findUnknownKeys(run, records);
  for (const item of findings) run.telemetry.finding(item.subject, item);
  await table.scheduleAudit(clock.nowMs() + auditEveryMs, findings);
}

async function findDrift(run: Run, records: ManagedKey[]): Promise<void> {
  const { keys, table, clock } = run.ports;
  const targets = new Map((await keys.allAliases()).map(({ alias, keyId }) => [alias, keyId]));
  for (const record of records) {
    const serving = servingVersion(record);
    if (serving === undefined || record.enrolledAtMs === undefined) continue;
    if (rotationBeforeActivation(record) !== undefined) continue;
    const astray = record.aliases.some((alias) => targets.get(alias) !== serving.keyId);
    if (astray) await table.nudge(record.alias, clock.nowMs(), clock.nowMs());
  }
}

async function findUnknownKeys(run: Run, records: ManagedKey[]): Promise<Finding[]> {
  const { owner } = run.configuration;
  const tagged = await run.ports.discovery.keysTagged({ [tagNames.owner]: owner });
  const known = new Set(
    records.flatMap(({ versions, extras }) => [...versions, ...extras].map(({ keyId }) => keyId)),
  );
  const findings: Finding[] = [];
  for (const keyId of tagged) {
    if (known.has(keyId)) continue;
    const what = await unknownKey(run, records, keyId);
    if (what !== undefined) findings.push(what);
  }
  return findings;
}

/** A lookup by tags may be late, or name what is gone: the key itself says what it is. */
async function unknownKey(
  run: Run,
  records: ManagedKey[],
  keyId: string,
): Promise<Finding | undefined> {
  const { keys, table, clock } = run.ports;
  const key = valueOf(await keys.describe(keyId));
  const tags = valueOf(await keys.tagsOf(keyId)) ?? {};
  const nowMs = clock.nowMs();
  if (key === undefined || key.state === "PendingDeletion") return undefined;
  if (tags[tagNames.owner] !== run.configuration.owner) return undefined;
  if (nowMs < key.createdAtMs + consistencyMs) return undefined;
  const alias = tags[tagNames.alias] ?? "";
  const rotationId = tags[tagNames.rotation] ?? "";
  const record = records.find((candidate) => candidate.alias === alias);
  const open = record?.rotations.find(({ id }) => id === rotationId);
  if (open?.step === "generate") return undefined;
  const closed = record === undefined ? undefined : await table.closedRotation(alias, rotationId);
  const rotation = open ?? closed;
  if (record !== undefined && rotation !== undefined) {
    await handOver(run, alias, extraOf(rotation, keyId, nowMs));
    return undefined;
  }
  const seen = `${keyId} (${key.state}) says it is version ${tags[tagNames.version] ?? "?"} of ${alias}`;
  const next = `aws kms list-resource-tags --key-id ${keyId}`;
  return finding("UNKNOWN_KEY", keyId, seen, next, nowMs);
}

/** The rotation that made it has another successor on record: its managed key looks after it. */
async function handOver(run: Run, alias: string, extra: Extra): Promise<void> {
  const { table, clock } = run.ports;
  const nowMs = clock.nowMs();
  await table.nudge(alias, nowMs);
  const untilMs = run.deadlineMs;
  const request = { runId: run.id, nowMs, untilMs, dueAgainAtMs: untilMs };
  const claimed = await table.claim(alias, request);
  if (claimed.kind !== "claimed") return;
  const { claim: _, ...record } = claimed.stored.record;
  const { revision, epoch } = record;
  const next = { ...withExtra(record, extra), dueAtMs: extra.foundAtMs + consistencyMs };
  await table.write({ ...claimed.stored, record: next }, { revision, epoch });
}
