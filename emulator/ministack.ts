/** MiniStack: an emulator from PyPI that needs no container, in its own virtual environment. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const requirements = join(import.meta.dirname, "requirements.txt");
/** `npm ci` deletes it; a cache outside the checkout would stay behind. */
const cache = join(import.meta.dirname, "../node_modules/.cache/keyturn-ministack");
const installed = join(cache, "installed.txt");
const python = join(cache, "bin/python");

const startLimitMs = 60_000;
const stopLimitMs = 10_000;

function run(command: string, args: string[], advice: string): void {
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"] });
  if (status === 0) return;
  const why = error === undefined ? `exit ${status ?? "by a signal"}` : error.message;
  throw new Error(`${command} ${args.join(" ")}: ${why}. ${advice}`);
}

/** Installs the packages of `requirements.txt`, if they are missing. */
export function install(): void {
  const wanted = readFileSync(requirements, "utf8");
  if (existsSync(installed) && readFileSync(installed, "utf8") === wanted) return;
  rmSync(cache, { recursive: true, force: true });
  const advice =
    "MiniStack needs Python 3.10 or newer with venv (Debian: python3 and python3-venv).";
  run("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 10))"], advice);
  run("python3", ["-m", "venv", cache], advice);
  const options = ["--quiet", "--no-input", "--disable-pip-version-check", "--no-deps"];
  const pip = ["-m", "pip", "install", ...options, "-r", requirements];
  run(python, pip, "MiniStack comes from PyPI, or from the index in pip's configuration.");
  writeFileSync(installed, wanted);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

export type Emulator = { endpoint: string; stop: () => Promise<void> };

/** Starts it on the loopback address; it writes only to `folder`. */
export async function start(folder: string): Promise<Emulator> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_"));
  const log = join(folder, "ministack.log");
  const output = openSync(log, "a");
  const child = spawn(python, ["-m", "ministack"], {
    cwd: folder,
    // Its own process group: its functions end with it.
    detached: true,
    env: {
      ...Object.fromEntries(own),
      AWS_ENDPOINT_URL: endpoint,
      BIND_HOST: "127.0.0.1",
      GATEWAY_PORT: String(port),
      MINISTACK_HOST: "127.0.0.1",
      IOT_MTLS_ENABLED: "0",
      STATE_DIR: folder,
      TMPDIR: folder,
      // It runs functions with the first node in PATH: this one, Lambda's Node 24.
      PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
    },
    stdio: ["ignore", output, output],
  });
  const stop = () => end(child);
  try {
    await ready(child, `${endpoint}/_ministack/health`);
  } catch (error) {
    await stop();
    throw new Error(`MiniStack did not start:\n${readFileSync(log, "utf8")}`, { cause: error });
  }
  return { endpoint, stop };
}

async function ready(child: ChildProcess, health: string): Promise<void> {
  for (const endMs = Date.now() + startLimitMs; Date.now() < endMs; await sleep(200)) {
    if (child.exitCode !== null || child.pid === undefined) break;
    const response = await fetch(health).catch(() => undefined);
    if (response?.ok === true) return;
  }
  throw new Error(`${health} does not answer`);
}

/** Ends only the process group that `start` started. */
async function end(child: ChildProcess): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  const exited = child.exitCode === null ? once(child, "exit") : undefined;
  signal(pid, "SIGTERM");
  await Promise.race([exited, sleep(stopLimitMs, undefined, { ref: false })]);
  signal(pid, "SIGKILL");
}

function signal(group: number, name: NodeJS.Signals): void {
  try {
    process.kill(-group, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
