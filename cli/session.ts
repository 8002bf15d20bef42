/** What every command works with: the state, where it says things, the time. */
import type { StateReader } from "../lambda/aws/dynamodb-reading.ts";
import type { ManagedKey } from "../lambda/workflow/model/types.ts";
import { exitCodes, Failure } from "./terminal/failure.ts";
import { nearest } from "./terminal/near.ts";
import type { Talk } from "./terminal/talk.ts";

export type Session = {
  state: StateReader;
  talk: Talk;
  nowMs: number;
  /** By --now: then it is not the clock of this machine that is spoken of. */
  isNowGiven: boolean;
  json: boolean;
  tableName: string;
  /** Throws a Failure that names those that may have been meant. */
  managedKey(alias: string): Promise<ManagedKey>;
};

export type Where = { table?: string; region?: string; profile?: string; endpointUrl?: string };

/** Somebody waits: where nobody answers at all, three attempts have ended after some seven seconds. */
const patience = {
  connectionTimeout: 1500,
  requestTimeout: 2000,
  socketTimeout: 3000,
  throwOnRequestTimeout: true,
};

/** The SDK is loaded here, and by no command that does not need it: it takes most of the start. */
export async function openSession(
  where: Where,
  talk: Talk,
  env: Record<string, string | undefined>,
  rest: Pick<Session, "nowMs" | "isNowGiven" | "json">,
): Promise<Session> {
  const tableName = where.table ?? env["KEYTURN_TABLE"] ?? "";
  if (tableName === "") {
    const message = "which table? Name it by --table or KEYTURN_TABLE.";
    throw new Failure(
      exitCodes.usage,
      message,
      "aws cloudformation describe-stacks --query 'Stacks[].Outputs'",
    );
  }
  const { createState } = await import("../lambda/aws/dynamodb-reading.ts");
  const state = createState(tableName, {
    maxAttempts: 3,
    requestHandler: patience,
    ...(where.region === undefined ? {} : { region: where.region }),
    ...(where.profile === undefined ? {} : { profile: where.profile }),
    ...(where.endpointUrl === undefined ? {} : { endpoint: where.endpointUrl }),
  });
  const managedKey = async (given: string): Promise<ManagedKey> => {
    const alias = given.startsWith("alias/") ? given : `alias/${given}`;
    const stored = await state.read(alias);
    if (stored !== undefined) return stored.record;
    const schema = await state.newerSchema(alias);
    if (schema !== undefined) throw newer(alias, schema);
    const near = nearest(alias, await state.aliases());
    const meant = near.length === 0 ? "" : ` Did you mean ${near.join(" or ")}?`;
    throw new Failure(exitCodes.notFound, `${alias} is no managed key.${meant}`, "keyturn status");
  };
  return { state, talk, tableName, managedKey, ...rest };
}

function newer(alias: string, schema: number): Failure {
  const message = `${alias} has schema ${schema}, which newer code wrote: this keyturn cannot read it.`;
  return new Failure(exitCodes.attention, message, "keyturn explain SCHEMA_NEWER");
}
