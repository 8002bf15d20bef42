/** `keyturn history` and `keyturn verify`: show a journal, and verify its hash chain. */
import { inPresentNames } from "../../lambda/record/earlier-events.ts";
import { verifyChain, type Anchor, type ChainVerdict } from "../journal/chain.ts";
import { exitCodes, type ExitCode } from "../terminal/failure.ts";
import { noteText, printText } from "../terminal/print.ts";
import type { Session } from "../session.ts";
import type { Talk } from "../terminal/talk.ts";
import { type Column, tableLines } from "../terminal/table-view.ts";
import { formatTime } from "../terminal/words.ts";
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
    { title: "LINE", cell: ({ revision }) => String(revision), leaves: 1 },
    {
      title: "AT (UTC)",
      cell: ({ atMs }) => formatTime(atMs),
      leaves: 0,
      atLeast: 10,
      prefers: 16,
    },
    { title: "STEP", cell: ({ step }) => step ?? "", leaves: 2 },
    { title: "EVENT", cell: (line) => inPresentNames(line).event, leaves: 0, atLeast: 10 },
    {
      title: "WHY",
      cell: ({ reason, detail }) => `${reason}${inWords(detail)}`,
      leaves: 0,
      atLeast: 10,
      prefers: 37,
    },
  ];
  for (const line of tableLines(columns, shown, talk.columns)) talk.line(line);
  return exitCodes.ok;
}

function inWords(detail: JournalEntry["detail"]): string {
  // No finding closed, for example.
  const given = Object.entries(detail).filter(([, value]) => value !== "");
  const parts = given.map(([name, value]) => {
    if (name === "extras") return `excess keys ${value}`;
    // `--json` has all of it.
    return name === "publicKey" ? `publicKey ${String(value).slice(0, 16)}…` : `${name} ${value}`;
  });
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
      ? (await state.aliases()).sort()
      : [(await session.managedKey(given)).alias];
  const verdicts = await together(aliases, async (alias) => {
    const history = await state.history(alias);
    if (history === undefined) return [];
    return [{ alias, ...verifyChain(alias, history.journal, history.journalHead, anchor) }];
  });
  const broken = verdicts.filter(({ kind }) => kind === "broken");
  const code = broken.length > 0 ? exitCodes.attention : exitCodes.ok;
  if (session.json) {
    talk.json({ schema: verifySchema, verdicts });
    return code;
  }
  for (const one of verdicts) printVerdict(talk, one);
  if (anchor === undefined && broken.length === 0) {
    const but =
      "A principal that can write the table can rewrite a whole chain. To detect that, give a head that you noted outside the table (--anchor).";
    noteText(talk, "", but);
  }
  return code;
}

/** Does not break the hash, which an operator pastes. */
function printVerdict(talk: Talk, one: ChainVerdict & { alias: string }): void {
  if (one.kind === "broken") {
    const what = `${one.alias}: at line ${one.revision}: ${one.why}`;
    printText(talk, `${talk.styled("red", "BROKEN")}  `, what);
    return;
  }
  const what = `${one.alias}: ${one.lines} lines, head ${one.head}`;
  printText(talk, `${talk.styled("green", "intact")}  `, what);
}

const readers = 8;

/** In the given order, a few at a time. */
async function together<T, U>(all: T[], read: (one: T) => Promise<U[]>): Promise<U[]> {
  const found: U[][] = [];
  let next = 0;
  const reader = async (): Promise<void> => {
    for (let at = next++; at < all.length; at = next++) {
      found[at] = await read(all[at] as T);
    }
  };
  await Promise.all(Array.from({ length: readers }, reader));
  return found.flat();
}
