/** `--watch`: repeats the answer until Ctrl-C. */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { exitCodes, type ExitCode } from "../terminal/failure.ts";
import { frameOf, type Picture } from "../terminal/frame.ts";
import type { Session } from "../session.ts";
import type { Screen, Talk } from "../terminal/talk.ts";
import { failureOf } from "../terminal/trouble.ts";
import { clockTime, formatTimeWithSeconds } from "../terminal/words.ts";

type Show = (session: Session) => Promise<ExitCode>;

/**
 * A failure of the first answer ends the command: its arguments may be wrong. Later failures are
 * reported, and it continues.
 */
export async function watching(session: Session, everyMs: number, show: Show): Promise<ExitCode> {
  const startedMs = performance.now();
  const present = (): number => Math.round(session.nowMs + performance.now() - startedMs);
  // Ctrl-C is not a failure.
  process.on("SIGINT", () => process.exit(exitCodes.ok));
  const { screen } = session.talk;
  if (screen === undefined || session.json) return inLines(session, everyMs, show, present);
  return inPlace(session, screen, everyMs, show, present);
}

async function inLines(
  session: Session,
  everyMs: number,
  show: Show,
  present: () => number,
): Promise<ExitCode> {
  const { talk, json } = session;
  const compact: Talk = { ...talk, json: (value) => talk.line(JSON.stringify(value)) };
  for (let isFirst = true; ; isFirst = false) {
    const nowMs = present();
    const gathered = gathering(compact);
    try {
      await show({ ...session, talk: gathered.talk, nowMs });
      if (!json) talk.line(`${isFirst ? "" : "\n"}${formatTimeWithSeconds(nowMs)}`);
      gathered.lines.forEach((line) => talk.line(line));
      gathered.notes.forEach((note) => talk.note(note));
    } catch (error) {
      if (isFirst) throw error;
      talk.note(`${formatTimeWithSeconds(nowMs)}  ${troubleOf(error)}`);
    }
    await sleep(everyMs);
  }
}

async function inPlace(
  session: Session,
  screen: Screen,
  everyMs: number,
  show: Show,
  present: () => number,
): Promise<ExitCode> {
  const { talk, tableName } = session;
  let picture: Picture | undefined;
  const draw = (): void => {
    if (picture === undefined) return;
    screen.draw(frameOf(picture, screen.rows(), screen.columns()));
  };
  const read = async (): Promise<void> => {
    const nowMs = present();
    const gathered = gathering({ ...talk, columns: screen.columns() });
    const title = `${clockTime(nowMs)} UTC, every ${everyMs / 1000} s, Ctrl-C ends: ${tableName}`;
    try {
      await show({ ...session, talk: gathered.talk, nowMs });
      const { lines, notes } = gathered;
      picture = { title: talk.styled("dim", title), trouble: "", lines, notes };
    } catch (error) {
      if (picture === undefined) throw error;
      const trouble = talk.styled("red", `${clockTime(nowMs)} ${troubleOf(error)}`);
      picture = { ...picture, trouble };
    }
  };
  await read();
  restoredAtTheEnd(screen);
  screen.enter();
  screen.onResize(draw);
  for (;;) {
    draw();
    await sleep(everyMs);
    await read();
  }
}

/** Every exit restores the terminal. */
function restoredAtTheEnd(screen: Screen): void {
  process.on("exit", () => screen.leave());
  for (const [signal, number] of [
    ["SIGTERM", 15],
    ["SIGHUP", 1],
  ] as const) {
    process.once(signal, () => process.exit(128 + number));
  }
}

function troubleOf(error: unknown): string {
  return `${failureOf(error).message}; this is the last answer before the failure`;
}

function gathering(talk: Talk): { talk: Talk; lines: string[]; notes: string[] } {
  const lines: string[] = [];
  const notes: string[] = [];
  const line = (text = ""): void => void lines.push(text);
  const json = (value: unknown): void => line(JSON.stringify(value));
  return { talk: { ...talk, line, json, note: (text) => void notes.push(text) }, lines, notes };
}
