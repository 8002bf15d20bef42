/** Protocol mistakes, each in a copy of the sources: a checker catches every one of them. */
import { describe, expect, test } from "vitest";
import { simulate } from "../../sim/history.ts";
import { patchesOf } from "../../sim/mutants/copy.ts";
import { describeHunted, huntAll } from "../../sim/mutants/main.ts";
import { mutants } from "../../sim/mutants/list.ts";
import { scenarioNamed } from "../../sim/scenarios.ts";
import { sample } from "../sizes.ts";

describe("a mutant", () => {
  test.each(mutants)("still applies: $name", (mutant) => {
    expect(patchesOf(mutant).size).toBeGreaterThan(0);
  });

  test("of each kind is caught, and each by a checker", async () => {
    const some = sample(mutants, 5);
    const all = await huntAll(300, (hunted) => console.log(describeHunted(hunted)), some);
    expect(all).toHaveLength(some.length);
    expect(all.filter(({ caught }) => caught === undefined)).toEqual([]);
  });
});

test("the original sources keep every invariant in the seeds that catch the mutants", async () => {
  const lived = mutants.filter(({ scenario }) => scenario !== "search");
  const places = new Set(lived.map(({ scenario, seed }) => `${scenario} ${seed}`));
  for (const place of sample([...places], 5)) {
    const [scenario = "", seed] = place.split(" ");
    const reported = await simulate({ seed: Number(seed), scenario: scenarioNamed(scenario) });
    expect(reported.violations, place).toEqual([]);
  }
});
