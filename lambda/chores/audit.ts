/**
 * The audit: checks that the table knows every key with our owner tag, and that every alias points
 * where its record says. It changes nothing in KMS; each managed key's own pass acts on the result.
 */
import { transition } from "../record/journal.ts";
import type { Run } from "../pass/context.ts";
import { extraOf } from "../workflow/1-generate.ts";
import { observeAgainAtMs } from "../workflow/drift/drift.ts";
import { inspectionDueAtMs } from "../workflow/drift/inspection.ts";
import { showTags } from "../workflow/model/commands.ts";
import { finding, type Finding } from "../workflow/model/findings.ts";
import { auditEveryMs, consistencyMs, dayMs, recheckMs } from "../workflow/model/limits.ts";
import { rightfulKeyIds, activeVersion, withExtra } from "../workflow/model/record.ts";
import { valueOf } from "../workflow/safety/observations.ts";
import { tagNames } from "../workflow/model/tag-names.ts";
import type { EntryDraft, Extra, ManagedKey, Version } from "../workflow/model/types.ts";
import { tryWrite } from "../pass/write.ts";

/** The audit reports a key that it could not hand over for this long. */
const heldForMs = dayMs;

const outOfUse: Version["state"][] = ["disabled", "pending-deletion"];

export async function audit(run: Run): Promise<void> {
  const { table, clock } = run.ports;
  await table.schedule("audit", clock.nowMs() + recheckMs, undefined);
  const { owner } = run.configuration;
  const found = await run.ports.discovery.keysTagged({ [tagNames.owner]: owner });
  const tagged = found.map(({ keyId }) => keyId);
  const configured = await table.readMany([...run.homes.keys()]);
  const others = await notConfigured(run, configured, tagged);
  const enrolled = others.filter(({ enrolledBy }) => enrolledBy !== "configuration");
  const records = [...configured, ...enrolled];
  run.telemetry.census(records);
  const drift = await findDrift(run, records, new Set(tagged));
  const noted = (await hurryLate(run, [...configured, ...others])) && drift;
  const { findings, all } = await findUnknownKeys(run, records, tagged);
  for (const item of findings) run.telemetry.finding(item.subject, item);
  const soonMs = noted && all ? auditEveryMs : recheckMs;
  await table.schedule("audit", clock.nowMs() + soonMs, findings);
}

/** Managed keys that the configuration does not list: found by their tagged keys. */
async function notConfigured(
  run: Run,
  configured: ManagedKey[],
  tagged: string[],
): Promise<ManagedKey[]> {
  const known = keysOf(configured);
  const aliases = new Set<string>();
  for (const keyId of tagged) {
    if (known.has(keyId)) continue;
    const alias = await run.ports.table.boundTo(keyId);
    if (alias !== undefined && !run.homes.has(alias)) aliases.add(alias);
  }
  return run.ports.table.readMany([...aliases]);
}

/**
 * Makes a managed key due that this code would observe earlier than the record says. Version 0.1.0 reads
 * nothing until the date of a deletion, and schedules deletions without an approval; it never inspects a version that
 * no rotation retires. The first inspections after an upgrade spread over a day. False if a run held one.
 */
async function hurryLate(run: Run, records: ManagedKey[]): Promise<boolean> {
  const { table, clock, chance } = run.ports;
  let noted = true;
  for (const record of records) {
    const nowMs = clock.nowMs();
    if (nowMs >= run.stopAtMs) return false;
    const isRetiring = record.dueAtMs > observeAgainAtMs(record, nowMs);
    const isUnseen = record.dueAtMs > nowMs + dayMs && inspectionDueAtMs(record) < record.dueAtMs;
    if (!isRetiring && !isUnseen) continue;
    // An event may have made it due earlier since the audit read it.
    const later = { dueAtMs: nowMs + Math.floor(chance.next() * dayMs), onlyEarlier: true };
    const how = isRetiring ? {} : later;
    noted = (await table.nudge(record.alias, nowMs, how)) && noted;
  }
  return noted;
}

function keysOf(records: ManagedKey[]): Set<string> {
  return new Set(
    records.flatMap(({ versions, extras }) => [...versions, ...extras].map(({ keyId }) => keyId)),
  );
}

/** False if a run held one of the managed keys: the audit then repeats in an hour. */
async function findDrift(run: Run, records: ManagedKey[], ours: Set<string>): Promise<boolean> {
  const { keys, table, clock } = run.ports;
  const targets = new Map((await keys.allAliases()).map(({ alias, keyId }) => [alias, keyId]));
  const inUse = new Set(targets.values());
  let noted = true;
  for (const record of records) {
    const active = activeVersion(record);
    if (active === undefined || record.enrolledAtMs === undefined) continue;
    if (record.unenrolment !== undefined) continue;
    const rightful = rightfulKeyIds(record);
    const astray = record.aliases.some((alias) => !rightful.includes(targets.get(alias) ?? ""));
    const reactivation = record.versions.some(
      ({ keyId, state }) => outOfUse.includes(state) && inUse.has(keyId),
    );
    const lost = !ours.has(active.keyId);
    if (!astray && !reactivation && !lost) continue;
    const suspectedAtMs = clock.nowMs();
    noted = (await table.nudge(record.alias, suspectedAtMs, { suspectedAtMs })) && noted;
  }
  return noted;
}

/** The findings, and whether the audit read every key and handed over every excess key. */
async function findUnknownKeys(
  run: Run,
  records: ManagedKey[],
  tagged: string[],
): Promise<{ findings: Finding[]; all: boolean }> {
  const recorded = keysOf(records);
  const findings: Finding[] = [];
  let all = true;
  for (const keyId of tagged) {
    if (recorded.has(keyId)) continue;
    if (run.ports.clock.nowMs() >= run.stopAtMs) return { findings, all: false };
    const { what, finding: found } = await unknownKey(run, records, keyId);
    if (what === "held") all = false;
    if (found !== undefined) findings.push(found);
  }
  return { findings, all };
}

/** Held: the key belongs to a managed key that cannot take it yet. */
type Unknown = { what: "known" | "held" | "unknown"; finding?: Finding };
const known: Unknown = { what: "known" };

/** A lookup by tag may lag or name deleted keys, and so this reads the key itself. */
async function unknownKey(run: Run, records: ManagedKey[], keyId: string): Promise<Unknown> {
  const { keys, table, clock } = run.ports;
  const boundTo = await table.boundTo(keyId);
  const unconfigured = boundTo !== undefined && !run.homes.has(boundTo);
  if (unconfigured) return known;
  const key = valueOf(await keys.describe(keyId));
  const tags = valueOf(await keys.tagsOf(keyId)) ?? {};
  const nowMs = clock.nowMs();
  if (key === undefined || key.state === "PendingDeletion") return known;
  if (tags[tagNames.owner] !== run.configuration.owner) return known;
  if (nowMs < key.createdAtMs + consistencyMs) return { what: "held" };
  const alias = tags[tagNames.alias] ?? "";
  const rotationId = tags[tagNames.rotation] ?? "";
  const reportOf = (but: string): Finding => {
    const observed = `${keyId} (${key.state}) is tagged as version ${tags[tagNames.version] ?? "?"} of ${alias}${but}`;
    const next = showTags(keyId);
    return finding("UNKNOWN_KEY", keyId, observed.slice(0, 1000), next, nowMs);
  };
  const isOld = nowMs >= key.createdAtMs + heldForMs;
  const held = (why: string): Unknown =>
    isOld ? { what: "held", finding: reportOf(`: ${why}`) } : { what: "held" };
  const record = records.find((candidate) => candidate.alias === alias);
  const open = record?.rotations.find(({ id }) => id === rotationId);
  if (open?.step === "generate") return held("its rotation has no new version yet");
  const closed = record === undefined ? undefined : await table.closedRotation(alias, rotationId);
  // A rotation cancelled before it had a key has no other successor: the key is no excess key.
  const rotation = open ?? (closed?.step === "generate" ? undefined : closed);
  if (record === undefined || rotation === undefined) {
    return { what: "unknown", finding: reportOf("") };
  }
  const handed = await handOver(run, alias, extraOf(rotation, keyId, nowMs));
  return handed ? known : held("runs always held the managed key");
}

/** The rotation that made the key has another successor: its managed key takes the excess key. */
async function handOver(run: Run, alias: string, extra: Extra): Promise<boolean> {
  const { table, clock, chance } = run.ports;
  const nowMs = clock.nowMs();
  // A pass that failed earlier in this run may still hold it.
  if (!(await table.nudge(alias, nowMs))) return false;
  const untilMs = run.deadlineMs;
  const pass = { runId: run.id, passId: chance.id() };
  const request = { ...pass, nowMs, untilMs, dueAgainAtMs: untilMs, taking: "due" as const };
  const claimed = await table.claim(alias, request);
  if (claimed.kind !== "claimed") return false;
  const { claim: _, ...record } = claimed.stored.record;
  const next = { ...withExtra(record, extra), dueAtMs: extra.foundAtMs + consistencyMs };
  const stored = transition(claimed.stored, next, foundExtra(extra), nowMs);
  return (await tryWrite(table, claimed.stored, stored)) !== undefined;
}

function foundExtra({ keyId, rotationId }: Extra): EntryDraft {
  const reason = "the audit found an excess key";
  return { event: "extra-found", reason, rotationId, detail: { keyId } };
}
