/**
 * A client of the SDK knows every error of its service: most belong to operations that are never
 * called. Those can be left out, since to the SDK an error that it does not know is one of the
 * service's base class, with the same name, message and status, as a throttled call of KMS always is.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Metafile } from "esbuild";

/** By client: the errors that the operations in the bundle are documented to answer with. */
export type ErrorsOfClients = ReadonlyMap<string, ReadonlySet<string>>;

const command = /^(.*@aws-sdk\/(client-[\w-]+))\/dist-es\/commands\/(\w+Command)\.js$/;

/** What the commands that were bundled declare to throw; `folder` is where the paths begin. */
export function errorsOfCommands({ outputs }: Metafile, folder: string): ErrorsOfClients {
  const errors = new Map<string, Set<string>>();
  for (const [path, { bytesInOutput }] of Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs),
  )) {
    const [, packageFolder, client, name] = command.exec(path) ?? [];
    if (bytesInOutput === 0 || packageFolder === undefined || client === undefined) continue;
    const types = join(folder, packageFolder, "dist-types", "commands", `${name}.d.ts`);
    const declared = [...readFileSync(types, "utf8").matchAll(/@throws \{@link (\w+)\}/g)];
    if (declared.length === 0) throw new Error(`${types}: expected it to say what it throws`);
    const ofClient = errors.get(client) ?? new Set();
    for (const [, error] of declared) if (error !== undefined) ofClient.add(error);
    errors.set(client, ofClient);
  }
  return errors;
}

/** The client's schemas, which register its errors, with those of `errors` alone. */
export function withErrors(schemas: string, path: string, errors: ErrorsOfClients): string {
  const client = /@aws-sdk\/(client-[\w-]+)/.exec(path)?.[1] ?? "";
  const kept = errors.get(client);
  if (kept === undefined) return schemas;
  return schemas.replaceAll(
    /^n0_registry\.registerError\((\w+)\$, \1\);$/gm,
    (registration, name: string) => (kept.has(name) ? registration : ""),
  );
}
