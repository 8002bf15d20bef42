/**
 * The audit: every key that carries our owner tag is known to the table, and every alias is where
 * its record has it. It changes nothing in KMS; what it finds goes to the managed key's own turn.
 */
import { transition } from "../record/journal.ts";
import type { Run } from "../pass/context.ts";
import { extraOf } from "../workflow/1-generate.ts";
import { showTags } from "../workflow/model/commands.ts";
import { finding, type Finding } from "../workflow/model/findings.ts";
import { consistencyMs, dayMs, recheckMs } from "../workflow/model/limits.ts";
import { rightfulKeyIds, activeVersion, withExtra } from "../workflow/model/record.ts";
import { valueOf } from "../workflow/safety/observations.ts";
import { tagNames } from "../workflow/model/tag-names.ts";
import type { EntryDraft, Extra, ManagedKey, Version } from "../workflow/model/types.ts";
import { tryWrite } from "../pass/write.ts";

const auditEveryMs = 7 * dayMs;

/** From then on, what could not be handed over is told. */
const heldForMs = dayMs;

const outOfUse: Version["state"][] = ["disabled", "pending-deletion"];

export async function audit(run: Run): Promise<void> {
  const { table, clock } = run.ports;
  await table.schedule("audit", clock.nowMs() + recheckMs, undefined);
  const { owner } = run.configuration;
  const found = await run.ports.discovery.keysTagged({ [tagNames.owner]: owner });
  const tagged = found.map(({ keyId }) => keyId);
  const configured = await table.readMany([...run.homes.keys()]);
  const records = [...configured, ...(await enrolledOtherwise(run, configured, tagged))];
  run.telemetry.census(records);
  const noted = await findDrift(run, records, new Set(tagged));
  const { findings, all } = await findUnknownKeys(run, records, tagged);
  for (const item of findings) run.telemetry.finding(item.subject, item);
  const soonMs = noted && all ? auditEveryMs : recheckMs;
  await table.schedule("audit", clock.nowMs() + soonMs, findings);
}

/** The configuration does not list these: they are found by their keys. */
async function enrolledOtherwise(
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
  const others = await run.ports.table.readMany([...aliases]);
  return others.filter(({ enrolledBy }) => enrolledBy !== "configuration");
}

function keysOf(records: ManagedKey[]): Set<string> {
  return new Set(
    records.flatMap(({ versions, extras }) => [...versions, ...extras].map(({ keyId }) => keyId)),
  );
}

/** Whether all of it was noted: a managed key that a run holds is looked at again in an hour. */
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
    noted = (await table.nudge(record.alias, clock.nowMs(), clock.nowMs())) && noted;
  }
  return noted;
}

/** What is to be told, and whether every key was looked at, and every extra handed over. */
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

/** Held: it is for its managed key to look after, and cannot be handed over yet. */
type Unknown = { what: "known" | "held" | "unknown"; finding?: Finding };
const known: Unknown = { what: "known" };

/** A lookup by tags may be late, or name what is gone: the key itself says what it is. */
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
    const observed = `${keyId} (${key.state}) says it is version ${tags[tagNames.version] ?? "?"} of ${alias}${but}`;
    const next = showTags(keyId);
    return finding("UNKNOWN_KEY", keyId, observed.slice(0, 1000), next, nowMs);
  };
  const isOld = nowMs >= key.createdAtMs + heldForMs;
  const held = (why: string): Unknown =>
    isOld ? { what: "held", finding: reportOf(`: ${why}`) } : { what: "held" };
  const record = records.find((candidate) => candidate.alias === alias);
  const open = record?.rotations.find(({ id }) => id === rotationId);
  if (open?.step === "generate") return held("its rotation has no successor yet");
  const closed = record === undefined ? undefined : await table.closedRotation(alias, rotationId);
  // One that was cancelled before it had its key has no other successor: nobody's extra.
  const rotation = open ?? (closed?.step === "generate" ? undefined : closed);
  if (record === undefined || rotation === undefined) {
    return { what: "unknown", finding: reportOf("") };
  }
  const handed = await handOver(run, alias, extraOf(rotation, keyId, nowMs));
  return handed ? known : held("each time that it was to be handed over, a run held it");
}

/** The rotation that made it has another successor on record: its managed key looks after it. */
async function handOver(run: Run, alias: string, extra: Extra): Promise<boolean> {
  const { table, clock, chance } = run.ports;
  const nowMs = clock.nowMs();
  // A pass that failed earlier in this run may hold it still.
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
  const reason = "the audit found a key in excess of a rotation that has its successor";
  return { event: "extra-found", reason, rotationId, detail: { keyId } };
}
