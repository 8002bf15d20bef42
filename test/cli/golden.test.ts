/** What is printed, letter by letter: `npx vitest run test/cli/golden.test.ts -u` writes it anew. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Account } from "../infra/account.ts";
import { orders } from "../infra/least-privilege-lives.ts";
import { nowOf, typed } from "./binary.ts";
import { aFleet } from "./fleet.ts";

const commands: Record<string, string[]> = {
  status: ["status"],
  "status-of-one": ["status", orders],
  doctor: ["doctor"],
  history: ["history", orders],
  verify: ["verify"],
  explain: ["explain", "ALIAS_MOVED"],
  "explain-all": ["explain"],
};

describe("printed as ever:", () => {
  let account: Account;
  beforeAll(async () => {
    account = await aFleet();
  }, 60_000);
  afterAll(() => account.close());

  const looks = [80, 120].flatMap((columns) =>
    [false, true].map((coloured) => ({ columns, coloured })),
  );

  test.each(
    Object.entries(commands).flatMap(([name, args]) =>
      looks.map((look) => ({ name, args, ...look })),
    ),
  )("$name, $columns columns, colour $coloured", async ({ name, args, columns, coloured }) => {
    const colour = coloured ? { FORCE_COLOR: "1" } : { NO_COLOR: "1" };
    const env = { COLUMNS: String(columns), ...colour };
    const { stdout, stderr, code } = await typed(account, [...args, ...nowOf(account)], env);
    const all = `${inNoTime(stdout)}\n-- stderr\n${stderr}\n-- exit ${code}\n`;
    const file = `golden/${name}-${columns}${coloured ? "-colour" : ""}.txt`;
    await expect(all).toMatchFileSnapshot(file);
    if (!coloured) expect(all).not.toContain("\u001b[");
  });

  test.each(Object.entries(commands))("%s, as JSON", async (name, args) => {
    const { stdout } = await typed(account, [...args, "--json", ...nowOf(account)]);
    expect(JSON.parse(stdout)).toHaveProperty("schema");
    // Each table has an id of its own.
    const same = inNoTime(stdout).replace(/"tableId": "[^"]*"/, '"tableId": "<its id>"');
    await expect(same).toMatchFileSnapshot(`golden/${name}.json`);
  });
});

/** How long the table took is another time each time. */
function inNoTime(text: string): string {
  return text.replace(/answers in \d+ ms/, "answers in 0 ms");
}
