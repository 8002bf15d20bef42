/** `keyturn reconcile`, after the function has made a proposal. */
import { exitCodes, type ExitCode } from "../terminal/failure.ts";
import { proposalLines, sideBySide } from "../requests/proposal.ts";
import { noteCommand, noteText } from "../terminal/print.ts";
import type { Session } from "../session.ts";

export const proposalSchema = "keyturn/proposal/1";

/** Undefined if there is no proposal yet: a request asks for one. */
export async function shownProposal(
  session: Session,
  given: string,
): Promise<ExitCode | undefined> {
  const { talk, json } = session;
  const record = await session.managedKey(given);
  const { alias, proposal } = record;
  if (proposal === undefined) return undefined;
  const write = `npx keyturn reconcile ${alias} --proposal ${proposal.revision} --confirm ${alias}`;
  if (json) {
    const versions = sideBySide(record, proposal);
    talk.json({ schema: proposalSchema, alias, proposal: proposal.revision, versions, write });
    return exitCodes.attention;
  }
  for (const line of proposalLines(record, proposal, talk.columns)) talk.line(line);
  noteText(
    talk,
    "",
    `This was the state of KMS at line ${proposal.revision} of the journal. To write exactly this to the record:`,
  );
  noteCommand(talk, " ", write);
  noteText(talk, "", "To read KMS again:");
  noteCommand(talk, " ", `npx keyturn reconcile ${alias} --anew`);
  return exitCodes.attention;
}
