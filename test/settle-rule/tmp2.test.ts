import { expect, test, vi } from "vitest";
import { mutant } from "./mutant.ts";
test("a", async () => {
  const { aLife } = await import("./sweep.ts");
  const { slowLook } = await import("./fresh-look.ts");
  expect(await slowLook(await aLife())).toBe("Enabled");
});
test("b", async () => {
  vi.resetModules();
  const part = "others.some(({ untilMs }) => untilMs > seenSinceMs && untilMs <= nowMs)";
  vi.doMock("../../lambda/turn.ts", () => mutant("lambda/turn.ts", part, "false"));
  const { aLife } = await import("./sweep.ts");
  const { slowLook } = await import("./fresh-look.ts");
  expect(await slowLook(await aLife())).toBe("Disabled");
});
