/** The entry point of the second function. Its environment: `KEYTURN_TABLE`, and `KEYTURN_ROLE` (environment.ts). */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createRefusalsFunction, type RefusalsConfiguration } from "./function.ts";

const { KEYTURN_TABLE: tableName = "", KEYTURN_ROLE: roleName } = process.env;
if (tableName === "") throw new Error("KEYTURN_TABLE: expected the name of the state table");

/** Beside the bundle, where the construct puts it. */
const configurationFile = fileURLToPath(new URL("refusals.json", import.meta.url));

export const handler = createRefusalsFunction(
  {
    tableName,
    ...(roleName === undefined || roleName === "" ? {} : { roleName }),
    ...(JSON.parse(readFileSync(configurationFile, "utf8")) as RefusalsConfiguration),
  },
  () => Date.now(),
);
