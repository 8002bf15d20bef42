/**
 * Parses requests as operators and their tools write them (docs/requests.md), without trust: any
 * item becomes a valid request or a malformed one with a reason.
 */
import * as z from "zod/mini";
import { policyNamePattern } from "../configuration/schema.ts";
import type { RequestItem } from "../ports.ts";
import type { Request, RequestKind } from "../workflow/model/types.ts";

const idPattern = /^[0-9A-Za-z_-]{8,64}$/;

function text(least: number, most: number) {
  const expected = `a text of ${least} to ${most} characters`;
  return z.string(expected).check(z.minLength(least, expected), z.maxLength(most, expected));
}

const number = "a whole number, 1 or more";
const version = z
  .int({
    error: ({ input }) =>
      typeof input === "string" ? `${number}, of DynamoDB's type N, not a text` : number,
  })
  .check(z.positive(number));
const hash = "64 hexadecimal digits, in lower case";
const sha256 = z.string(hash).check(z.regex(/^[0-9a-f]{64}$/, hash));
const asked = {
  schema: z.optional(z.literal(1, "1")),
  by: text(1, 256),
  reason: z._default(text(0, 1024), ""),
  ifHead: z.optional(sha256),
};
const alias = text(1, 256);
const acceptsMax = 200;
const needs = `a list of at most ${acceptsMax} ids of needs, such as grant:0123abcd`;
const need = z
  .string(needs)
  .check(z.regex(/^(?:grant:[0-9a-zA-Z]{1,128}|refused:[^\s;,]{1,1000})$/, needs));

/** Rejects unknown fields of this kind, with a list of the known ones. */
function fields<Shape extends Record<string, z.core.SomeType>>(shape: Shape) {
  const all = { ...asked, ...shape };
  return z.strictObject(all, `no field of this name (fields: ${Object.keys(all).join(", ")})`);
}

const approval = fields({
  version,
  evidence: z._default(sha256, ""),
  of: z._default(z.enum(["disable", "delete"], "disable or delete"), "disable"),
  accepts: z._default(z.array(need, needs).check(z.maxLength(acceptsMax, needs)), []),
  override: z.optional(z.literal(true, "true, or nothing")),
  confirm: z._default(alias, ""),
});

const schemas = {
  rotate: fields({}),
  compromised: fields({ version }),
  rollback: fields({ version }),
  pause: fields({}),
  resume: fields({}),
  approve: approval,
  acknowledge: fields({
    version,
    dependent: z.string("a name").check(z.regex(policyNamePattern, "the name of a dependent")),
  }),
  "accept-policy": fields({ version, policy: sha256 }),
  reconcile: fields({ proposal: z.optional(version) }),
  enrol: fields({ policy: z.string("a name").check(z.regex(policyNamePattern, "a name")) }),
  "un-enrol": fields({ confirm: alias }),
} satisfies Record<RequestKind, unknown>;

/** Never throws. */
export function parseRequest({ id, body }: RequestItem): Request {
  const malformed = (why: string): Request => ({ id, kind: "malformed", why });
  if (!idPattern.test(id)) {
    return malformed(wrong("sk", id, "8 to 64 letters, digits, _ or -"));
  }
  const { kind, ...rest } = body;
  if (!isKind(kind)) {
    return malformed(wrong("kind", kind, `one of ${Object.keys(schemas).join(", ")}`));
  }
  const { data, error } = schemas[kind].safeParse(rest);
  const [issue] = error?.issues ?? [];
  if (issue !== undefined) return malformed(whyNot(issue, rest));
  const { schema: _, ...understood } = { schema: undefined, ...data };
  const request = { ...understood, id, kind } as unknown as Request;
  if (request.kind !== "approve") return request;
  const override = request.override === true;
  const why = contradiction({ ...request, override });
  return why === undefined ? { ...request, override } : malformed(why);
}

function isKind(kind: unknown): kind is RequestKind {
  return typeof kind === "string" && Object.hasOwn(schemas, kind);
}

/** An approval names the evidence's hash, or overrides evidence by the typed alias; never both. */
function contradiction(request: Extract<Request, { kind: "approve" }>): string | undefined {
  const { evidence, override, confirm } = request;
  if (override) {
    const expected = "the alias, to override evidence";
    return confirm === "" ? wrong("confirm", undefined, expected) : undefined;
  }
  if (evidence === "") return wrong("evidence", undefined, hash);
  const expected = "nothing without override";
  return confirm === "" ? undefined : wrong("confirm", confirm, expected);
}

function whyNot(issue: z.core.$ZodIssue, body: Record<string, unknown>): string {
  const field = issue.code === "unrecognized_keys" ? issue.keys[0] : issue.path[0];
  const name = String(field);
  return wrong(name, Object.hasOwn(body, name) ? body[name] : undefined, issue.message);
}

/**
 * Goes into the record and its journal, and so it is always short: a name alone may have 64 KB, and
 * the managed key could never move if its record were too large for DynamoDB.
 */
function wrong(field: string, got: unknown, expected: string): string {
  const name = /^[\w-]{1,64}$/.test(field) ? field : render(field);
  return `${name}: got ${render(got)}, expected ${expected}`;
}

function render(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "number") return String(value);
  let rendered: string;
  try {
    rendered = JSON.stringify(value, plainly) ?? typeof value;
  } catch {
    rendered = typeof value;
  }
  if (rendered.length <= 80) return rendered;
  // Storing half a surrogate pair changes it, and the line's hash would no longer match.
  return `${rendered.slice(0, 77).toWellFormed()}...`;
}

/** DynamoDB values need not be JSON. */
function plainly(_: string, value: unknown): unknown {
  if (value instanceof Set) return { set: [...(value as Set<unknown>)] };
  if (ArrayBuffer.isView(value)) return { bytes: value.byteLength };
  return value;
}
