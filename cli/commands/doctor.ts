/** `keyturn doctor`: checks the service itself. */
import type { Check } from "../doctor/checks.ts";
import { diagnose } from "../doctor/diagnosis.ts";
import { exitCodes, type ExitCode } from "../terminal/failure.ts";
import { noteText, printCommand, printText } from "../terminal/print.ts";
import type { Session } from "../session.ts";
import { isCollected } from "../forecast/refusals.ts";
import { signOf } from "../doctor/signs.ts";
import type { Talk } from "../terminal/talk.ts";

export const doctorSchema = "keyturn/doctor/2";

export async function doctor(session: Session): Promise<ExitCode> {
  const { state, talk, nowMs, json, tableName } = session;
  const reached = await reach(session);
  const [heardAtMs, refusalsWatch, configuration] = await Promise.all([
    state.heardAtMs(),
    state.refusalsWatch(),
    state.configuration(),
  ]);
  const collectsRefusals = isCollected({ configuration, watch: refusalsWatch });
  const heard = { heardAtMs, refusalsWatch, collectsRefusals };
  const unread: string[] = [];
  const [keys, audit, tagSearch, refusalsDue] = await Promise.all([
    state.managedKeys(
      (record) => signOf(record, heard, nowMs),
      (alias) => unread.push(alias),
    ),
    state.chore("audit"),
    state.chore("tag-search"),
    state.refusalsDue(nowMs),
  ]);
  const chores = { audit, tagSearch, refusalsDue };
  const signs = { nowMs, tableName, keys, unread, ...chores, ...heard, ...reached };
  const checks = diagnose(signs);
  const isWell = checks.every(({ verdict }) => verdict === "ok");
  const code = isWell ? exitCodes.ok : exitCodes.attention;
  if (json) {
    talk.json({ schema: doctorSchema, nowMs, managedKeys: keys.length, checks });
    return code;
  }
  for (const check of checks) printCheck(talk, check);
  noteText(
    talk,
    "",
    `${keys.length === 1 ? "1 managed key" : `${keys.length} managed keys`} in table ${tableName}`,
  );
  return code;
}

/** The first read opens the connection. The second one measures the table. */
async function reach({ state, isNowGiven }: Session) {
  await state.reach();
  const sentMs = Date.now();
  const { dateMs, runUntilMs } = await state.reach();
  const tookMs = Date.now() - sentMs;
  // The date header has whole seconds.
  const isComparable = dateMs !== undefined && !isNowGiven;
  const aheadMs = isComparable ? sentMs + tookMs / 2 - (dateMs + 500) : undefined;
  return { tookMs, aheadMs, runUntilMs };
}

function printCheck(talk: Talk, { name, verdict, observed, next }: Check): void {
  const mark = verdict === "ok" ? talk.styled("green", "ok   ") : talk.styled("red", "WARN ");
  printText(talk, `${mark} `, `${name}: ${observed}`);
  if (next !== undefined) printCommand(talk, "      next:", next);
}
