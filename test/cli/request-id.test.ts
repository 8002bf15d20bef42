import { expect, test } from "vitest";
import { requestId } from "../../cli/requests/request-id.ts";

test("requests are taken in the order in which they were made, within a second too", () => {
  const secondMs = Date.UTC(2027, 0, 1);
  const ids = [secondMs - 1, secondMs, secondMs + 1, secondMs + 999, secondMs + 1000].map(
    (atMs, index) => requestId(atMs, String(9 - index)),
  );
  expect(ids[1]).toBe("20270101T000000000Z-8");
  expect([...ids].sort()).toEqual(ids);
});
