/** The entry point of the second function. Its environment: `KEYTURN_TABLE`, and `KEYTURN_ROLE` (environment.ts). */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createRefusalsFunction } from "./function.ts";

const { KEYTURN_TABLE: tableName = "", KEYTURN_ROLE: roleName } = process.env;
if (tableName === "") throw new Error("KEYTURN_TABLE: expected the name of the state table");

/** Beside the bundle, where the construct puts it. */
const aliasesFile = fileURLToPath(new URL("aliases.json", import.meta.url));

export const handler = createRefusalsFunction(
  {
    tableName,
    ...(roleName === undefined || roleName === "" ? {} : { roleName }),
    aliases: JSON.parse(readFileSync(aliasesFile, "utf8")) as Record<string, string>,
  },
  () => Date.now(),
);
