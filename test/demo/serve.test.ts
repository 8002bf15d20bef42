import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { ended, start } from "./process.ts";

test("--serve --days serves a rotated fleet that npx keyturn can read at once", async () => {
  const child = start("demo/main.ts", ["--serve", "--keys", "1", "--days", "130", "--json"]);
  const end = ended(child);
  const lines = createInterface({ input: child.stdout ?? process.stdin });
  const [first] = (await once(lines, "line")) as [string];
  const { env } = JSON.parse(first) as { env: Record<string, string> };
  const status = await ended(start("cli/keyturn.ts", ["status", "--json"], env));
  const { managedKeys } = JSON.parse(status.stdout) as { managedKeys: { version: number }[] };
  expect(managedKeys.map(({ version }) => version >= 2)).toEqual([true]);

  // Nothing needs an operator but the deletion that nobody has approved yet.
  const keyturn = async (...args: string[]) => await ended(start("cli/keyturn.ts", args, env));
  expect((await keyturn("doctor")).code).toBe(1);
  const { stdout } = await keyturn("status", "alias/orders");
  expect(stdout.match(/^[A-Z_]+(?= {2}since)/gm)).toEqual(["APPROVAL_REQUIRED"]);
  const [, next = ""] = /next: npx keyturn (approve .*)$/m.exec(stdout) ?? [];
  expect(await keyturn(...next.split(" "))).toMatchObject({ code: 0 });
  const clock = await fetch(`${env["AWS_ENDPOINT_URL"]}/_keyturn/clock`);
  const { nowMs } = (await clock.json()) as { nowMs: number };
  expect(await ended(start("cli/tick.ts", ["--now", String(nowMs)], env))).toMatchObject({
    code: 0,
  });
  expect((await keyturn("doctor")).code).toBe(0);
  child.kill("SIGINT");
  expect((await end).code).toBe(0);
});
