/** The proof: the conditions that must hold at the end of the story, and their figures. */
import { genesisHash, hashOf } from "../lambda/record/journal.ts";
import type { JournalEntry } from "../lambda/ports.ts";
import { overdueAtMs } from "../lambda/workflow/active-version.ts";
import { activeVersion } from "../lambda/workflow/model/record.ts";
import type { ManagedKey, VersionState } from "../lambda/workflow/model/types.ts";
import type { KeySnapshot } from "../embedded-aws/kms/snapshot.ts";
import type { KmsTwin } from "../embedded-aws/kms/twin.ts";
import type { Proved } from "./application.ts";
import type { Member, Retire } from "./fleet.ts";
import type { Incidents, Memory } from "./incidents.ts";
import type { Keyturn } from "./keyturn.ts";
import { codesOf } from "./narrator.ts";
import { isRead, type CallCounts, type Observer } from "./observer.ts";
import { counted } from "./timeline.ts";

/** One condition; `detail` gives its scope, or the problem. */
export type Check = { name: string; ok: boolean; detail: string };

export type Proof = {
  ok: boolean;
  days: number;
  rotations: number;
  items: { produced: number; readable: number };
  orphansAdopted: number;
  findings: { raised: number; putRight: number };
  keysByState: Record<string, number>;
  runs: Keyturn["runs"];
  calls: {
    keyturn: { changing: Record<string, number>; reads: Record<string, number> };
    others: CallCounts;
  };
  proofs: Check[];
};

export type Evidence = {
  days: number;
  nowMs: number;
  fleet: Member[];
  kms: KmsTwin;
  observer: Observer;
  runs: Keyturn["runs"];
  records: ManagedKey[];
  lines: JournalEntry[];
  memory: Memory;
  victims: Incidents["victims"];
  items: Proved;
  /** The application's failed requests. */
  refused: string[];
};

export function prove(evidence: Evidence): Proof {
  const { items, lines, runs, observer } = evidence;
  const { keys } = evidence.kms.snapshot();
  const requests = sum(observer.calls.application ?? {});
  const proofs = [
    everyItemReadable(items),
    check("no request of the application failed", evidence.refused, `${requests} requests`),
    oneVersionActive(evidence, keys),
    aliasesEnabled(observer),
    noOrphan(evidence, keys),
    orphanAdopted(evidence),
    overlapLeft(evidence),
    aliasPutRight(evidence),
    nothingOverdue(evidence),
    retiredAsPolicySays(evidence, keys),
    journalUnbroken(lines),
    noRunFailed(runs),
  ];
  const { keyturn = {}, ...others } = observer.calls;
  return {
    ok: proofs.every(({ ok }) => ok),
    days: evidence.days,
    rotations: countOf(lines, "completed"),
    items: { produced: items.produced, readable: items.readable },
    orphansAdopted: countOf(lines, "adopted"),
    findings: {
      raised: lines.flatMap(({ detail }) => codesOf(detail.opened)).length,
      putRight: lines.flatMap(({ detail }) => codesOf(detail.closed)).length,
    },
    keysByState: byState(evidence.kms, keys),
    runs,
    calls: {
      keyturn: {
        changing: sorted(keyturn, (operation) => !isRead(operation)),
        reads: sorted(keyturn, isRead),
      },
      others: Object.fromEntries(
        Object.entries(others).map(([who, counts]) => [who, sorted(counts, () => true)]),
      ),
    },
    proofs,
  };
}

export function check(name: string, problems: string[], detail: string): Check {
  const [first] = problems;
  if (first === undefined) return { name, ok: true, detail };
  const others = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  return { name, ok: false, detail: `${first}${others}` };
}

function everyItemReadable({ produced, readable, lost }: Proved): Check {
  const problems = produced === 0 ? ["nothing was produced"] : lost;
  const name = "everything ever encrypted, signed or MACed can be read or verified";
  return check(name, problems, `${readable} of ${produced}`);
}

function oneVersionActive({ fleet, records, kms }: Evidence, keys: KeySnapshot[]): Check {
  const problems = fleet.flatMap(({ alias, aliases }) => {
    const record = records.find((candidate) => candidate.alias === alias);
    const active = record?.versions.filter(({ state }) => state === "active") ?? [];
    const [version] = active;
    if (version === undefined) return [`${alias} has no active version`];
    if (active.length > 1) return [`${alias} has ${active.length} active versions`];
    const key = keys.find(({ keyId }) => keyId === version.keyId);
    if (key?.state !== "Enabled")
      return [`${alias}: the active version is ${key?.state ?? "deleted"}`];
    return aliases
      .filter((name) => kms.world.aliases.get(name)?.keyId !== version.keyId)
      .map((name) => `${name} does not point at the active version`);
  });
  const name = "each managed key has one active version, Enabled, behind all its aliases";
  return check(name, problems, counted(fleet.length, "key"));
}

function aliasesEnabled({ observations, violations }: Observer): Check {
  const name = "no alias ever pointed at a key that was not Enabled";
  return check(name, violations, `observed ${observations} times`);
}

function noOrphan({ records }: Evidence, keys: KeySnapshot[]): Check {
  const known = new Set(records.flatMap(({ versions }) => versions.map(({ keyId }) => keyId)));
  const problems = keys
    .filter(({ keyId }) => !known.has(keyId))
    .map(({ tags, state }) => {
      return `a key that no record names is ${state}, tagged for ${tags["keyturn:alias"] ?? "no alias"}`;
    });
  return check(
    "every KMS key is in a record: none is an orphan",
    problems,
    counted(keys.length, "key"),
  );
}

function orphanAdopted({ lines, memory, victims }: Evidence): Check {
  const adopted = lines.find(
    ({ event, detail }) => event === "adopted" && detail.keyId === memory.orphanKeyId,
  );
  const problems =
    memory.orphanKeyId === undefined
      ? ["no run was killed"]
      : adopted === undefined
        ? [`keyturn did not adopt the key created for ${victims.kill}`]
        : [];
  return check("keyturn adopted the key of the killed run", problems, victims.kill);
}

function overlapLeft({ memory, victims }: Evidence): Check {
  const problems =
    memory.overlapLeft === undefined
      ? ["no two runs overlapped"]
      : memory.overlapLeft
        ? []
        : ["the second run did not exit"];
  return check("of two overlapping runs, one exited", problems, victims.overlap);
}

function aliasPutRight({ lines, memory, victims, records }: Evidence): Check {
  const of = lines.filter(({ alias }) => alias === victims.hand);
  const found = of.findIndex(({ detail }) => codesOf(detail.opened).includes("ALIAS_MOVED"));
  const right = of.findIndex(({ detail }) => codesOf(detail.closed).includes("ALIAS_MOVED"));
  const problems: string[] = [];
  if (memory.movedByHand !== true) problems.push("no alias was moved by hand");
  else if (found < 0) problems.push(`no finding reported the move of ${victims.hand}`);
  else if (right < found) problems.push(`the finding on ${victims.hand} is still open`);
  for (const { alias, findings } of records) {
    for (const { code, observed } of findings)
      problems.push(`${alias} still has ${code}: ${observed}`);
  }
  return check("the alias moved by hand was reported and corrected", problems, victims.hand);
}

function nothingOverdue({ records, fleet, nowMs }: Evidence): Check {
  const problems = records.flatMap((record) => {
    const active = activeVersion(record);
    const late = active !== undefined && overdueAtMs(record, active) <= nowMs;
    return late ? [`${record.alias} is past its cryptoperiod`] : [];
  });
  if (records.length !== fleet.length)
    problems.push(`the table has only ${counted(records.length, "record")}`);
  return check("no key is past its cryptoperiod", problems, counted(records.length, "key"));
}

const keyStateOf: Record<VersionState, string> = {
  "pending-activation": "Enabled",
  reactivating: "Enabled",
  active: "Enabled",
  draining: "Enabled",
  retained: "Enabled",
  disabled: "Disabled",
  "pending-deletion": "PendingDeletion",
};

const stateAtTheEnd: Record<Retire, string> = {
  retain: "Enabled",
  disable: "Disabled",
  delete: "deleted",
};

/** A version after its rotation has the policy's final state; all others match their record. */
function retiredAsPolicySays({ lines, records, fleet }: Evidence, keys: KeySnapshot[]): Check {
  const states = new Map(keys.map(({ keyId, state }) => [keyId, state]));
  const stateOf = (keyId: string): string => states.get(keyId) ?? "deleted";
  const completed = lines.filter(({ event }) => event === "completed");
  const ended = completed.flatMap(({ alias, detail }) => {
    const retire = fleet.find((member) => member.alias === alias)?.retire ?? "retain";
    const [state, wanted] = [stateOf(String(detail.keyId)), stateAtTheEnd[retire]];
    if (state === wanted) return [];
    return [`version ${detail.version} of ${alias} is ${state}; its policy is ${retire}`];
  });
  const others = records.flatMap(({ alias, versions }) =>
    versions
      .filter(({ keyId, state }) => stateOf(keyId) !== keyStateOf[state])
      .map(({ number, keyId, state }) => {
        return `version ${number} of ${alias} is ${stateOf(keyId)}; the record has ${state}`;
      }),
  );
  const name = "every retired version is in the state that its policy defines";
  return check(name, [...ended, ...others], `${completed.length} retired`);
}

/** From the events alone, as a dependent can prove it. */
function journalUnbroken(lines: JournalEntry[]): Check {
  const problems: string[] = [];
  const heads = new Map<string, { revision: number; hash: string }>();
  for (const { hash, ...line } of lines) {
    const { alias, revision, previousHash } = line;
    const head = heads.get(alias) ?? { revision: 0, hash: genesisHash };
    const follows = revision === head.revision + 1 && previousHash === head.hash;
    if (!follows || hashOf(line) !== hash) problems.push(`${alias}: line ${revision} does not fit`);
    heads.set(alias, { revision, hash });
  }
  const name = "every journal arrived as events, with an unbroken hash chain";
  return check(name, problems, counted(lines.length, "line"));
}

function noRunFailed({ worked, failedPasses, outOfTime }: Keyturn["runs"]): Check {
  const problems: string[] = [];
  if (failedPasses > 0) problems.push(`failed passes: ${failedPasses}`);
  if (outOfTime > 0) problems.push(`${counted(outOfTime, "run")} ran out of time`);
  return check("no run failed except the killed one", problems, `${worked} worked`);
}

function byState(kms: KmsTwin, keys: KeySnapshot[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { state } of keys) counts[state] = (counts[state] ?? 0) + 1;
  counts.deleted = kms.world.keysMade - keys.length;
  return sorted(counts, () => true);
}

function countOf(lines: JournalEntry[], event: string): number {
  return lines.filter((line) => line.event === event).length;
}

function sorted(
  counts: Record<string, number>,
  wanted: (name: string) => boolean,
): Record<string, number> {
  const names = Object.keys(counts).filter(wanted).sort();
  return Object.fromEntries(names.map((name) => [name, counts[name] ?? 0]));
}

export function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
