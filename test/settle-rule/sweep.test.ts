import { expect, test } from "vitest";
import { aLife, meanwhile, sweep } from "./sweep.ts";

test("x", async () => {
  const life = await aLife();
  console.log([...life.starts.keys()].join(", "));
  for (const call of life.starts.keys()) for (const what of meanwhile) {
    const t = performance.now();
    const wrong = await sweep(life, call, what);
    console.log(call, what, Math.round(performance.now() - t), wrong.length, wrong.slice(0, 3));
  }
  expect(1).toBe(1);
});
