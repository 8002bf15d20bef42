/** The callers beyond the first twenty, where the configuration accepts some of them. */
import { expect, test } from "vitest";
import { withoutAccepted } from "../../lambda/pass/accepted.ts";
import type {
  AcceptedRefusal,
  OtherRefusals,
  RefusedOn,
} from "../../lambda/workflow/model/types.ts";
import { aTally, startMs } from "./collecting.ts";

const scanner = "AWSAccount 444455556666";
const accepting = (changes: Partial<AcceptedRefusal> = {}): AcceptedRefusal => ({
  ...{ alias: "alias/*", principal: scanner, operation: "*", error: "*" },
  ...changes,
});
const at = (principal: string, lastAtMs: number): OtherRefusals["known"] => ({
  [aTally({ principal }).name]: [startMs, lastAtMs],
});
const othersOf = (changes: Partial<OtherRefusals>): RefusedOn => {
  const times = { firstAtMs: startMs, lastAtMs: startMs + 9, grownAtMs: startMs };
  const stored = { joinedAtMs: startMs, storedAtMs: startMs };
  return { uses: {}, others: { ...times, ...stored, count: 2, known: {}, ...changes } };
};
const left = (changes: Partial<OtherRefusals>, ...accepted: AcceptedRefusal[]) =>
  withoutAccepted({ revision: 1, on: { "key-1": othersOf(changes) } }, accepted).on["key-1"]
    ?.others;

test("those that it accepts are left out, and with the last of them the others", () => {
  const both = { ...at(scanner, startMs + 9), ...at("app", startMs + 5) };
  expect(left({ known: both }, accepting())).toMatchObject({
    known: at("app", startMs + 5),
    lastAtMs: startMs + 5,
  });
  expect(left({ known: at(scanner, startMs + 9) }, accepting())).toBeUndefined();
});

test("it accepts by principal as a finding shows it, operation and error", () => {
  const known = at(scanner, startMs);
  const exact = accepting({ operation: "Decrypt", error: "AccessDenied" });
  const shown = accepting({ principal: "AWSAccount%20444455556666" });
  for (const one of [exact, shown]) expect(left({ known }, one)).toBeUndefined();
  const others = [
    { principal: "app" },
    { operation: "Verify" },
    { error: "IncorrectKeyException" },
  ];
  for (const changes of others) expect(left({ known }, accepting(changes))?.known).toEqual(known);
  expect(left({ known }, accepting({ principal: "100%" }))?.known).toEqual(known);
});

test("those beyond the names stay: nobody knows who they are", () => {
  const known = at(scanner, startMs);
  expect(left({ known, isFull: true }, accepting())).toMatchObject({
    known: {},
    lastAtMs: startMs + 9,
  });
});
