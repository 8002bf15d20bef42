/** `keyturn history` and `keyturn verify`: the journal of a managed key, and whether it is whole. */
import { verifyChain, type Anchor } from "../chain.ts";
import { exitCodes, type ExitCode } from "../failure.ts";
import type { Session } from "../session.ts";
import { type Column, tableLines } from "../table-view.ts";
import { moment } from "../words.ts";
import type { JournalEntry } from "../../lambda/ports.ts";

export const historySchema = "keyturn/history/1";
export const verifySchema = "keyturn/verify/1";

export async function history(
  session: Session,
  given: string,
  options: { last?: number },
): Promise<ExitCode> {
  const { alias } = await session.managedKey(given);
  const all = await session.state.journal(alias);
  const shown = options.last === undefined ? all : all.slice(-options.last);
  const { talk } = session;
  if (session.json) {
    talk.json({ schema: historySchema, alias, entries: shown });
    return exitCodes.ok;
  }
  const columns: Column<JournalEntry>[] = [
    { title: "LINE", cell: ({ revision }) => String(revision), leaves: 2 },
    { title: "AT (UTC)", cell: ({ atMs }) => moment(atMs), leaves: 0 },
    { title: "STEP", cell: ({ step }) => step ?? "", leaves: 1 },
    { title: "EVENT", cell: ({ event }) => event, leaves: 0 },
    {
      title: "WHY",
      cell: ({ reason, detail }) => `${reason}${inWords(detail)}`,
      leaves: 0,
      atLeast: 10,
    },
  ];
  for (const line of tableLines(columns, shown, talk.columns)) talk.line(line);
  return exitCodes.ok;
}

function inWords(detail: JournalEntry["detail"]): string {
  const parts = Object.entries(detail).map(([name, value]) => `${name} ${value}`);
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}

export async function verify(
  session: Session,
  given: string | undefined,
  anchor: Anchor | undefined,
): Promise<ExitCode> {
  const { state, talk } = session;
  const aliases =
    given === undefined
      ? (await state.managedKeys(({ alias: name }) => name)).sort()
      : [(await session.managedKey(given)).alias];
  const verdicts = [];
  for (const alias of aliases) {
    // The head first: what is written meanwhile only makes the chain longer.
    const head = (await state.read(alias))?.journalHead ?? "";
    const entries = await state.journal(alias);
    const upToHead = entries.findIndex(({ hash }) => hash === head);
    const known = upToHead < 0 ? entries : entries.slice(0, upToHead + 1);
    verdicts.push({ alias, ...verifyChain(alias, known, head, anchor) });
  }
  const broken = verdicts.filter(({ kind }) => kind === "broken");
  const code = broken.length > 0 ? exitCodes.attention : exitCodes.ok;
  if (session.json) {
    talk.json({ schema: verifySchema, verdicts });
    return code;
  }
  for (const one of verdicts) {
    if (one.kind === "whole") {
      talk.line(
        `${talk.styled("green", "whole")}   ${one.alias}: ${one.lines} lines, head ${one.head}`,
      );
    } else {
      talk.line(
        `${talk.styled("red", "BROKEN")}  ${one.alias}: at line ${one.revision}: ${one.why}`,
      );
    }
  }
  if (anchor === undefined && broken.length === 0) {
    talk.note(
      "Whoever can write the table can write such a chain: hold it against a head noted elsewhere (--anchor).",
    );
  }
  return code;
}
