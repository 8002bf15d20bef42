/** Matchers for decisions: each asserts one aspect. */
import { expect } from "vitest";
import type { Finding } from "../../lambda/workflow/model/findings.ts";
import { nothingObserved, subjectOfRead } from "../../lambda/workflow/safety/observations.ts";
import type {
  Decision,
  KmsRead,
  ManagedKey,
  ObservedState,
  Observation,
} from "../../lambda/workflow/model/types.ts";
import { absent, nowMs } from "./scene.ts";

export function sentencesOf(decided: Decision | Finding): string[] {
  if ("code" in decided) return [decided.subject, decided.observed, decided.next];
  switch (decided.kind) {
    case "observe":
      return [];
    case "change":
      return [decided.entry.reason];
    case "halt":
      return sentencesOf(decided.finding);
    case "wait":
      return [
        decided.reason,
        ...(decided.finding === undefined ? [] : sentencesOf(decided.finding)),
      ];
    case "call":
    case "blocked":
    case "retry":
      return [decided.reason];
  }
}

/** Every decision has a reason; every finding has an observation and a command. */
export function spoken<T extends Decision | Finding | undefined>(decided: T): T {
  if (decided === undefined) return decided;
  for (const sentence of sentencesOf(decided)) {
    expect(sentence).not.toBe("");
    expect(sentence).not.toMatch(/undefined|NaN|\[object|Stryker/);
  }
  return decided;
}

/** The record as a decision changes it. */
export function nextOf(decision: Decision | undefined): ManagedKey {
  spoken(decision);
  if (decision?.kind !== "change") throw new Error(`not a change: ${JSON.stringify(decision)}`);
  return decision.next;
}

/** A halt with this finding about this subject. */
export function halts(code: string, subject: string): object {
  return { kind: "halt", finding: { code, subject, sinceMs: nowMs } };
}

/** A wait until this time, with this finding in the meantime. */
export function waits(untilMs: number, code?: string, subject?: string): object {
  const about = subject === undefined ? {} : { subject };
  const finding = { finding: { code, sinceMs: nowMs, ...about } };
  return { kind: "wait", untilMs, ...(code === undefined ? {} : finding) };
}

/** This call, for this matter. */
export function calls(kind: string, fields: object = {}, matter: object = ofRotation): object {
  return { kind: "call", call: { kind, ...fields }, matter };
}

export const ofRotation = { kind: "rotation", rotationId: "r1" };

/** A change of the record, with this journal line. */
export function changes(event: string, detail?: object): object {
  return { kind: "change", entry: { event, ...(detail === undefined ? {} : { detail }) } };
}

/** The reads that a decision requests, in order, until it needs no more; each one gets its answer. */
export function readsOf(
  decide: (observed: ObservedState) => Decision | undefined,
  full: ObservedState,
): string[] {
  let observed = nothingObserved();
  const asked: string[] = [];
  for (let round = 0; round < 10; round += 1) {
    const decision = decide(observed);
    if (decision?.kind !== "observe") return asked;
    for (const read of decision.reads) {
      asked.push(`${read.kind} ${subjectOfRead(read)}`);
      observed = withObservation(observed, read, full[read.kind][subjectOfRead(read)] ?? absent);
    }
  }
  throw new Error(`it never stops reading: ${asked.join()}`);
}

function withObservation(
  observed: ObservedState,
  read: KmsRead,
  observation: Observation<unknown>,
): ObservedState {
  const kind = read.kind;
  return { ...observed, [kind]: { ...observed[kind], [subjectOfRead(read)]: observation } };
}
