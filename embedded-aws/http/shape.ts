/**
 * Request shapes, checked as AWS services check them: a value of the wrong type is an immediate
 * SerializationException; one ValidationException lists all violated constraints.
 */
import { AwsError } from "./aws-error.ts";

export type Problems = string[];

export type Shape<T> = { read(value: unknown, path: string, problems: Problems): T };
export type Read<S> = S extends Shape<infer T> ? T : never;

type Range = { min?: number; max?: number };
type Members = Record<string, Shape<unknown>>;
type Structure<R extends Members, O extends Members> = {
  [N in keyof R]: Read<R[N]>;
} & { [N in keyof O]?: Read<O[N]> };

/** Reads a request, or throws AWS's error for an ill-formed one. */
export function readInput<T>(shape: Shape<T>, input: unknown): T {
  const problems: Problems = [];
  const value = shape.read(input, "", problems);
  if (problems.length === 0) return value;
  const count =
    problems.length === 1 ? "1 validation error" : `${problems.length} validation errors`;
  throw new AwsError("ValidationException", `${count} detected: ${problems.join("; ")}`);
}

export function text(options: Range & { pattern?: RegExp; secret?: boolean } = {}): Shape<string> {
  return {
    read(value, path, problems) {
      if (typeof value !== "string") throw wrongType(value, "String");
      const shown = options.secret === true ? "Value" : `Value '${value}'`;
      checkLength(value.length, options, `${shown} at '${path}'`, problems);
      if (options.pattern !== undefined && !options.pattern.test(value)) {
        const rule = `Member must satisfy regular expression pattern: ${options.pattern.source}`;
        problems.push(`${shown} at '${path}' failed to satisfy constraint: ${rule}`);
      }
      return value;
    },
  };
}

export function oneOf<const T extends string>(...values: T[]): Shape<T> {
  return {
    read(value, path, problems) {
      if (typeof value !== "string") throw wrongType(value, "String");
      if (!(values as string[]).includes(value)) {
        const rule = `Member must satisfy enum value set: [${values.join(", ")}]`;
        problems.push(`Value '${value}' at '${path}' failed to satisfy constraint: ${rule}`);
      }
      return value as T;
    },
  };
}

export function integer(range: Range = {}): Shape<number> {
  return {
    read(value, path, problems) {
      if (typeof value !== "number" || !Number.isInteger(value)) throw wrongType(value, "Integer");
      const { min = -Infinity, max = Infinity } = range;
      const rule =
        value > max
          ? `less than or equal to ${max}`
          : value < min
            ? `greater than or equal to ${min}`
            : undefined;
      if (rule !== undefined) {
        const failed = `Value '${value}' at '${path}' failed to satisfy constraint`;
        problems.push(`${failed}: Member must have value ${rule}`);
      }
      return value;
    },
  };
}

export function flag(): Shape<boolean> {
  return {
    read(value) {
      if (typeof value !== "boolean") throw wrongType(value, "Boolean");
      return value;
    },
  };
}

/** Bytes, or base64 text from the wire. */
export function blob(range: Range = {}): Shape<Uint8Array> {
  return {
    read(value, path, problems) {
      const bytes = value instanceof Uint8Array ? value : fromBase64(value);
      checkLength(bytes.length, range, `Value at '${path}'`, problems);
      return bytes;
    },
  };
}

export function list<T>(of: Shape<T>, range: Range = {}): Shape<T[]> {
  return {
    read(value, path, problems) {
      if (!Array.isArray(value)) throw wrongType(value, "List");
      checkLength(value.length, range, `Value '[${value.length} members]' at '${path}'`, problems);
      return value.map((member, i) => of.read(member, `${path}.${i + 1}.member`, problems));
    },
  };
}

export function map(): Shape<Record<string, string>> {
  return {
    read(value) {
      if (!isObject(value)) throw wrongType(value, "Map");
      for (const member of Object.values(value)) {
        if (typeof member !== "string") throw wrongType(member, "String");
      }
      return { ...value } as Record<string, string>;
    },
  };
}

export function structure<R extends Members, O extends Members>(
  required: R,
  optional: O,
): Shape<Structure<R, O>> {
  const members = Object.entries({ ...required, ...optional }).map(
    ([name, shape]) => [name, lowerFirst(name), shape] as const,
  );
  return {
    read(value, path, problems) {
      if (!isObject(value)) throw wrongType(value, "Structure");
      const read: Record<string, unknown> = {};
      for (const [name, lower, shape] of members) {
        const memberPath = path === "" ? lower : `${path}.${lower}`;
        const member = value[name];
        if (member !== undefined && member !== null) {
          read[name] = shape.read(member, memberPath, problems);
        } else if (name in required) {
          const rule = "failed to satisfy constraint: Member must not be null";
          problems.push(`Value null at '${memberPath}' ${rule}`);
        }
      }
      return read as Structure<R, O>;
    },
  };
}

function checkLength(length: number, range: Range, subject: string, problems: Problems): void {
  const { min = 0, max = Infinity } = range;
  const rule =
    length > max
      ? `less than or equal to ${max}`
      : length < min
        ? `greater than or equal to ${min}`
        : undefined;
  if (rule === undefined) return;
  problems.push(`${subject} failed to satisfy constraint: Member must have length ${rule}`);
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function fromBase64(value: unknown): Uint8Array {
  if (typeof value !== "string") throw wrongType(value, "Blob");
  if (!base64.test(value)) throw new AwsError("SerializationException", "Invalid base64");
  return new Uint8Array(Buffer.from(value, "base64"));
}

function wrongType(value: unknown, expected: string): AwsError {
  const actual = Array.isArray(value) ? "LIST" : isObject(value) ? "STRUCTURE" : typeof value;
  const message = `${actual.toUpperCase()}_VALUE can not be converted to ${expected}`;
  return new AwsError("SerializationException", message);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The name of a field as CloudTrail and the wire have it. */
export function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
