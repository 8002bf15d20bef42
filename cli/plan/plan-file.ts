/** A plan as a file: written whole, and read without trust. */
import { readFileSync, writeFileSync } from "node:fs";
import * as z from "zod/mini";
import { canonicalHash } from "../../lambda/record/canonical.ts";
import { exitCodes, Failure } from "../terminal/failure.ts";
import { planSchema, type Plan } from "./plan.ts";

/** What applying rests on; the rest is for people, and held by the hash. */
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
    throw new Failure(exitCodes.usage, message, "keyturn plan --help", error);
  }
}

/** Refuses what is no plan, what another version made, and what was changed since it was written. */
export function readPlan(file: string, version: string): Plan {
  const anew = `keyturn plan --out ${file}`;
  const no = (why: string, cause?: unknown): Failure =>
    new Failure(exitCodes.usage, `${file} ${why}`, anew, cause);
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
    throw no("is no plan: it is not JSON", error);
  }
  const { schema } = (document ?? {}) as { schema?: unknown };
  if (typeof schema !== "string" || !schema.startsWith("keyturn/plan/")) {
    throw no(`is no plan: its schema is not ${planSchema}`);
  }
  if (schema !== planSchema) throw no(`is of ${schema}; this keyturn applies ${planSchema}`);
  const { data, error } = applicable.safeParse(document);
  if (data === undefined) {
    const [issue] = error?.issues ?? [];
    throw no(`is no whole plan: ${issue?.path.join(".") ?? "it"} is not as it should be`);
  }
  if (data.keyturn !== version) {
    throw no(`was made by keyturn ${data.keyturn}, which may decide otherwise than ${version}`);
  }
  const { hash, ...body } = document as Plan;
  if (canonicalHash(body) !== hash) throw no("was changed since it was written");
  return document as Plan;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
