/** Writes a plan to a file, and validates a plan file. */
import { readFileSync, writeFileSync } from "node:fs";
import * as z from "zod/mini";
import { canonicalHash } from "../../lambda/record/canonical.ts";
import { exitCodes, Failure } from "../terminal/failure.ts";
import { planSchema, type Plan } from "./plan.ts";

/** The fields that `apply` uses. The hash protects the others, which are for readers. */
const applicable = z.looseObject({
  schema: z.string(),
  keyturn: z.string(),
  table: z.object({ name: z.string(), id: z.optional(z.string()) }),
  madeAtMs: z.number(),
  untilMs: z.number(),
  hash: z.string(),
  managedKeys: z.array(
    z.looseObject({
      alias: z.string(),
      revision: z.number(),
      head: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
      rotates: z.boolean(),
    }),
  ),
});

export function writePlan(file: string, plan: Plan): void {
  try {
    writeFileSync(file, `${JSON.stringify(plan, undefined, 2)}\n`);
  } catch (error) {
    const message = `the plan cannot be written to ${file} (${codeOf(error)})`;
    throw new Failure(exitCodes.usage, message, "npx keyturn plan --help", error);
  }
}

/** Rejects a file that is not a plan, that another version made, or that was edited. */
export function readPlan(file: string, version: string): Plan {
  const next = `npx keyturn plan --out ${file}`;
  const no = (why: string, cause?: unknown): Failure =>
    new Failure(exitCodes.usage, `${file} ${why}`, next, cause);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw no(`cannot be read (${codeOf(error)})`, error);
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw no("is not a plan: it is not JSON", error);
  }
  const { schema } = (document ?? {}) as { schema?: unknown };
  if (typeof schema !== "string" || !schema.startsWith("keyturn/plan/")) {
    throw no(`is not a plan: its schema is not ${planSchema}`);
  }
  if (schema !== planSchema)
    throw no(`has the schema ${schema}; this keyturn applies ${planSchema}`);
  const { data, error } = applicable.safeParse(document);
  if (data === undefined) {
    const [issue] = error?.issues ?? [];
    throw no(`is not a complete plan: ${issue?.path.join(".") ?? "it"} is invalid`);
  }
  if (data.keyturn !== version) {
    throw no(`was made by keyturn ${data.keyturn}; keyturn ${version} may decide differently`);
  }
  const { hash, ...body } = document as Plan;
  if (canonicalHash(body) !== hash) throw no("was edited after it was written");
  return document as Plan;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
