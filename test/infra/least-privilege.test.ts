import { describe, expect, onTestFinished, test } from "vitest";
import { Account } from "./account.ts";
import {
  document,
  histories,
  orders,
  type PrivilegedHistory,
} from "./least-privilege-histories.ts";
import { actionsOf, roleStatements, type RoleStatement } from "./role.ts";
import { sample } from "../sizes.ts";

type Outcome = {
  end: Record<string, unknown>;
  reported: string[];
  refused: string[];
  asked: Set<string>;
};

/** Ends a history early after a denied request and a new report. */
class Failed extends Error {}

async function runHistory(
  history: PrivilegedHistory,
  statements: RoleStatement[],
): Promise<Outcome> {
  const account = await Account.deployed(history.deployed, statements);
  onTestFinished(() => account.close());
  const { refused, asked } = account.policies;
  const reported = (): string[] => [...account.reported].sort();
  account.afterInvocation = () => {
    const news = reported().filter((one) => !history.reported.includes(one));
    if (refused.length > 0 && news.length > 0) throw new Failed();
  };
  try {
    return { end: await history.play(account), reported: reported(), refused, asked };
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    return { end: {}, reported: reported(), refused, asked };
  }
}

const whole = new Map<PrivilegedHistory, Promise<Outcome>>();

/** The history with all permissions, run once for all tests. */
function withAllRights(history: PrivilegedHistory): Promise<Outcome> {
  const known = whole.get(history) ?? runHistory(history, roleStatements(history.deployed));
  whole.set(history, known);
  return known;
}

describe("with only the rights of its role", () => {
  test.each(histories.map((history) => [history.name, history] as const))(
    "%s: no request is denied, and the final state is as expected",
    async (_, history) => {
      const { end, reported, refused } = await withAllRights(history);
      expect(refused).toEqual([]);
      expect(end).toEqual(history.end);
      expect(reported).toEqual(history.reported);
    },
  );
});

type Permission = { sid: string; action: string };

function permissionsOf(statements: RoleStatement[]): Permission[] {
  return statements.flatMap((statement) =>
    actionsOf(statement).map((action) => ({ sid: sidOf(statement), action })),
  );
}

function without(statements: RoleStatement[], { sid, action }: Permission): RoleStatement[] {
  return statements.flatMap((statement) => {
    if (sidOf(statement) !== sid) return [statement];
    const Action = actionsOf(statement).filter((one) => one !== action);
    return Action.length === 0 ? [] : [{ ...statement, Action }];
  });
}

/** CDK's own statements have no Sid: their actions identify them. */
function sidOf(statement: RoleStatement): string {
  return statement.Sid ?? actionsOf(statement).join();
}

/** Whether any history has another final state without the permission. */
async function failsWithout(permission: Permission): Promise<boolean> {
  for (const history of histories) {
    const statements = roleStatements(history.deployed);
    const { asked } = await withAllRights(history);
    if (!asked.has(permission.action)) continue;
    if (!permissionsOf(statements).some(({ sid }) => sid === permission.sid)) continue;
    const { end, reported } = await runHistory(history, without(statements, permission));
    const isSame =
      JSON.stringify({ end, reported }) ===
      JSON.stringify({ end: history.end, reported: history.reported });
    if (!isSame) return true;
  }
  return false;
}

test("an operator disables a version in use after overriding the evidence", async () => {
  const deployed = { document };
  const account = await Account.deployed(deployed, roleStatements(deployed));
  onTestFinished(() => account.close());
  const first = account.makeKey(orders);
  await account.passDays(10);
  await account.request(orders, { kind: "compromised", version: 1 });
  await account.passDays(1);
  expect(account.targetOf(orders)).not.toBe(first);
  account.ask("Encrypt", { KeyId: first, Plaintext: Buffer.from("a") });
  const override = { version: 1, override: true, confirm: orders };
  await account.request(orders, { kind: "approve", ...override });
  await account.passDays(1);
  expect(account.stateOf(first)).toBe("Enabled");
  const next = `aws kms disable-key --key-id ${first}`;
  const byHand = expect.objectContaining({ code: "ACCESS_DENIED", next }) as unknown;
  expect(await account.findings(orders)).toContainEqual(byHand);
  account.ask("DisableKey", { KeyId: first });
  await account.passDays(1);
  expect(await account.states(orders)).toEqual(["disabled", "active"]);
  expect((await account.findings(orders)).map(({ code }) => code)).toEqual(["EVIDENCE_OVERRIDDEN"]);
});

test("removing any one action of any statement fails a history", { timeout: 300_000 }, async () => {
  const all = histories.flatMap(({ deployed }) => permissionsOf(roleStatements(deployed)));
  const permissions = new Map(all.map((one) => [`${one.sid}: ${one.action}`, one]));
  const unneeded: string[] = [];
  for (const [name, permission] of sample([...permissions], 2)) {
    if (!(await failsWithout(permission))) unneeded.push(name);
  }
  expect(unneeded).toEqual([]);
  expect(permissions.size).toBeGreaterThan(30);
});
