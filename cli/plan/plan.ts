/** A plan: a prediction of the next runs, as one document to show, keep and apply. */
import type { Forecast } from "../forecast/forecast.ts";
import type { ForecastEvent } from "../forecast/planned.ts";
import { canonicalHash } from "../../lambda/record/canonical.ts";
import type { KeptVersions } from "../../lambda/configuration/kept-versions.ts";
import type { Mode } from "../../lambda/workflow/model/types.ts";
import { commandLine } from "../../lambda/workflow/model/commands.ts";
import type { Finding } from "../../lambda/workflow/model/findings.ts";

export const planSchema = "keyturn/plan/2";

/** What an operator must do. A finding that the plan predicts has `sinceMs` after `madeAtMs`. */
type Awaited = Pick<Finding, "code" | "subject" | "sinceMs" | "next">;

export type PlannedKey = {
  alias: string;
  /** The record at the start of the prediction, identified by the last line of its journal. */
  revision: number;
  head: string;
  /** `apply` requests its next rotation: `planned` begins with it. */
  rotates: boolean;
  planned: ForecastEvent[];
  waitsFor: Awaited[];
  waitingFor: string;
  dueAtMs: number;
  keysNow: number;
  keysThen: number;
  /** The prediction stopped before `untilMs`: it reached its limit of passes. */
  truncated: boolean;
};

export type NotPredicted = { alias: string; why: string };

export type PlanBody = {
  schema: typeof planSchema;
  /** The version of keyturn that made it. Another version may decide differently. */
  keyturn: string;
  table: { name: string; id: string | undefined };
  madeAtMs: number;
  untilMs: number;
  /** Undefined if the table does not have it. */
  mode: Mode | undefined;
  monthlyUsd: { now: number; then: number };
  /** Of the retired versions, beyond `untilMs`; undefined where it is trivial. */
  keptVersions: KeptVersions | undefined;
  /** Those that change, or that need an operator. */
  managedKeys: PlannedKey[];
  /** Those without a prediction: the record has an error, or newer code wrote it. */
  notPredicted: NotPredicted[];
};

/** `hash` covers all other fields: `apply` rejects an edited plan. */
export type Plan = PlanBody & { hash: string };

export function sealed(body: PlanBody): Plan {
  return { ...body, hash: canonicalHash(body) };
}

export function plannedKey(prediction: Forecast, rotates: boolean, nowMs: number): PlannedKey {
  const { waitsFor, ...rest } = prediction;
  const waiting = waitsFor.map(({ code, subject, sinceMs, next }) => {
    // The command of a predicted finding names evidence that does not exist yet.
    const then = sinceMs > nowMs ? commandLine("npx", "keyturn", "status", rest.alias) : next;
    return { code, subject, sinceMs, next: then };
  });
  return { ...rest, rotates, waitsFor: waiting };
}

export function concerns({ planned, waitsFor, rotates }: PlannedKey): boolean {
  return planned.length > 0 || waitsFor.length > 0 || rotates;
}

/** When its next rotation opens on schedule; undefined if none does, or if one is requested. */
export function opensAtMs({ planned }: Pick<Forecast, "planned">): number | undefined {
  const opened = planned.find(({ event }) => event === "opened");
  return planned.some(({ event }) => event === "rotation-requested") ? undefined : opened?.atMs;
}

export type MovedOn = { alias: string; why: string };

/** Why the record is not the one that the plan is based on; undefined if it is. */
export function whyMovedOn(
  plan: Pick<Plan, "table">,
  planned: Pick<PlannedKey, "revision" | "head">,
  now: { record: { revision: number; tableId: string }; journalHead: string } | undefined,
): string | undefined {
  if (now === undefined) return "it is no longer a managed key";
  const { revision, tableId } = now.record;
  if (plan.table.id !== undefined && tableId !== plan.table.id) {
    return `its record is of table ${tableId}; the plan is for table ${plan.table.id}`;
  }
  if (now.journalHead === planned.head) return undefined;
  return revision === planned.revision
    ? `line ${revision} of its journal has another hash`
    : `its journal is at line ${revision}; the plan is based on line ${planned.revision}`;
}
