/** What keyturn reports of refused uses of retired versions, and by the alias. */
import { describe, expect, test } from "vitest";
import { refusalFindings } from "../../lambda/workflow/safety/refusal-findings.ts";
import { decide } from "../../lambda/workflow/workflow.ts";
import { dayMs } from "../fixtures.ts";
import { spoken } from "./decided.ts";
import {
  accepting,
  aUse,
  othersOf,
  reader,
  soaked,
  usesOf,
  type On,
  type RefusedSetting,
} from "./refused.ts";
import { alias, anApproval, aVersion, nowMs, retiredAtMs } from "./scene.ts";

function found(on: On, setting: RefusedSetting = {}) {
  const findings = refusalFindings(soaked({ ...setting, on }));
  for (const finding of findings) spoken(finding);
  return findings;
}
const codes = (on: On, setting?: RefusedSetting) => found(on, setting).map(({ code }) => code);
const onFirst = (...uses: Parameters<typeof aUse>[0][]): On => ({
  "key-1": usesOf(...uses.map(aUse)),
});

describe("a refusal of a retired version is reported", () => {
  test("with principal, operation and since when", () => {
    const firstAtMs = nowMs - 2 * dayMs;
    expect(found(onFirst({ firstAtMs, count: 9 }))).toEqual([
      {
        code: "REFUSED_USE",
        subject: "key-1",
        observed: `refused uses of version 1, key-1: refused:1|${reader}|Decrypt|AccessDenied: 9 times, first 1972-09-25T00:00:00Z, last 1972-09-26T00:00:00Z`,
        next: "npx keyturn explain REFUSED_USE",
        sinceMs: firstAtMs,
      },
    ]);
  });

  test("apart where it originates: keyturn denies that on purpose", () => {
    const both = onFirst({}, { operation: "Encrypt" });
    expect(codes(both)).toEqual(["REFUSED_USE", "ORIGINATION_REFUSED"]);
  });

  test("by five callers at most, and the number of the others", () => {
    const uses = ["a", "b", "c", "d", "e", "f", "g"].map((principal) => ({ principal }));
    const [finding] = found(onFirst(...uses));
    expect(finding?.observed.split("; ")).toHaveLength(6);
    expect(finding?.observed).toMatch(/; 2 more$/);
  });

  test("for 32 days: a monthly job stays reported from one month to the next", () => {
    const at = (lastAtMs: number) => codes(onFirst({ lastAtMs }));
    expect(at(nowMs - 32 * dayMs)).toEqual(["REFUSED_USE"]);
    expect(at(nowMs - 32 * dayMs - 1)).toEqual([]);
  });

  test("if it came since the retirement", () => {
    const recently = { retiredAtMs: nowMs - 10 * dayMs };
    const at = (lastAtMs: number) => codes(onFirst({ lastAtMs }), { old: recently });
    expect(at(recently.retiredAtMs)).toEqual(["REFUSED_USE"]);
    expect(at(recently.retiredAtMs - 1)).toEqual([]);
  });

  test.each(["draining", "retained", "disabled", "pending-deletion"] as const)(
    "in any state of the version, also once its rotation is closed: %s",
    (state) => {
      const versions = [
        aVersion(1, { state, retiredAtMs }),
        aVersion(2, { activatedAtMs: retiredAtMs }),
      ];
      expect(codes(onFirst({}), { record: { versions, rotations: [] } })).toEqual(["REFUSED_USE"]);
    },
  );

  test("not while a rollback makes the version active again", () => {
    expect(codes(onFirst({}), { old: { state: "reactivating" } })).toEqual([]);
  });

  test("not where an approval, or the configuration, accepts it", () => {
    const accepts = [`refused:1|${reader}|Decrypt|AccessDenied`];
    const rotation = { approval: anApproval({ of: "delete", accepts }) };
    expect(codes(onFirst({}), { rotation })).toEqual([]);
    const more = onFirst({}, { principal: "another" });
    expect(found(more, { rotation })[0]?.observed).not.toContain(reader);
    expect(codes(onFirst({}), { context: { acceptedRefusals: [accepting()] } })).toEqual([]);
  });

  test("not where refused uses are not collected", () => {
    expect(codes(onFirst({}), { context: { refusalsWatch: "none" } })).toEqual([]);
  });
});

describe("a call that names the alias for data of another version", () => {
  const byAlias = (lastAtMs: number): On => ({
    alias: usesOf(aUse({ error: "IncorrectKeyException", lastAtMs })),
  });

  test("is reported once, about the managed key", () => {
    expect(found(byAlias(nowMs - dayMs))).toMatchObject([
      {
        code: "READ_BY_ALIAS",
        subject: alias,
        observed: expect.stringContaining(
          `name ${alias} for data of another version: refused:alias|${reader}|Decrypt|Incorrect`,
        ) as string,
      },
    ]);
  });

  test("is reported since the first retirement, and not where no version is retired", () => {
    expect(codes(byAlias(retiredAtMs - 1))).toEqual([]);
    const record = { versions: [aVersion(1)], rotations: [] };
    expect(codes(byAlias(nowMs), { record })).toEqual([]);
  });
});

describe("the findings of a decision", () => {
  test("list refused uses beside what the managed key waits for", () => {
    const { record, observed, context } = soaked({ on: onFirst({}) });
    const { findings } = decide(record, observed, context);
    const reported = findings.map(({ code }) => code);
    expect(reported).toEqual(expect.arrayContaining(["REFUSED_USE", "APPROVAL_REQUIRED"]));
  });

  test("list them while an operator holds the managed key", () => {
    const holds = [{ kind: "pause" as const, atMs: nowMs, by: "ada", reason: "" }];
    const { record, observed, context } = soaked({ on: onFirst({}), record: { holds } });
    const { findings } = decide(record, observed, context);
    expect(findings.map(({ code }) => code)).toEqual([
      "REFUSED_USE",
      "PAUSED",
      "APPROVAL_REQUIRED",
    ]);
  });

  test("report no further uses beyond the first twenty of a retired version: its approval does", () => {
    expect(codes({ "key-1": othersOf() })).toEqual([]);
  });
});
