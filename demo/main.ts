/** `npm start`: the demo, or with `--serve` its embedded AWS for other processes. */
import { watchOutput } from "../cli/terminal/output.ts";
import { readOptions, usage, UsageError, type Options } from "./options.ts";

async function main(args: string[]): Promise<number> {
  const options = readOptions(args);
  if (options.kind === "help") {
    console.log(usage);
    return 0;
  }
  return start(options);
}

/** Loads the slow modules only when they are needed. */
async function start(options: Exclude<Options, { kind: "help" }>): Promise<number> {
  if (options.kind === "serve") {
    const { serve } = await import("./serve.ts");
    return serve(options);
  }
  const { show } = await import("./show.ts");
  return show(options);
}

// The reader may close the pipe: `npm start | head`.
watchOutput("keyturn", process, (end) => process.exit(end === "closed" ? 0 : 2));

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const misused = error instanceof UsageError;
  console.error(misused ? `${error.message}\n\n${usage}` : error);
  process.exitCode = misused ? 2 : 1;
}
