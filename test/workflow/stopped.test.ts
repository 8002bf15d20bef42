import { describe, expect, test } from "vitest";
import { nothingSeen } from "../../lambda/workflow/safety/sights.ts";
import { heldAfterRollback, isStopped, standstill } from "../../lambda/workflow/safety/holds.ts";
import type { Moment, Restored, Seen, Stop } from "../../lambda/workflow/model/types.ts";
import { aKey } from "../fixtures.ts";
import { spoken } from "./decided.ts";
import { alias, aMoment, aRecord, aRotation, aVersion, nowMs } from "./scene.ts";

const stop = (kind: Stop["kind"], changes: Partial<Stop> = {}): Stop => ({
  kind,
  atMs: 5,
  by: "ada",
  seen: "an incident",
  ...changes,
});
const restored: Restored = { because: "use", cancel: false, relabelled: false };
const rotations = [
  aRotation({ id: "draining", from: 1, to: 2 }),
  aRotation({ id: "revoking", from: 2, to: 3, step: "revoke" }),
  aRotation({ id: "given-back", from: 3, to: 4, restored }),
  aRotation({ id: "back", from: 5, to: 4, direction: "back", step: "distribute" }),
  aRotation({ id: "back-and-moving", from: 5, to: 4, direction: "back", step: "activate" }),
  aRotation({ id: "forth", from: 5, to: 6, step: "distribute" }),
];
const versions = [1, 2, 3, 4, 5].map((number) => aVersion(number));
const at = (stops: Stop[], moment: Parameters<typeof aMoment>[0] = {}, key: Seen["key"] = {}) => {
  const record = aRecord({ versions, rotations, stops });
  const still = standstill({ record, seen: { ...nothingSeen(), key }, moment: aMoment(moment) });
  if (still !== undefined) [still.finding, ...still.others].forEach(spoken);
  return still;
};
const resume = `npx keyturn resume ${alias}`;
const cancel = "aws kms cancel-key-deletion --key-id key-2";
const enable = "aws kms enable-key --key-id key-2";
const watched = (still: ReturnType<typeof at>) => still?.watched.map(({ id }) => id);
const givingBack = ["given-back", "back"];

describe("a managed key moves", () => {
  test("where nothing stops it, and after a rollback", () => {
    expect(at([])).toBeUndefined();
    expect(at([stop("rollback")])).toBeUndefined();
  });
});

describe("a managed key that is paused", () => {
  test("waits for a person, and looks after what may have to come back", () => {
    const still = at([stop("rollback"), stop("pause")]);
    expect(still).toMatchObject({
      halt: false,
      rescues: true,
      others: [],
      finding: { code: "PAUSED", subject: alias, seen: "by ada: an incident", sinceMs: 5 },
    });
    expect(still?.finding.next).toBe(resume);
    expect(watched(still)).toEqual([...givingBack, "revoking"]);
  });

  test("without a reason says who it was", () => {
    expect(at([stop("pause", { seen: "" })])?.finding.seen).toBe("by ada");
  });
});

describe("a managed key of which a version was asked for", () => {
  const used = [stop("pause"), stop("attempt", { version: 2, seen: "Decrypt by app" })];

  test("is halted, pause or not, until a person resumes", () => {
    const still = at(used);
    expect(still).toMatchObject({
      halt: true,
      rescues: true,
      others: [],
      finding: {
        code: "USED_WHILE_DISABLED",
        subject: "key-2",
        seen: "Decrypt by app",
        sinceMs: 5,
      },
    });
    expect(still?.finding.next).toBe(resume);
    expect(watched(still)).toEqual([...givingBack, "revoking"]);
  });

  test("tells of each of them", () => {
    const still = at([...used, stop("attempt", { version: 3 })]);
    expect(still?.others).toMatchObject([{ code: "USED_WHILE_DISABLED", subject: "key-3" }]);
  });

  test.each([
    ["PendingDeletion", `${cancel} && ${enable} && ${resume}`],
    ["Disabled", `${enable} && ${resume}`],
    ["Enabled", resume],
  ] as const)("in mode plan prints the commands for a key that is %s", (state, next) => {
    const key = { "key-2": { kind: "seen", value: aKey({ keyId: "key-2", state }) } } as const;
    expect(at(used, { mode: "plan" }, key)?.finding.next).toBe(next);
  });

  test("that is gone since is told under the alias", () => {
    expect(at([stop("attempt", { version: 9 })])?.finding.subject).toBe(alias);
  });
});

describe("a managed key that the configuration does not name", () => {
  test("is halted, and gives back what is on its way", () => {
    const still = at([stop("pause")], { home: undefined });
    expect(still).toMatchObject({
      halt: true,
      rescues: false,
      others: [],
      finding: { code: "NOT_CONFIGURED", subject: alias, sinceMs: nowMs },
    });
    expect(watched(still)).toEqual(givingBack);
  });
});

describe("a record of another table", () => {
  const attempt = (keyId: string): Moment["attempt"] => ({
    eventId: "e",
    keyId,
    atMs: nowMs,
    operation: "Decrypt",
    principal: "app",
    encryptionContextKeys: [],
  });
  const tableId = "another table";

  test("stands still, whatever else is so", () => {
    const still = at([stop("pause")], { tableId, home: undefined });
    expect(still).toMatchObject({
      halt: true,
      rescues: false,
      others: [],
      watched: [],
      finding: { code: "STATE_BEHIND_KMS", subject: alias },
    });
  });

  test.each([
    ["key-3", ["given-back"]],
    ["key-5", ["back"]],
    ["key-4", ["back"]],
    ["key-1", []],
    ["key-9", []],
  ])("gives back what is asked for just now: %s", (keyId, expected) => {
    expect(watched(at([], { tableId, attempt: attempt(keyId) }))).toEqual(expected);
  });
});

describe("stops on record", () => {
  test("are told apart by kind", () => {
    const record = aRecord({ stops: [stop("pause"), stop("attempt")] });
    expect(isStopped(record, "attempt")).toBe(true);
    expect(isStopped(record, "rollback")).toBe(false);
  });

  test("a rollback holds the managed key, and says who rolled what back, and why", () => {
    const held = stop("rollback", { version: 2 });
    const [finding, ...none] = heldAfterRollback(aRecord({ stops: [stop("pause"), held] }));
    expect(none).toEqual([]);
    expect(finding).toMatchObject({
      code: "HELD_AFTER_ROLLBACK",
      subject: alias,
      seen: "version 2 was rolled back by ada: an incident",
      sinceMs: 5,
    });
    expect(finding?.next).toBe(resume);
    const [short] = heldAfterRollback(aRecord({ stops: [{ ...held, seen: "" }] }));
    expect(short?.seen).toBe("version 2 was rolled back by ada");
    expect(heldAfterRollback(aRecord({ stops: [stop("pause")] }))).toEqual([]);
  });
});
