/** Refused uses in the output of the commands, and in a prediction. */
import { describe, expect, test } from "vitest";
import { nothingKnown, type KnownRefusals } from "../../cli/forecast/refusals.ts";
import { refusalsView } from "../../cli/status/refusals.ts";
import { byAlias } from "../../lambda/workflow/model/refusals.ts";
import type { ManagedKey, RefusedUse } from "../../lambda/workflow/model/types.ts";
import { orders } from "../infra/least-privilege-histories.ts";
import type { Account } from "../infra/account.ts";
import { dayMs } from "../fixtures.ts";
import { refused } from "../findings/trail.ts";
import { after, nextSecond, type } from "./typing.ts";

const role = (name: string): string => `arn:aws:iam::000000000000:role/${name}`;
const onlyByAlias = {
  Condition: { "ForAnyValue:StringEquals": { "kms:ResourceAliases": orders } },
};

/** On day 60, version 2 is active, and version 1 drains. */
async function drained(readers: string[]): Promise<{ account: Account; first: string }> {
  const account = await after(60, {}, true);
  account.approves = false;
  const first = [...account.aws.kms.world.keys.keys()][0] ?? "";
  for (const reader of readers) {
    refused(account, reader, onlyByAlias, "GetPublicKey", { KeyId: first });
  }
  await account.passDays(1);
  return { account, first };
}

const jsonOf = async (account: Account, ...args: string[]): Promise<Record<string, unknown>> =>
  JSON.parse((await type(account, ...args, "--json")).stdout) as Record<string, unknown>;

async function callsIn(account: Account): Promise<unknown[]> {
  const { managedKeys } = (await jsonOf(account, "plan", orders, "--until", "20d")) as {
    managedKeys: { planned: { call?: string }[] }[];
  };
  return managedKeys.flatMap(({ planned }) => planned.flatMap(({ call }) => call ?? []));
}

describe("a deletion that waits for an approval", () => {
  test("is approved with the ids of the finding, whatever characters they have", async () => {
    const odd = role("it's | 100%; a,b");
    const { account } = await drained([role("reader"), odd]);
    await account.passDays(38);
    const { stdout } = await type(account, "status", orders);
    expect(stdout).toContain(
      `${role("reader")}\n      GetPublicKey AccessDenied, once at 2027-03-02`,
    );
    expect(await callsIn(account)).not.toContain("ScheduleKeyDeletion");
    const shown = await type(account, "approve", orders);
    expect(shown.stderr).toMatch(/^to delete version 1, /);
    expect(shown.stderr).toContain("\n  refused:1|arn:aws:iam::000000000000:role/reader|");
    const answer = await type(account, "approve", orders, "--confirm", orders);
    expect(answer.code).toBe(0);
    expect(answer.stderr).toContain("approves ScheduleKeyDeletion of version 1");
    expect(answer.stderr).toContain("accepts 2 needs");
    expect(await callsIn(account)).toContain("ScheduleKeyDeletion");
    await account.passDays(1);
    expect(await account.states(orders)).toEqual(["pending-deletion", "active"]);
    const after = await type(account, "status", orders);
    expect(after.stdout).toContain("accepted by an approval");
  });

  test("is not predicted on an approval that leaves a refusal out", async () => {
    const { account } = await drained([role("reader")]);
    await account.passDays(38);
    const evidence = /[0-9a-f]{64}/.exec(JSON.stringify(await account.findings(orders)))?.[0];
    await account.request(orders, { kind: "approve", version: 1, of: "delete", evidence });
    expect(await callsIn(account)).not.toContain("ScheduleKeyDeletion");
  });

  test("is cancelled in the prediction where a caller was refused since", async () => {
    const { account, first } = await drained([]);
    account.approves = true;
    await account.passDays(39);
    expect(await account.states(orders)).toEqual(["pending-deletion", "active"]);
    refused(account, role("reader"), onlyByAlias, "GetPublicKey", { KeyId: first });
    await account.trail?.deliver();
    expect(await callsIn(account)).toContain("CancelKeyDeletion");
  });
});

test("doctor warns where no canary arrives, and where no run reads refused uses", async () => {
  const { account, first } = await drained([]);
  expect(await warnings(account)).toEqual([]);
  refused(account, role("reader"), onlyByAlias, "GetPublicKey", { KeyId: first });
  await account.trail?.deliver();
  account.clock.moveTo(account.clock.nowMs() + 20 * 60_000);
  expect(await warnings(account)).toEqual(["unread refused uses: 1 (alias/orders)"]);
  if (account.trail !== undefined) account.trail.isOn = false;
  await account.passDays(3);
  expect(await warnings(account)).toContainEqual(
    expect.stringMatching(/^collection of refused uses: last canary event received 4d ago; one a/),
  );
  const { stdout, stderr } = await type(account, "plan", orders, "--until", "60d");
  expect(stdout).not.toContain("ScheduleKeyDeletion");
  expect(stderr).toContain("REFUSALS_NOT_WATCHED");
});

async function warnings(account: Account): Promise<string[]> {
  const { checks } = (await jsonOf(account, "doctor")) as {
    checks: { name: string; verdict: string; observed: string }[];
  };
  return checks.flatMap(({ name, verdict, observed }) =>
    verdict === "ok" ? [] : [`${name}: ${observed}`],
  );
}

test("status says that a deployment does not collect them", async () => {
  const account = await after(1);
  await nextSecond();
  const { stdout } = await type(account, "status", orders);
  expect(stdout).toContain("refused uses: none; this deployment does not collect them\n");
});

describe("the view of refused uses", () => {
  const nowMs = Date.UTC(2027, 5, 1);
  const use = (changes: Partial<RefusedUse>): RefusedUse => ({
    ...{ principal: role("reader"), operation: "Decrypt", error: "AccessDenied" },
    ...{ firstAtMs: nowMs - 2, lastAtMs: nowMs - 1, count: 3, storedAtMs: nowMs },
    ...changes,
  });
  const others = {
    ...{ firstAtMs: nowMs - 9, lastAtMs: nowMs - 1, count: 40, storedAtMs: nowMs },
    ...{ grownAtMs: nowMs - 5, joinedAtMs: nowMs - dayMs - 5, known: {} },
  };
  const recordWith = (accepts: string[], atMs: number): ManagedKey =>
    ({
      alias: orders,
      versions: [{ number: 1, keyId: "one" }],
      rotations: [{ approval: { accepts, atMs } }],
    }) as unknown as ManagedKey;
  const known: KnownRefusals = {
    ...nothingKnown,
    refusals: {
      revision: 1,
      on: {
        one: { uses: { a: use({}), b: use({ principal: role("scanner") }) }, others },
        [byAlias]: { uses: { a: use({ error: "IncorrectKeyException" }) } },
        "of a deleted version": { uses: { a: use({}) } },
      },
    },
  };
  const acceptedIn = (record: ManagedKey, refused = known) =>
    refusalsView(record, refused).uses.map(({ id, acceptedBy }) => [id, acceptedBy]);

  test("names each use by the id that an approval accepts", () => {
    expect(acceptedIn(recordWith([], 0)).map(([id]) => id)).toEqual([
      `refused:1|${role("reader")}|Decrypt|AccessDenied`,
      `refused:1|${role("scanner")}|Decrypt|AccessDenied`,
      "refused:1|others",
      `refused:alias|${role("reader")}|Decrypt|IncorrectKeyException`,
    ]);
  });

  test("shows who accepted it: the configuration, or an approval that knew all of them", () => {
    const of = { owner: "acme", mode: "act" as const, policies: [], taggedAliases: [] };
    const accepting = { principal: role("scanner"), operation: "*", error: "*" };
    const configuration = (alias: string) => ({
      ...of,
      acceptedRefusals: [{ ...accepting, alias }],
    });
    const [, scanner] = acceptedIn(recordWith([], 0)).map(([id]) => id);
    const here = { ...known, configuration: configuration("alias/ord*") };
    expect(acceptedIn(recordWith([], 0), here)).toContainEqual([scanner, "configuration"]);
    const other = { ...known, configuration: configuration("alias/x*") };
    expect(acceptedIn(recordWith([], 0), other)).toContainEqual([scanner, undefined]);
    const both = [String(scanner), "refused:1|others"];
    const current = acceptedIn(recordWith(both, nowMs));
    expect(current).toContainEqual([scanner, "approval"]);
    expect(current).toContainEqual(["refused:1|others", "approval"]);
    expect(acceptedIn(recordWith(both, nowMs - 6))).toContainEqual(["refused:1|others", undefined]);
  });

  test("has no proof before the first canary, and the later start after a reconcile", () => {
    const watch = { revision: 1, heardAtMs: 0, sinceMs: 5, unattributed: 2, storedAtMs: 5 };
    const viewOf = (changes: object, record = recordWith([], 0)) =>
      refusalsView(record, { ...known, watch: { ...watch, ...changes } });
    expect(viewOf({})).toMatchObject({ collectedSinceMs: undefined, unattributed: 2 });
    const reconciled = { ...recordWith([], 0), collectedFromMs: 8 };
    expect(viewOf({ heardAtMs: 9 }, reconciled).collectedSinceMs).toBe(8);
    expect(refusalsView(recordWith([], 0), nothingKnown).isCollected).toBeUndefined();
  });
});
