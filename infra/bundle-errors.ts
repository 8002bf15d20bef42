/**
 * An SDK client contains every error of its service, most for operations that keyturn never calls.
 * The bundle leaves those out: the SDK then returns the service's base class with the same name,
 * message and status, as it always does for a throttled call of KMS.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Metafile } from "esbuild";

/** By client: the documented errors of the operations in the bundle. */
export type ErrorsOfClients = ReadonlyMap<string, ReadonlySet<string>>;

const command = /^(.*@aws-sdk\/(client-[\w-]+))\/dist-es\/commands\/(\w+Command)\.js$/;

/** The errors that the bundled commands declare to throw; paths are relative to `folder`. */
export function errorsOfCommands({ outputs }: Metafile, folder: string): ErrorsOfClients {
  const errors = new Map<string, Set<string>>();
  for (const [path, { bytesInOutput }] of Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs),
  )) {
    const [, packageFolder, client, name] = command.exec(path) ?? [];
    if (bytesInOutput === 0 || packageFolder === undefined || client === undefined) continue;
    const types = join(folder, packageFolder, "dist-types", "commands", `${name}.d.ts`);
    const declared = [...readFileSync(types, "utf8").matchAll(/@throws \{@link (\w+)\}/g)];
    if (declared.length === 0) throw new Error(`${types}: expected @throws in it`);
    const ofClient = errors.get(client) ?? new Set();
    for (const [, error] of declared) if (error !== undefined) ofClient.add(error);
    errors.set(client, ofClient);
  }
  return errors;
}

/** The client's schemas, registering only the errors in `errors`. */
export function withErrors(schemas: string, path: string, errors: ErrorsOfClients): string {
  const client = /@aws-sdk\/(client-[\w-]+)/.exec(path)?.[1] ?? "";
  const kept = errors.get(client);
  if (kept === undefined) return schemas;
  return schemas.replaceAll(
    /^n0_registry\.registerError\((\w+)\$, \1\);$/gm,
    (registration, name: string) => (kept.has(name) ? registration : ""),
  );
}

/** A service exception without fields of its own, as the SDK's generator writes it. */
const plainException = new RegExp(
  [
    String.raw`^export class (\w+) extends __BaseException \{`,
    String.raw`static shapeId = "([\w.]+)#\1";`,
    String.raw`name = "\1";`,
    String.raw`\$fault = "(\w+)";`,
    String.raw`constructor\(opts\) \{`,
    String.raw`super\(\{`,
    String.raw`name: "\1",`,
    String.raw`\$fault: "\3",`,
    String.raw`\.\.\.opts,`,
    String.raw`\}\);`,
    String.raw`Object\.setPrototypeOf\(this, \1\.prototype\);`,
    String.raw`\}`,
    String.raw`\}$`,
  ].join(String.raw`\s*`),
  "gm",
);

/** The module of a client's exceptions: one function makes a hundred equal classes that differ only in their name. */
export function withoutClasses(text: string): string {
  return (
    text.replaceAll(
      plainException,
      (_all, name: string, namespace: string, fault: string) =>
        `export const ${name} = /* @__PURE__ */ plainException("${namespace}", "${name}", "${fault}");`,
    ) +
    `function plainException(namespace, name, $fault) {
      const Exception = class extends __BaseException {
        static shapeId = namespace + "#" + name;
        name = name;
        $fault = $fault;
        constructor(opts) {
          super({ name, $fault, ...opts });
          Object.setPrototypeOf(this, Exception.prototype);
        }
      };
      return Exception;
    }`
  );
}
