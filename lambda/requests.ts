/**
 * A request as people and their tools write it (docs/requests.md), read without trust: whatever is
 * there becomes a request that is understood, or one that is malformed and says why.
 */
import * as z from "zod/mini";
import { policyNamePattern } from "./config-schema.ts";
import type { RequestItem } from "./ports.ts";
import type { Request, RequestKind } from "./workflow/types.ts";

const idPattern = /^[0-9A-Za-z_-]{8,64}$/;

function text(least: number, most: number) {
  const expected = `a text of ${least} to ${most} characters`;
  return z.string(expected).check(z.minLength(least, expected), z.maxLength(most, expected));
}

const number = "a whole number, 1 or more";
const version = z.int(number).check(z.positive(number));
const asked = {
  schema: z.optional(z.literal(1, "1")),
  by: text(1, 256),
  reason: z._default(text(0, 1024), ""),
};
const alias = text(1, 256);

function fields<Shape extends Record<string, z.core.SomeType>>(shape: Shape) {
  return z.strictObject({ ...asked, ...shape });
}

const approval = fields({
  version,
  evidence: z._default(
    z.string("64 hexadecimal digits").check(z.regex(/^[0-9a-f]{64}$/, "64 hexadecimal digits")),
    "",
  ),
  override: z.optional(z.literal(true, "true, or nothing at all")),
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
  reconcile: fields({ proposal: z.optional(version) }),
  "un-enrol": fields({ confirm: alias }),
} satisfies Record<RequestKind, unknown>;

/** Never throws. */
export function parseRequest({ id, body }: RequestItem): Request {
  const malformed = (why: string): Request => ({ id, kind: "malformed", why });
  if (!idPattern.test(id)) {
    return malformed(`sk: got ${render(id)}, expected 8 to 64 letters, digits, _ or -`);
  }
  const { kind, ...rest } = body;
  if (!isKind(kind)) {
    const kinds = Object.keys(schemas).join(", ");
    return malformed(`kind: got ${render(kind)}, expected one of ${kinds}`);
  }
  const { data, error } = schemas[kind].safeParse(rest);
  const [issue] = error?.issues ?? [];
  if (issue !== undefined) return malformed(whyNot(issue, rest));
  const { schema: _, ...understood } = { schema: undefined, ...data };
  const request = { ...understood, id, kind } as unknown as Request;
  if (request.kind !== "approve") return request;
  const override = request.override === true;
  const contradiction = override
    ? request.confirm === "" && "confirm: expected the alias, typed, where evidence is overridden"
    : (request.evidence === "" && "evidence: got nothing, expected 64 hexadecimal digits") ||
      (request.confirm !== "" && "confirm: expected only where evidence is overridden");
  return contradiction === false ? { ...request, override } : malformed(contradiction);
}

function isKind(kind: unknown): kind is RequestKind {
  return typeof kind === "string" && Object.hasOwn(schemas, kind);
}

function whyNot(issue: z.core.$ZodIssue, body: Record<string, unknown>): string {
  if (issue.code === "unrecognized_keys") {
    return `${issue.keys.join(", ")}: no field of this kind of request`;
  }
  const [field] = issue.path;
  const got = typeof field === "string" ? render(body[field]) : "this";
  return `${String(field)}: got ${got}, expected ${issue.message}`;
}

/** Sets, bytes and big numbers too: what DynamoDB holds need not be JSON. */
function render(value: unknown): string {
  if (value === undefined) return "nothing";
  let rendered: string;
  try {
    rendered = JSON.stringify(value) ?? typeof value;
  } catch {
    rendered = typeof value;
  }
  return rendered.length <= 80 ? rendered : `${rendered.slice(0, 77)}...`;
}
