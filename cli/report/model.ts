/** The report as data, the source of all of its files; pure. */
import type { KeyHistory } from "../../lambda/aws/dynamodb-reading.ts";
import { activeVersion } from "../../lambda/workflow/model/record.ts";
import type { Policy } from "../../lambda/workflow/model/types.ts";
import { inPresentNames } from "../../lambda/record/earlier-events.ts";
import { verifyChain, type ChainVerdict } from "../journal/chain.ts";
import { decisionsOf, type PersonsDecision } from "./decisions.ts";
import { drainsOf, type Drain } from "./drains.ts";
import { exceptionsOf, type Exception } from "./exceptions.ts";
import { rotationReports, type RotationReport } from "./passages.ts";
import type { Period } from "./period.ts";
import { nothingKnown } from "../forecast/refusals.ts";
import { refusalsView, type RefusalsView } from "../status/refusals.ts";
import { versionsOf, type VersionReport } from "./versions.ts";

export type KeyReport = {
  alias: string;
  aliases: string[];
  owner: string;
  enrolledBy: string;
  enrolledAtMs: number | undefined;
  unenrolment: { by: string; atMs: number; endedAtMs: number | undefined } | undefined;
  policy: Policy;
  /** The number of the active version. */
  active: number | undefined;
  /** All known versions, past and present. */
  versions: VersionReport[];
  /** From here to `exceptions`: only entries that overlap the period. */
  rotations: RotationReport[];
  decisions: PersonsDecision[];
  drains: Drain[];
  exceptions: Exception[];
  /** As the table has them now. */
  refusals: RefusalsView;
  chain: ChainVerdict;
  journal: { lines: number; firstAtMs: number | undefined };
};

export type Report = {
  tableName: string;
  period: Period;
  madeAtMs: number;
  keys: KeyReport[];
  /** Managed keys whose record this code cannot read. */
  unread: string[];
};

export function keyReport(
  stored: KeyHistory,
  period: Period,
  nowMs: number,
  refused = nothingKnown,
): KeyReport {
  const { record, journalHead } = stored;
  // The chain covers the lines as they were written.
  const chain = verifyChain(record.alias, stored.journal, journalHead);
  const journal = stored.journal.map(inPresentNames);
  const history = { ...stored, journal };
  const versions = versionsOf(history, nowMs);
  const isIn = touches(period);
  const { unenrolment } = record;
  return {
    alias: record.alias,
    aliases: record.aliases,
    owner: record.owner,
    enrolledBy: record.enrolledBy,
    enrolledAtMs: record.enrolledAtMs,
    unenrolment:
      unenrolment === undefined
        ? undefined
        : { by: unenrolment.by, atMs: unenrolment.atMs, endedAtMs: unenrolment.endedAtMs },
    policy: record.policy,
    active: activeVersion(record)?.number,
    versions,
    rotations: rotationReports(history).filter(({ beganAtMs, lastAtMs, isOpen }) =>
      isIn(beganAtMs, isOpen ? undefined : lastAtMs),
    ),
    decisions: decisionsOf(journal).filter(({ atMs }) => isIn(atMs, atMs)),
    drains: drainsOf(history).filter(({ readings }) =>
      isIn(readings[0]?.atMs, readings.at(-1)?.atMs),
    ),
    exceptions: exceptionsOf(history, versions, chain, nowMs).filter(({ fromMs, toMs }) =>
      isIn(fromMs, toMs),
    ),
    refusals: refusalsView(record, refused),
    chain,
    journal: { lines: journal.length, firstAtMs: journal[0]?.atMs },
  };
}

/** An undefined start is not known; an undefined end is open. */
function touches({ fromMs, toMs }: Period) {
  return (startMs: number | undefined, endMs: number | undefined): boolean =>
    (startMs ?? -Infinity) < toMs && (endMs ?? Infinity) >= fromMs;
}
