/** What tests say of a decision: each says one thing, and leaves the rest open. */
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

export function sentencesOf(said: Decision | Finding): string[] {
  if ("code" in said) return [said.subject, said.observed, said.next];
  switch (said.kind) {
    case "observe":
      return [];
    case "change":
      return [said.entry.reason];
    case "halt":
      return sentencesOf(said.finding);
    case "wait":
      return [said.reason, ...(said.finding === undefined ? [] : sentencesOf(said.finding))];
    case "call":
    case "blocked":
    case "retry":
      return [said.reason];
  }
}

/** Whatever is decided says why; whatever a person must know, what was seen and what to type. */
export function spoken<T extends Decision | Finding | undefined>(said: T): T {
  if (said === undefined) return said;
  for (const sentence of sentencesOf(said)) {
    expect(sentence).not.toBe("");
    expect(sentence).not.toMatch(/undefined|NaN|\[object|Stryker/);
  }
  return said;
}

/** The record as a decision changes it. */
export function nextOf(decision: Decision | undefined): ManagedKey {
  spoken(decision);
  if (decision?.kind !== "change") throw new Error(`not a change: ${JSON.stringify(decision)}`);
  return decision.next;
}

/** That somebody must know this, about that, and until then nothing moves. */
export function halts(code: string, subject: string): object {
  return { kind: "halt", finding: { code, subject, sinceMs: nowMs } };
}

/** That it waits until then, and that a person is told this in the meantime. */
export function waits(untilMs: number, code?: string, subject?: string): object {
  const about = subject === undefined ? {} : { subject };
  const finding = { finding: { code, sinceMs: nowMs, ...about } };
  return { kind: "wait", untilMs, ...(code === undefined ? {} : finding) };
}

/** That this call is made, for this matter. */
export function calls(kind: string, fields: object = {}, matter: object = ofRotation): object {
  return { kind: "call", call: { kind, ...fields }, matter };
}

export const ofRotation = { kind: "rotation", rotationId: "r1" };

/** That the record changes, with such a line of history. */
export function changes(event: string, detail?: object): object {
  return { kind: "change", entry: { event, ...(detail === undefined ? {} : { detail }) } };
}

/** What a decision asks to see, in turn, until it has seen enough; `decide` is given what it asked for. */
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
  throw new Error(`it never sees enough: ${asked.join()}`);
}

function withObservation(
  observed: ObservedState,
  read: KmsRead,
  observation: Observation<unknown>,
): ObservedState {
  const kind = read.kind;
  return { ...observed, [kind]: { ...observed[kind], [subjectOfRead(read)]: observation } };
}
