#!/usr/bin/env node
// The sources are TypeScript, which needs Node 24; npm installs one among the packages. This file is old
// JavaScript, which an older Node can run: it starts the newer Node, or reports that there is none.
import process from "node:process";

const wanted = 24;

if (Number(process.versions.node.split(".")[0]) >= wanted) {
  const { keepCompiled } = await import("./terminal/compile-cache.js");
  keepCompiled(process.env);
  await import("./keyturn.ts");
} else await startNewer();

async function startNewer() {
  const { fileURLToPath, URL } = await import("node:url");
  const fail = (why) => {
    const is = `keyturn: needs Node.js ${wanted} or newer; this is ${process.version}`;
    process.stderr.write(`${is}, and ${why}.\n`);
    process.exit(2);
  };
  let newer = "";
  try {
    newer = fileURLToPath(import.meta.resolve("node/bin/node"));
  } catch {
    fail("there is no newer one among its packages");
  }
  const { spawn } = await import("node:child_process");
  const script = fileURLToPath(new URL("./keyturn.ts", import.meta.url));
  const child = spawn(newer, [script, ...process.argv.slice(2)], { stdio: "inherit" });
  // The terminal sends its signals to both processes. The child handles them.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("error", ({ message }) =>
    fail(`the newer one among its packages does not start: ${message}`),
  );
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
