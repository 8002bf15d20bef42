#!/usr/bin/env node
// The sources are TypeScript, which Node runs from version 24 on; npm puts such a Node beside us. Plain
// JavaScript of an old kind, so that an older one can read as far as to say so, or to hand over.
import process from "node:process";

const wanted = 24;

if (Number(process.versions.node.split(".")[0]) >= wanted) {
  const { keepCompiled } = await import("./terminal/compile-cache.js");
  keepCompiled(process.env);
  await import("./keyturn.ts");
} else await handOver();

async function handOver() {
  const { fileURLToPath, URL } = await import("node:url");
  const refuse = (why) => {
    const is = `keyturn: needs Node.js ${wanted} or newer; this is ${process.version}`;
    process.stderr.write(`${is}, and ${why}.\n`);
    process.exit(2);
  };
  let newer = "";
  try {
    newer = fileURLToPath(import.meta.resolve("node/bin/node"));
  } catch {
    refuse("there is none among its packages");
  }
  const { spawn } = await import("node:child_process");
  const script = fileURLToPath(new URL("./keyturn.ts", import.meta.url));
  const child = spawn(newer, [script, ...process.argv.slice(2)], { stdio: "inherit" });
  // The terminal sends its signals to both: the one that works decides what becomes of them.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("error", ({ message }) =>
    refuse(`the one among its packages does not start: ${message}`),
  );
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
