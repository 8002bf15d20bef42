/** REFUSED_SINCE_ACTIVATION: the alarm for callers that a move locked out. */
import { describe, expect, test } from "vitest";
import type { RefusedOn, RefusedUse } from "../../lambda/workflow/model/types.ts";
import { dayMs } from "../fixtures.ts";
import { alarms, at, lockedOut, movedMs, refusing, settledMs } from "./alarms.ts";
import { accepting, nameOfUse, othersOf, reader, usesOf, type RefusedSetting } from "./refused.ts";
import { anApproval, aVersion, nowMs } from "./scene.ts";

/** Refused on version 2 since the move, and on version 1 at these times. */
const alsoOnFirst = (changes: Partial<RefusedUse>) =>
  alarms(refusing(usesOf(lockedOut()), usesOf(lockedOut(changes))));

describe("a caller that the active version refuses since the move", () => {
  test("is reported, with the command that rolls back", () => {
    expect(alarms(refusing(usesOf(lockedOut())))).toEqual([
      {
        code: "REFUSED_SINCE_ACTIVATION",
        subject: "key-2",
        observed: `refused uses of version 2, key-2, since its activation: refused:2|${reader}|Encrypt|AccessDenied: once, at 1972-09-26T00:10:00Z`,
        next: "npx keyturn rollback alias/orders --version 2",
        sinceMs: settledMs,
      },
    ]);
  });

  test("is not reported for the ten minutes in which authorization may lag", () => {
    expect(alarms(refusing(usesOf(lockedOut({ lastAtMs: settledMs - 1 }))))).toEqual([]);
  });

  test("is reported for three days after its last refusal", () => {
    const at = (activatedAtMs: number, lastAtMs: number) =>
      alarms(refusing(usesOf(lockedOut({ lastAtMs }))), { fresh: { activatedAtMs } });
    const before = nowMs - 9 * dayMs;
    expect(at(before, nowMs - 3 * dayMs + 1)).toHaveLength(1);
    expect(at(before, nowMs - 3 * dayMs)).toEqual([]);
  });

  test("is not reported where an approval, or the configuration, accepts it", () => {
    const accepts = [`refused:2|${reader}|Encrypt|AccessDenied`];
    const rotation = { approval: anApproval({ of: "delete", accepts }) };
    expect(alarms(refusing(usesOf(lockedOut())), { rotation })).toEqual([]);
    const context = { acceptedRefusals: [accepting({ operation: "Encrypt" })] };
    expect(alarms(refusing(usesOf(lockedOut())), { context })).toEqual([]);
  });

  test("is not reported where the key policy alone denies it, as before the move", () => {
    expect(alarms(refusing(usesOf(lockedOut({ byKeyPolicy: true }))))).toEqual([]);
  });

  test("is not reported for the first version: no move made it active", () => {
    const record = { versions: [aVersion(2, { activatedAtMs: movedMs })], rotations: [] };
    expect(alarms(refusing(usesOf(lockedOut())), { record })).toEqual([]);
  });
});

describe("a caller that the predecessor refused in the 30 days before the move", () => {
  const fromMs = movedMs - 30 * dayMs;

  test.each([
    ["30 days before", fromMs],
    ["just before", movedMs - 1],
  ])("was not locked out by it: it was refused %s, and may be since", (_when, lastBeforeMs) => {
    expect(alsoOnFirst({ lastBeforeMs })).toEqual([]);
    expect(alsoOnFirst({ lastBeforeMs, firstAtMs: 0, lastAtMs: nowMs })).toEqual([]);
  });

  test("may have been locked out where it was refused earlier, or after the move alone", () => {
    expect(alsoOnFirst({ lastBeforeMs: fromMs - 1, firstAtMs: 0 })).toHaveLength(1);
    expect(alsoOnFirst({ firstAtMs: movedMs })).toHaveLength(1);
  });

  test("was not, where it was among the predecessor's others", () => {
    const known = at(nameOfUse(lockedOut()), movedMs - dayMs);
    expect(alarms(refusing(usesOf(lockedOut()), othersOf({ known })))).toEqual([]);
  });

  test("is counted beside those that were; an older refusal is not", () => {
    const scanners = ["s1", "s2"].map((principal) => lockedOut({ principal }));
    const before = scanners.map((use) => ({ ...use, lastBeforeMs: movedMs - 1 }));
    const [alarm] = alarms(refusing(usesOf(lockedOut(), ...scanners), usesOf(...before)));
    expect(alarm?.observed).toMatch(/; 2 more were refused before the move, too$/);
    const fresh = { activatedAtMs: nowMs - 9 * dayMs };
    const old = { retiredAtMs: nowMs - 9 * dayMs };
    const past = lockedOut({ principal: "past", lastAtMs: nowMs - 5 * dayMs });
    const [alone] = alarms(refusing(usesOf(lockedOut(), past)), { fresh, old });
    expect(alone?.observed).not.toContain("refused before it");
  });
});

describe("further uses beyond the first twenty of the active version", () => {
  const name = nameOfUse(lockedOut());
  const others = (changes: Parameters<typeof othersOf>[0], first?: RefusedOn) =>
    alarms(refusing(othersOf({ lastAtMs: settledMs, ...changes }), first));

  test("are reported where one joined since the move that the predecessor did not refuse", () => {
    expect(others({ known: at(name, settledMs) })).toMatchObject([
      { observed: expect.stringMatching(/: further uses beyond the first twenty$/) as string },
    ]);
    expect(others({ known: at(name, settledMs - 1) })).toEqual([]);
    const scanner = lockedOut({ lastBeforeMs: movedMs - dayMs, lastAtMs: nowMs });
    expect(others({ known: at(name, settledMs) }, usesOf(scanner))).toEqual([]);
  });

  test("are reported where more joined since the move than the item names", () => {
    expect(others({ isFull: true, grownAtMs: settledMs })).toHaveLength(1);
    expect(others({ isFull: true, grownAtMs: settledMs - 1 })).toEqual([]);
  });

  test("are reported for three days, and beside the callers that have an id", () => {
    const fresh = { activatedAtMs: nowMs - 9 * dayMs };
    const lastAtMs = nowMs - 3 * dayMs;
    const old = othersOf({ lastAtMs, known: at(name, lastAtMs) });
    expect(alarms(refusing(old), { fresh })).toEqual([]);
    const recent = { lastAtMs: settledMs, known: at("other", settledMs), firstAtMs: settledMs - 7 };
    const [alarm] = alarms(refusing({ ...othersOf(recent), ...usesOf(lockedOut()) }));
    expect(alarm?.observed).toMatch(/; further uses beyond the first twenty$/);
    expect(alarm?.sinceMs).toBe(settledMs - 7);
  });
});

describe("the alarm prints a rollback", () => {
  const next = (setting: RefusedSetting) => {
    const [alarm] = alarms(refusing(usesOf(lockedOut())), setting);
    return alarm?.next;
  };
  const explained = "npx keyturn explain REFUSED_SINCE_ACTIVATION";

  test("not after `compromised`: the version must not become active again", () => {
    expect(next({ rotation: { urgent: true } })).toBe(explained);
  });

  test("not once the rotation is closed: nothing on record says that it was not compromised", () => {
    expect(next({ record: { rotations: [] } })).toBe(explained);
  });

  test("also where a later rotation was rolled back before it moved an alias", () => {
    const versions = [
      aVersion(1, { state: "draining", retiredAtMs: movedMs }),
      aVersion(2, { activatedAtMs: movedMs }),
      aVersion(3, { state: "draining", activatedAtMs: undefined, retiredAtMs: movedMs + 7 }),
    ];
    expect(next({ record: { versions } })).toBe("npx keyturn rollback alias/orders --version 2");
  });
});
