import { expect, test } from "vitest";
import { requestId } from "../../cli/requests/request-id.ts";

test("ids sort in the order of the requests, also within a second", () => {
  const secondMs = Date.UTC(2027, 0, 1);
  const ids = [secondMs - 1, secondMs, secondMs + 1, secondMs + 999, secondMs + 1000].map(
    (atMs, index) => requestId(atMs, String(9 - index)),
  );
  expect(ids[1]).toBe("20270101T000000000Z-8");
  expect([...ids].sort()).toEqual(ids);
});
