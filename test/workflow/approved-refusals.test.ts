/** The approval of a deletion under refused uses: what it must accept, and when it is void. */
import { describe, expect, test } from "vitest";
import { decideRevoke } from "../../lambda/workflow/5-revoke.ts";
import { decideApproval } from "../../lambda/workflow/requests/approval.ts";
import { requiredApproval } from "../../lambda/workflow/requests/required-approval.ts";
import { nothingObserved } from "../../lambda/workflow/safety/observations.ts";
import type { Approval } from "../../lambda/workflow/model/types.ts";
import { dayMs, hourMs } from "../fixtures.ts";
import { calls, changes, nextOf, readsOf, spoken, waits } from "./decided.ts";
import { aUse, othersOf, reader, soaked, usesOf, type On, type RefusedSetting } from "./refused.ts";
import { anApproval, anApproveRequest, nowMs, stepScene } from "./scene.ts";

const id = `refused:1|${reader}|Decrypt|AccessDenied`;
const refused: On = { "key-1": usesOf(aUse()) };
const growing: On = { "key-1": othersOf({ grownAtMs: nowMs - dayMs + 1 }) };
const settled: On = { "key-1": othersOf({ grownAtMs: nowMs - dayMs }) };
const others = "refused:1|others";

const toDelete = (setting: RefusedSetting) => spoken(decideRevoke(soaked(setting)));
const approved = (changes: Partial<Approval> = {}) => ({
  approval: anApproval({ of: "delete", ...changes }),
});
const request = (on: On, accepts: string[], setting: RefusedSetting = {}) =>
  decideApproval(soaked({ ...setting, on }), anApproveRequest({ of: "delete", accepts }));
const whyRejected = (...asked: Parameters<typeof request>) => {
  const rejected = request(...asked);
  expect(rejected).toMatchObject(changes("request-rejected"));
  return nextOf(rejected).rejected[0]?.why;
};

describe("an approval of a deletion", () => {
  test("is rejected where it does not accept a refusal, and says which", () => {
    expect(whyRejected(refused, [])).toBe(`the request does not accept ${id}`);
    expect(whyRejected(refused, [`${id}2`])).toBe(`the request does not accept ${id}`);
  });

  test("is recorded with what it accepts", () => {
    const given = request(refused, [id]);
    expect(given).toMatchObject(changes("approved", { of: "delete", accepts: id }));
    expect(nextOf(given).rotations[0]?.approval).toMatchObject({ accepts: [id], atMs: nowMs });
  });

  test("is recorded where it also accepts what is no longer there", () => {
    expect(request({}, [id])).toMatchObject(changes("approved"));
  });

  test("cannot accept the others while more join, and can a day after", () => {
    expect(whyRejected(growing, [others])).toBe(`the request does not accept ${others}`);
    expect(request(settled, [others])).toMatchObject(changes("approved"));
  });

  test("reads the refused uses first, and the policies of the exemption after them", () => {
    const on = { "key-2": usesOf(aUse({ operation: "Encrypt", byKeyPolicy: true })) };
    const full = soaked({ on });
    const asked = readsOf(
      (observed) => decideApproval({ ...full, observed }, anApproveRequest({ of: "delete" })),
      full.observed,
    );
    expect(asked).toEqual([
      ...["last-use key-1", "grants key-1", "refusals alias/orders", "refusals-watch alias/orders"],
      ...["policy key-2", "policy key-1"],
    ]);
    expect(request(on, [])).toMatchObject(changes("approved"));
  });

  test("of DisableKey needs no word on refusals: a refused caller loses nothing by it", () => {
    const draining = stepScene("revoke", { observed: soaked({ on: refused }).observed });
    const context = { ...draining.context, refusalsWatch: "cloudtrail" as const };
    const given = decideApproval({ ...draining, context }, anApproveRequest());
    expect(given).toMatchObject(changes("approved", { of: "disable" }));
  });
});

describe("before ScheduleKeyDeletion", () => {
  test("a refusal that the approval does not accept asks for another one", () => {
    const asked = toDelete({ on: refused, rotation: approved() });
    expect(asked).toMatchObject(waits(nowMs + 6 * hourMs, "APPROVAL_REQUIRED"));
    expect(asked).toMatchObject({
      finding: {
        observed: expect.stringContaining(`; ${id}: once, at 1972-09-26T00:00:00Z`) as string,
        next: `npx keyturn approve alias/orders --version 1 --of delete --evidence evidence-hash --accept '${id}'`,
      },
    });
  });

  test("an approval that accepts it suffices, and a repetition does not void it", () => {
    const rotation = approved({ accepts: [id], atMs: nowMs - dayMs });
    const scheduled = calls("ScheduleKeyDeletion", { keyId: "key-1" });
    expect(toDelete({ on: refused, rotation })).toMatchObject(scheduled);
    const repeated = { "key-1": usesOf(aUse({ lastAtMs: nowMs, count: 101 })) };
    expect(toDelete({ on: repeated, rotation })).toMatchObject(scheduled);
  });

  test("another caller, operation or version asks again", () => {
    const rotation = approved({ accepts: [id] });
    for (const more of [{ principal: "b" }, { operation: "Verify" }, { error: "Another" }]) {
      const on = { "key-1": usesOf(aUse(), aUse(more)) };
      expect(toDelete({ on, rotation })).toMatchObject({ finding: { code: "APPROVAL_REQUIRED" } });
    }
    const second = { ...refused, "key-2": usesOf(aUse()) };
    expect(toDelete({ on: second, rotation })).toMatchObject({
      finding: { code: "APPROVAL_REQUIRED" },
    });
  });

  test("callers that joined the others since the approval ask again", () => {
    const at = (atMs: number) =>
      toDelete({ on: settled, rotation: approved({ accepts: [others], atMs }) });
    expect(at(nowMs)).toMatchObject(calls("ScheduleKeyDeletion"));
    expect(at(nowMs - 1)).toMatchObject({ finding: { code: "APPROVAL_REQUIRED" } });
  });

  test("callers whose event came long after their call ask again, too", () => {
    const late: On = {
      "key-1": othersOf({ grownAtMs: nowMs - 30 * dayMs, joinedAtMs: nowMs - 2 * dayMs }),
    };
    const at = (atMs: number) =>
      toDelete({ on: late, rotation: approved({ accepts: [others], atMs }) });
    expect(at(nowMs - 3 * dayMs)).toMatchObject({ finding: { code: "APPROVAL_REQUIRED" } });
    expect(at(nowMs - dayMs)).toMatchObject(calls("ScheduleKeyDeletion"));
  });

  test("no command approves while more callers join", () => {
    const asked = toDelete({ on: growing });
    expect(asked).toMatchObject({
      finding: { code: "APPROVAL_REQUIRED", next: "npx keyturn status alias/orders" },
    });
    const rotation = approved({ accepts: [others], atMs: nowMs });
    expect(toDelete({ on: growing, rotation })).toMatchObject({
      finding: { code: "APPROVAL_REQUIRED" },
    });
  });

  test("the finding says how many refused calls name no key", () => {
    const text = (unattributed: number) => {
      const asked = toDelete({ watch: { unattributed } });
      return asked.kind === "wait" ? (asked.finding?.observed ?? "") : "";
    };
    expect(text(0)).not.toContain("CloudTrail");
    expect(text(1)).toContain("; CloudTrail has 1 refused call that names no key; evidence");
    expect(text(9)).toContain("; CloudTrail has 9 refused calls that name no key; evidence");
  });

  test("tools read the ids from the finding", () => {
    const asked = toDelete({ on: { ...refused, alias: usesOf(aUse({ principal: "a b" })) } });
    const { finding } = asked.kind === "wait" ? asked : {};
    if (finding === undefined) throw new Error("no finding");
    const hash = "0".repeat(64);
    const observed = finding.observed.replace("evidence-hash", hash);
    expect(requiredApproval({ ...finding, observed })).toEqual({
      ...{ of: "delete", evidence: hash },
      accepts: [id, "refused:alias|a%20b|Decrypt|AccessDenied"],
    });
  });

  test("nothing else of a decision observed is needed to ask for the refused uses", () => {
    const full = soaked({ on: refused });
    expect(decideRevoke({ ...full, observed: nothingObserved() })).toMatchObject({
      kind: "observe",
    });
  });
});
