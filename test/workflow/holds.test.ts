import { describe, expect, test } from "vitest";
import { nothingObserved } from "../../lambda/workflow/safety/observations.ts";
import { heldAfterRollback, isHeld, holdInForce } from "../../lambda/workflow/safety/holds.ts";
import type { Context, Restored, ObservedState, Hold } from "../../lambda/workflow/model/types.ts";
import { aKey } from "../fixtures.ts";
import { spoken } from "./decided.ts";
import { alias, aContext, aRecord, aRotation, aVersion, nowMs } from "./scene.ts";

const hold = (kind: Hold["kind"], changes: Partial<Hold> = {}): Hold => ({
  kind,
  atMs: 5,
  by: "ada",
  reason: "an incident",
  ...changes,
});
const restored: Restored = { because: "use", cancel: false, relabelled: false };
const rotations = [
  aRotation({ id: "draining", from: 1, to: 2 }),
  aRotation({ id: "revoking", from: 2, to: 3, step: "revoke" }),
  aRotation({ id: "restored", from: 3, to: 4, restored }),
  aRotation({ id: "back", from: 5, to: 4, direction: "back", step: "distribute" }),
  aRotation({ id: "back-and-moving", from: 5, to: 4, direction: "back", step: "activate" }),
  aRotation({ id: "forth", from: 5, to: 6, step: "distribute" }),
];
const versions = [1, 2, 3, 4, 5].map((number) => aVersion(number));
const at = (
  holds: Hold[],
  context: Parameters<typeof aContext>[0] = {},
  key: ObservedState["key"] = {},
) => {
  const record = aRecord({ versions, rotations, holds });
  const still = holdInForce({
    record,
    observed: { ...nothingObserved(), key },
    context: aContext(context),
  });
  if (still !== undefined) [still.finding, ...still.others].forEach(spoken);
  return still;
};
const resume = `npx keyturn resume ${alias}`;
const cancel = "aws kms cancel-key-deletion --key-id key-2";
const enable = "aws kms enable-key --key-id key-2";
const watched = (still: ReturnType<typeof at>) => still?.watched.map(({ id }) => id);
const restoring = ["restored", "back"];

describe("a managed key moves", () => {
  test("where nothing holds it, and after a rollback", () => {
    expect(at([])).toBeUndefined();
    expect(at([hold("rollback")])).toBeUndefined();
  });
});

describe("a managed key that is paused", () => {
  test("waits for an operator, and still evaluates possible restores", () => {
    const still = at([hold("rollback"), hold("pause")]);
    expect(still).toMatchObject({
      halt: false,
      restores: true,
      others: [],
      finding: {
        code: "PAUSED",
        subject: alias,
        observed: "paused by ada: an incident",
        sinceMs: 5,
      },
    });
    expect(still?.finding.next).toBe(resume);
    expect(watched(still)).toEqual([...restoring, "revoking"]);
  });

  test("without a reason names the operator", () => {
    expect(at([hold("pause", { reason: "" })])?.finding.observed).toBe("paused by ada");
  });
});

describe("a managed key with a use attempt", () => {
  const used = [hold("pause"), hold("restored", { version: 2, reason: "Decrypt by app" })];

  test("is halted, paused or not, until an operator resumes", () => {
    const still = at(used);
    expect(still).toMatchObject({
      halt: true,
      restores: true,
      others: [],
      finding: {
        code: "USED_WHILE_DISABLED",
        subject: "key-2",
        observed: "Decrypt by app",
        sinceMs: 5,
      },
    });
    expect(still?.finding.next).toBe(resume);
    expect(watched(still)).toEqual([...restoring, "revoking"]);
  });

  test("reports each of them", () => {
    const still = at([...used, hold("restored", { version: 3 })]);
    expect(still?.others).toMatchObject([{ code: "USED_WHILE_DISABLED", subject: "key-3" }]);
  });

  test.each([
    ["PendingDeletion", `${cancel} && ${enable} && ${resume}`],
    ["Disabled", `${enable} && ${resume}`],
    ["Enabled", resume],
  ] as const)("in mode plan prints the commands for a key that is %s", (state, next) => {
    const key = { "key-2": { kind: "observed", value: aKey({ keyId: "key-2", state }) } } as const;
    expect(at(used, { mode: "plan" }, key)?.finding.next).toBe(next);
  });

  test("in mode act needs no command but resume: keyturn enables the key", () => {
    const disabled = aKey({ keyId: "key-2", state: "Disabled" });
    const key = { "key-2": { kind: "observed", value: disabled } } as const;
    expect(at(used, { mode: "act" }, key)?.finding.next).toBe(resume);
  });

  test("in mode plan needs no command but resume where the key was not read", () => {
    expect(at(used, { mode: "plan" })?.finding.next).toBe(resume);
  });

  test("that is deleted since is reported under the alias", () => {
    expect(at([hold("restored", { version: 9 })])?.finding.subject).toBe(alias);
  });
});

describe("a managed key that the configuration does not name", () => {
  test("is halted, completes restores under way, and watches what may be deleted", () => {
    const still = at([hold("pause")], { home: undefined });
    expect(still).toMatchObject({
      halt: true,
      restores: false,
      others: [],
      finding: { code: "NOT_CONFIGURED", subject: alias, sinceMs: nowMs },
    });
    expect(watched(still)).toEqual([...restoring, "revoking"]);
  });
});

describe("a record of another table", () => {
  const attempt = (keyId: string): Context["attempt"] => ({
    eventId: "e",
    keyId,
    atMs: nowMs,
    operation: "Decrypt",
    principal: "app",
    encryptionContextKeys: [],
  });
  const tableId = "another table";

  test("is held, in every other state", () => {
    const still = at([hold("pause")], { tableId, home: undefined });
    expect(still).toMatchObject({
      halt: true,
      restores: false,
      others: [],
      watched: [],
      finding: { code: "STATE_BEHIND_KMS", subject: alias },
    });
  });

  test.each([
    ["key-3", ["restored"]],
    ["key-5", ["back"]],
    ["key-4", ["back"]],
    ["key-1", []],
    ["key-9", []],
  ])("restores the version of the present attempt: %s", (keyId, expected) => {
    expect(watched(at([], { tableId, attempt: attempt(keyId) }))).toEqual(expected);
  });
});

describe("holds on record", () => {
  test("are distinguished by kind", () => {
    const record = aRecord({ holds: [hold("pause"), hold("restored")] });
    expect(isHeld(record, "restored")).toBe(true);
    expect(isHeld(record, "rollback")).toBe(false);
  });

  test("a rollback holds the managed key, and the finding names operator, version and reason", () => {
    const held = hold("rollback", { version: 2 });
    const [finding, ...none] = heldAfterRollback(aRecord({ holds: [hold("pause"), held] }));
    expect(none).toEqual([]);
    expect(finding).toMatchObject({
      code: "HELD_AFTER_ROLLBACK",
      subject: alias,
      observed: "version 2 was rolled back by ada: an incident",
      sinceMs: 5,
    });
    expect(finding?.next).toBe(resume);
    const [short] = heldAfterRollback(aRecord({ holds: [{ ...held, reason: "" }] }));
    expect(short?.observed).toBe("version 2 was rolled back by ada");
    expect(heldAfterRollback(aRecord({ holds: [hold("pause")] }))).toEqual([]);
  });
});

test("a managed key that is not configured names the page that explains it", () => {
  expect(at([], { home: undefined })?.finding.next).toBe("npx keyturn explain NOT_CONFIGURED");
});
