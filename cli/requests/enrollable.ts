/** Whether the function would accept an enrolment request, as far as the table shows. */
import { mayEnrol, notOpen } from "../../lambda/configuration/homes.ts";
import { exitCodes, Failure } from "../terminal/failure.ts";
import { nearest } from "../terminal/near.ts";
import type { Session } from "../session.ts";

/** The alias in full. Throws a Failure if the function would reject the request. */
export async function enrollableAlias(
  { state }: Session,
  given: string,
  policy: string,
): Promise<string> {
  const alias = given.startsWith("alias/") ? given : `alias/${given}`;
  const [stored, configuration] = await Promise.all([state.read(alias), state.configuration()]);
  const record = stored?.record;
  if (record !== undefined && record.unenrolment === undefined) {
    const message = `${alias} is already a managed key`;
    throw new Failure(exitCodes.attention, message, `npx keyturn status ${alias}`);
  }
  if (configuration === undefined) return alias;
  const { policies } = configuration;
  if (!policies.includes(policy)) {
    const near = nearest(policy, policies);
    const meant = near.length === 0 ? "" : ` Did you mean ${near.join(" or ")}?`;
    const message = `the configuration has no policy ${policy}; it has ${policies.join(", ")}.${meant}`;
    throw new Failure(exitCodes.usage, message, "npx keyturn enrol --help");
  }
  if (record === undefined && !mayEnrol(configuration, alias)) {
    const next = `add ${alias} to taggedAliases or managedKeys in the configuration, and deploy it`;
    throw new Failure(exitCodes.attention, notOpen(configuration, alias), next);
  }
  return alias;
}
