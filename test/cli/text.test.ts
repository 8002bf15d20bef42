import { describe, expect, test } from "vitest";
import { cutTo, printable, widthOf, wrapped } from "../../cli/terminal/text.ts";
import { tableLines } from "../../cli/terminal/table-view.ts";

const escape = "\u001b";

describe("a text", () => {
  test.each([
    ["an escape sequence", `${escape}[2Jgone`, "\\u001b[2Jgone"],
    ["a line end", "fine\nok  all is well", "fine\\u000aok  all is well"],
    ["a carriage return", "bad\rgood", "bad\\u000dgood"],
    ["an eight-bit control", "\u009b31m", "\\u009b31m"],
    ["a mark of text direction", "\u202egnihton", "\\u202egnihton"],
  ])("with %s is escaped", (_, given, shown) => {
    expect(printable(given)).toBe(shown);
  });

  test.each([
    ["plain", 5],
    ["█░░", 3],
    ["鍵", 2],
    ["🔑 x", 4],
    ["e\u0301", 1],
    ["한글", 4],
    [`${escape}[1mbold${escape}[22m`, 4],
  ])("%j is as wide as a terminal shows it", (text, width) => {
    expect(widthOf(text)).toBe(width);
  });

  test("is cut between characters, wide ones too", () => {
    expect(cutTo("鍵鍵鍵", 4)).toBe("鍵…");
    expect(cutTo("orders", 6)).toBe("orders");
    expect(cutTo("orders!", 6)).toBe("order…");
  });

  test("is broken between words; a hash is never broken", () => {
    const hash = "0123456789".repeat(4);
    expect(wrapped(`it ends in ${hash} here`, 20)).toEqual(["it ends in", hash, "here"]);
    expect(wrapped("as long as there is room", Infinity)).toEqual(["as long as there is room"]);
  });
});

test("a table aligns its columns with any content", () => {
  const columns = [
    { title: "WHO", cell: ([who]: string[]) => who ?? "", leaves: 0 },
    { title: "WHAT", cell: ([, what]: string[]) => what ?? "", leaves: 0, atLeast: 4 },
  ];
  const lines = tableLines(
    columns,
    [
      ["鍵", "a"],
      ["ada", `b\n${escape}[2J`],
    ],
    20,
  );
  expect(lines).toEqual(["WHO  WHAT", "鍵   a", "ada  b\\u000a\\u001b[2", "     J"]);
});

test("a table wraps texts inside of their column, and cuts only names", () => {
  const columns = [
    { title: "NAME", cell: ([name]: string[]) => name ?? "", leaves: 0, atLeast: 6, isName: true },
    { title: "WHY", cell: ([, why]: string[]) => why ?? "", leaves: 0, atLeast: 9 },
    { title: "N", cell: () => "1", leaves: 0 },
  ];
  const rows = [
    ["alias/orders", "it waits for a KEY_NOT_ENABLED"],
    ["b", "-"],
  ];
  expect(tableLines(columns, rows, 21)).toEqual([
    "NAME     WHY        N",
    "alias/…  it waits   1",
    "         for a",
    "         KEY_NOT_",
    "         ENABLED",
    "b        -          1",
  ]);
});
