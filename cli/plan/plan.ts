/** A plan: what the next runs will do, as one document that can be shown, kept, and applied. */
import type { Forecast } from "../forecast/forecast.ts";
import type { ForecastEvent } from "../forecast/planned.ts";
import { canonicalHash } from "../../lambda/record/canonical.ts";
import type { Mode } from "../../lambda/workflow/model/types.ts";
import type { Finding } from "../../lambda/workflow/model/findings.ts";

export const planSchema = "keyturn/plan/2";

/** What a KMS key costs in a month, whatever its kind; pending deletion, nothing (AWS KMS pricing). */
export const usdPerKeyMonth = 1;

export type PlannedKey = {
  alias: string;
  /** The record that all of this begins with, by the line that its journal ends in. */
  revision: number;
  head: string;
  /** That applying the plan asks for its next rotation to begin: `planned` begins with it. */
  rotates: boolean;
  planned: ForecastEvent[];
  waitsFor: Pick<Finding, "code" | "subject" | "next">[];
  waitingFor: string;
  dueAtMs: number;
  keysNow: number;
  keysThen: number;
  cut: boolean;
};

export type Unforeseen = { alias: string; why: string };

export type PlanBody = {
  schema: typeof planSchema;
  /** The version of keyturn that foresaw it: another one may decide otherwise. */
  keyturn: string;
  table: { name: string; id: string | undefined };
  madeAtMs: number;
  untilMs: number;
  /** Undefined where the table does not say. */
  mode: Mode | undefined;
  monthlyUsd: { now: number; then: number };
  /** Those to which something happens, or that wait for a person. */
  managedKeys: PlannedKey[];
  /** Those of which nothing can be said: by what is in the record, or because newer code wrote it. */
  unforeseen: Unforeseen[];
};

/** `hash` is over all the rest: what was changed by hand is not applied. */
export type Plan = PlanBody & { hash: string };

export function sealed(body: PlanBody): Plan {
  return { ...body, hash: canonicalHash(body) };
}

export function plannedKey(foreseen: Forecast, rotates: boolean): PlannedKey {
  const { waitsFor, ...rest } = foreseen;
  const waiting = waitsFor.map(({ code, subject, next }) => ({ code, subject, next }));
  return { ...rest, rotates, waitsFor: waiting };
}

export function concerns({ planned, waitsFor, rotates }: PlannedKey): boolean {
  return planned.length > 0 || waitsFor.length > 0 || rotates;
}

/** When its next rotation opens by itself; undefined where none does, or one is asked for already. */
export function opensAtMs({ planned }: Pick<Forecast, "planned">): number | undefined {
  const opened = planned.find(({ event }) => event === "opened");
  return planned.some(({ event }) => event === "rotation-requested") ? undefined : opened?.atMs;
}

export type MovedOn = { alias: string; why: string };

/** Why this is no longer the record that was planned on; undefined where it is. */
export function whyMovedOn(
  plan: Pick<Plan, "table">,
  planned: Pick<PlannedKey, "revision" | "head">,
  now: { record: { revision: number; tableId: string }; journalHead: string } | undefined,
): string | undefined {
  if (now === undefined) return "it is no managed key any more";
  const { revision, tableId } = now.record;
  if (plan.table.id !== undefined && tableId !== plan.table.id) {
    return `its record is of table ${tableId}, the plan of ${plan.table.id}`;
  }
  if (now.journalHead === planned.head) return undefined;
  return revision === planned.revision
    ? `line ${revision} of its journal is another one`
    : `the plan saw line ${planned.revision} of its journal, and it is at line ${revision}`;
}
