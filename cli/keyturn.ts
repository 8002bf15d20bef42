#!/usr/bin/env node
/** `npx keyturn`: runs one command, and turns whatever stops it into words and an exit code. */
import { randomBytes } from "node:crypto";
import { CommanderError } from "commander";
import { exitCodes, type ExitCode } from "./terminal/failure.ts";
import { promptOf } from "./requests/confirm.ts";
import { watchOutput } from "./terminal/output.ts";
import { createProgram } from "./program.ts";
import { noteCommand, noteText } from "./terminal/say.ts";
import { talkOf } from "./terminal/talk.ts";
import { failureOf } from "./terminal/trouble.ts";

// No command writes anything but its answer after the first line of it: leaving at once loses nothing.
watchOutput("keyturn", process, (end) => {
  process.exit(end === "lost" ? exitCodes.usage : (process.exitCode ?? 0));
});
const talk = talkOf(process.stdout, process.stderr, process.env);
const nowMs = Date.now();

/** Sorts by time, and is no other's: the form that docs/requests.md shows. */
function newId(): string {
  const stamp = new Date().toISOString().replace(/[-:]/g, "").replace(/\.\d+/, "");
  return `${stamp}-${randomBytes(8).toString("hex")}`;
}

const program = createProgram({
  talk,
  env: process.env,
  nowMs,
  newId,
  exit: (code: ExitCode) => {
    process.exitCode = code;
  },
  prompt: promptOf(process.stdin, process.stderr),
});
program.exitOverride();
for (const command of program.commands) command.exitOverride();

try {
  await program.parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  } else {
    const { exitCode, message, next } = failureOf(error);
    noteText(talk, `${talk.styled("red", "keyturn:")} `, message);
    if (next !== undefined) noteCommand(talk, "next:", next);
    process.exitCode = exitCode;
  }
}
