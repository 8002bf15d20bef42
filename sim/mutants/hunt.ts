/**
 * Runs in a mutant's copy of the sources, seed by seed, until a checker finds a violation. The
 * assertions of production do not count.
 */
import { simulate } from "../history.ts";
import { scenarioNamed } from "../scenarios.ts";
import { beginningOf, schedules } from "../search/scopes.ts";
import { search } from "../search/search.ts";

const [scenario = "everything", first = "1", seeds = "100", only] = process.argv.slice(2);

const statesMax = 60_000;

if (scenario === "search") {
  console.log(JSON.stringify(searchAll()));
  process.exit(0);
}

const from = Number(first);
// The seed that caught it last time, then all others.
const order = [from, ...Array.from({ length: Number(seeds) }, (_, index) => index + 1)];
let tried = 0;
let asserted = 0;
let caught: { seed: number; invariant: string; what: string } | undefined;
for (const seed of order) {
  tried += 1;
  const { violations } = await simulate({ seed, scenario: scenarioNamed(scenario) });
  const violation = violations.find(({ invariant }) =>
    only === undefined ? invariant !== "no bug" : invariant === only,
  );
  if (violation === undefined) {
    asserted += violations.length;
    continue;
  }
  caught = { seed, invariant: violation.invariant, what: violation.what };
  break;
}
console.log(JSON.stringify({ tried, asserted, caught }));

/** Searches the scopes of the schedules that the settle rule prevents. */
function searchAll() {
  let states = 0;
  for (const [index, { scope }] of schedules.entries()) {
    const bounds = { workers: scope.workers, without: undefined };
    const { found, states: searched } = search(beginningOf(scope), bounds, statesMax);
    states += searched;
    if (found === undefined) continue;
    const [invariant = "", what = found.wrong] = found.wrong.split(": ");
    return { tried: states, asserted: 0, caught: { seed: index, invariant, what } };
  }
  return { tried: states, asserted: 0 };
}
