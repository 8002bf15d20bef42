/** The context of every command: the state, the output, the time. */
import type { StateReader } from "../lambda/aws/dynamodb-reading.ts";
import type { ManagedKey } from "../lambda/workflow/model/types.ts";
import { exitCodes, Failure } from "./terminal/failure.ts";
import { nearest } from "./terminal/near.ts";
import type { Talk } from "./terminal/talk.ts";

export type Session = {
  state: StateReader;
  talk: Talk;
  nowMs: number;
  /** With --now: then `nowMs` is not the clock of this machine. */
  isNowGiven: boolean;
  json: boolean;
  tableName: string;
  /** Throws a Failure that names similar aliases. */
  managedKey(alias: string): Promise<ManagedKey>;
};

export type Where = { table?: string; region?: string; profile?: string; endpointUrl?: string };

/** For an interactive user: without an answer, three attempts end after about seven seconds. */
const timeouts = {
  connectionTimeout: 1500,
  requestTimeout: 2000,
  socketTimeout: 3000,
  throwOnRequestTimeout: true,
};

/** Loads the SDK, which takes most of the start, only for the commands that need it. */
export async function openSession(
  where: Where,
  talk: Talk,
  env: Record<string, string | undefined>,
  rest: Pick<Session, "nowMs" | "isNowGiven" | "json">,
): Promise<Session> {
  const tableName = where.table ?? env["KEYTURN_TABLE"] ?? "";
  if (tableName === "") {
    const message = "no table: name it with --table or KEYTURN_TABLE";
    throw new Failure(
      exitCodes.usage,
      message,
      "aws cloudformation describe-stacks --query 'Stacks[].Outputs'",
    );
  }
  const { createState } = await import("../lambda/aws/dynamodb-reading.ts");
  const state = createState(tableName, {
    maxAttempts: 3,
    requestHandler: timeouts,
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
    throw new Failure(
      exitCodes.notFound,
      `${alias} is not a managed key.${meant}`,
      "npx keyturn status",
    );
  };
  return { state, talk, tableName, managedKey, ...rest };
}

function newer(alias: string, schema: number): Failure {
  const message = `${alias} has schema ${schema}, which newer code wrote: this keyturn cannot read it`;
  return new Failure(exitCodes.attention, message, "npx keyturn explain SCHEMA_NEWER");
}
