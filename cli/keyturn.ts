#!/usr/bin/env node
/** `npx keyturn`: runs one command in this process. */
import { runCommandLine } from "./command-line.ts";
import { exitCodes } from "./terminal/failure.ts";
import { watchOutput } from "./terminal/output.ts";

// After its first line, a command writes nothing but its answer: an immediate exit loses nothing.
watchOutput("keyturn", process, (end) => {
  process.exit(end === "lost" ? exitCodes.usage : (process.exitCode ?? 0));
});
await runCommandLine(process.argv.slice(2), process, (code) => {
  process.exitCode = code;
});
