import { describe, expect, test } from "vitest";
import { parseConfiguration } from "../../lambda/configuration/configuration.ts";
import { commandLine } from "../../lambda/workflow/model/commands.ts";
import type { FindingCode } from "../../lambda/workflow/model/findings.ts";
import { askingSituations } from "./asking.ts";
import { sample } from "../sizes.ts";
import { enter, found, putsRight, showsOnly } from "./commands.ts";
import { driftSituations } from "./drift.ts";
import { othersSituations } from "./others.ts";
import { refusedSituations } from "./refused.ts";
import { restSituations } from "./rest.ts";
import { commandsOf } from "../../sim/world/shell.ts";
import type { Situation } from "./situation.ts";

/** A code without a situation does not compile. */
const situations: Record<FindingCode, Situation[]> = {
  ...driftSituations,
  ...othersSituations,
  ...restSituations,
  ...refusedSituations,
  ...askingSituations,
  ALIAS_MOVED: [...driftSituations.ALIAS_MOVED, ...othersSituations.ALIAS_MOVED],
  OTHER_OWNER: [...restSituations.OTHER_OWNER, ...othersSituations.OTHER_OWNER],
  VERSION_DELETED: [...driftSituations.VERSION_DELETED, ...othersSituations.VERSION_DELETED],
  UNLISTED_ALIAS: [...restSituations.UNLISTED_ALIAS, ...othersSituations.UNLISTED_ALIAS],
  APPROVAL_REQUIRED: [
    ...askingSituations.APPROVAL_REQUIRED,
    ...refusedSituations.APPROVAL_REQUIRED,
  ],
};

const all = Object.entries(situations).flatMap(([code, some]) =>
  some.map((situation) => ({ code: code as FindingCode, is: situation.is, situation })),
);
const cases = sample(all, 10);

describe("the changing command of a finding ends it, and the managed key continues", () => {
  const changing = cases.filter(({ situation }) => situation.command === "changes");

  test.each(changing)("$code: $is", async ({ code, situation }) => {
    const account = await enter(situation);
    await putsRight(account, code, situation);
  });
});

describe("the read-only command of a finding runs, and changes nothing", () => {
  const showing = cases.filter(({ situation }) => situation.command === "shows");

  test.each(showing)("$code: $is", async ({ code, situation }) => {
    const account = await enter(situation);
    await showsOnly(account, await found(account, code));
  });
});

test("every code has a situation, except the one that stops the function at its start", () => {
  const silent = Object.entries(situations).filter(([, some]) => some.length === 0);
  expect(silent.map(([code]) => code)).toEqual(["CONFIGURATION_INVALID"]);
  expect(() => parseConfiguration({})).toThrow(
    expect.objectContaining({ code: "CONFIGURATION_INVALID" }),
  );
});

describe("a shell reads a word of a command literally", () => {
  test.each(["it's", "a b", "$(id)", "`id`", "a;b", "a&&b", "~", "*", "a\nb", "", "!x", '"', "#"])(
    "%j",
    (word) => {
      expect(commandsOf(commandLine("echo", word, "x"))).toEqual([["echo", word, "x"]]);
    },
  );
});
