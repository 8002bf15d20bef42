/**
 * `npm run bench:model -- service-2.json`: every request that KMS's service model refuses, and valid ones, against the
 * embedded AWS. The model is botocore's `kms/2014-11-01/service-2.json`; `.ci/kms-model` gets it.
 */
import { readFileSync } from "node:fs";
import { SimClock } from "../embedded-aws/clock.ts";
import { AwsError } from "../embedded-aws/http/aws-error.ts";
import { cheapCryptography } from "../embedded-aws/kms/cheap-cryptography.ts";
import { KmsTwin } from "../embedded-aws/kms/twin.ts";
import { SimRandom } from "../embedded-aws/random.ts";
import { extras, needed, preparedFor } from "./kms-model-values.ts";

type Shape = {
  type: string;
  required?: string[];
  members?: Record<string, { shape: string }>;
  member?: { shape: string };
  min?: number;
  max?: number;
  pattern?: string;
  enum?: string[];
};
type Model = {
  operations: Record<string, { input: { shape: string } }>;
  shapes: Record<string, Shape>;
};

export type Tried = { operation: string; what: string; expected: string; answer: string };

const caller = { principalArn: "arn:aws:iam::000000000000:root" };

/** A new KMS for each request: none depends on another. */
function answerTo(operation: string, change: (input: Record<string, unknown>) => unknown): string {
  const clock = new SimClock({ startMs: Date.UTC(2026, 10, 1) });
  const random = new SimRandom(1);
  const kms = new KmsTwin({ clock, random, cryptography: cheapCryptography, quotas: "off" });
  const ask = (name: string, input: object) => kms.call(name, input, caller);
  const input = preparedFor(operation, ask);
  try {
    ask(operation, change(input) as object);
    return "ok";
  } catch (error) {
    if (error instanceof AwsError) return error.code;
    throw error;
  }
}

/** All requests of the operations that the embedded AWS claims to answer. */
export function triedAll(model: Model): { tried: Tried[]; missing: string[] } {
  const tried: Tried[] = [];
  const missing: string[] = [];
  for (const [operation, { input }] of Object.entries(model.operations)) {
    if (answerTo(operation, (valid) => valid) === "UnknownOperationException") {
      missing.push(operation);
      continue;
    }
    const shape = model.shapes[input.shape] as Shape;
    const note = (what: string, expected: string, change: (valid: object) => unknown): void => {
      tried.push({ operation, what, expected, answer: answerTo(operation, change) });
    };
    note("minimal", "ok", (valid) => valid);
    note("full", "ok", (valid) => ({ ...valid, ...extras(operation, valid) }));
    note("no structure", "SerializationException", () => []);
    for (const name of shape.required ?? []) {
      note(`without ${name}`, "ValidationException", (valid) => ({ ...valid, [name]: undefined }));
    }
    for (const [name, { shape: of }] of Object.entries(shape.members ?? {})) {
      for (const wrong of wrongValues(model, of)) {
        const what = `${name}: ${wrong.what}`;
        note(what, wrong.expected, (valid) => ({ ...valid, [name]: wrong.value }));
      }
    }
  }
  return { tried, missing };
}

type Wrong = { what: string; expected: string; value: unknown };

/** What the model refuses in a member: of a wrong type, too small, too large, not in its enum, not in its pattern. */
function wrongValues(model: Model, name: string): Wrong[] {
  const shape = model.shapes[name] as Shape;
  const { type, min, max } = shape;
  const invalid = (what: string, value: unknown): Wrong => ({
    ...{ what, value },
    expected: "ValidationException",
  });
  const wrongType: Wrong = {
    ...{ what: "of a wrong type", expected: "SerializationException" },
    value: type === "string" || type === "blob" ? { a: 1 } : type === "list" ? "text" : "wrong",
  };
  switch (type) {
    case "string":
      return [
        wrongType,
        ...(shape.enum === undefined ? [] : [invalid("not in its enum", "NOT_IN_THE_ENUM")]),
        ...(min === undefined || min === 0 ? [] : [invalid("too short", "a".repeat(min - 1))]),
        ...(max === undefined ? [] : [invalid("too long", "a".repeat(max + 1))]),
        ...(shape.pattern === undefined || !refuses(shape.pattern)
          ? []
          : [invalid("not of its pattern", outside.repeat(Math.max(1, min ?? 1)))]),
      ];
    case "blob":
      return [
        wrongType,
        ...(min === undefined || min === 0 ? [] : [invalid("too short", "")]),
        ...(max === undefined
          ? []
          : [invalid("too long", Buffer.alloc(max + 1).toString("base64"))]),
      ];
    case "integer":
      return [
        wrongType,
        ...(min === undefined ? [] : [invalid("too small", min - 1)]),
        ...(max === undefined ? [] : [invalid("too large", max + 1)]),
      ];
    case "list": {
      const member = shape.member?.shape ?? "";
      const inside = wrongValues(model, member).map(({ what, expected, value }) => ({
        ...{ what: `a member ${what}`, expected, value: [value] },
      }));
      const many = Array.from({ length: (max ?? 0) + 1 }, () => needed(model.shapes, member));
      return [
        wrongType,
        ...inside,
        ...(min === undefined || min === 0 ? [] : [invalid("too short", [])]),
        ...(max === undefined ? [] : [invalid("too long", many)]),
      ];
    }
    case "structure":
      return [
        wrongType,
        ...Object.entries(shape.members ?? {}).flatMap(([member, { shape: of }]) =>
          wrongValues(model, of).map(({ what, expected, value }) => ({
            ...{ what: `${member} ${what}`, expected },
            value: { ...(needed(model.shapes, name) as object), [member]: value },
          })),
        ),
        ...(shape.required ?? []).map((member) =>
          invalid(`without ${member}`, {
            ...(needed(model.shapes, name) as object),
            [member]: undefined,
          }),
        ),
      ];
    default:
      return [wrongType];
  }
}

/** A character that no pattern of the model has. */
const outside = "\u0100";

function refuses(pattern: string): boolean {
  return !new RegExp(`^(?:${pattern})$`).test(outside);
}

if (import.meta.main) {
  const [path] = process.argv.slice(2);
  if (path === undefined) throw new Error("expected the path of service-2.json");
  const { tried, missing } = triedAll(JSON.parse(readFileSync(path, "utf8")) as Model);
  const wrong = tried.filter(({ expected, answer }) => expected !== answer);
  for (const { operation, what, expected, answer } of wrong) {
    console.log(`${operation}, ${what}: ${answer} instead of ${expected}`);
  }
  const valid = wrong.filter(({ what }) => what === "minimal" || what === "full");
  const share = 1 - wrong.length / tried.length;
  console.log(`not answered: ${missing.join(", ")}`);
  console.log(`${(100 * share).toFixed(2)} % of ${tried.length} answers are as the model says`);
  console.log(`${valid.length} valid requests refused`);
  process.exitCode = share >= 0.99 && valid.length === 0 ? 0 : 1;
}
