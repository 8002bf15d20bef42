/** The figures at the head of the report. */
import type { KeyReport, Report } from "./model.ts";
import { outOfUse } from "./phases.ts";

export type Summary = {
  keys: number;
  inRotation: number;
  overdue: number;
  /** In the period, with the open ones. */
  exceptions: number;
  openExceptions: number;
  /** Versions activated in the period. */
  activated: number;
  completed: number;
  /** Versions disabled, or pending deletion or destroyed, in the period. */
  revoked: number;
  broken: string[];
  unread: string[];
};

export function summaryOf({ keys, unread, period }: Report): Summary {
  const isIn = (atMs: number | undefined): boolean =>
    atMs !== undefined && atMs >= period.fromMs && atMs < period.toMs;
  const count = (of: (key: KeyReport) => number): number =>
    keys.reduce((sum, key) => sum + of(key), 0);
  const rotations = keys.flatMap((key) => key.rotations);
  return {
    keys: keys.length,
    inRotation: count((key) => Number(key.rotations.some(({ isOpen }) => isOpen))),
    overdue: count((key) => Number(isOverdue(key))),
    exceptions: count(({ exceptions }) => exceptions.length),
    openExceptions: count(
      ({ exceptions }) => exceptions.filter(({ toMs }) => toMs === undefined).length,
    ),
    activated: rotations.filter(({ activatedAtMs }) => isIn(activatedAtMs)).length,
    completed: rotations.filter(({ completedAtMs }) => isIn(completedAtMs)).length,
    revoked: count(
      ({ versions }) =>
        versions.filter(({ phases }) =>
          phases.some(({ kind, fromMs }) => outOfUse.includes(kind) && isIn(fromMs)),
        ).length,
    ),
    broken: keys.filter(({ chain }) => chain.kind === "broken").map(({ alias }) => alias),
    unread,
  };
}

export function isOverdue({ versions }: KeyReport): boolean {
  return versions.some(({ overdue }) => overdue.some(({ toMs }) => toMs === undefined));
}
