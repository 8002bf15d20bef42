/** The field's terms alone: a word that a term replaced stands nowhere (docs/glossary.md). */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

/** Names and values of earlier versions, which records and journals still have. */
const earlier = [
  "lambda/record/schema-1.ts",
  "lambda/record/schema-2.ts",
  "lambda/record/earlier-events.ts",
  "test/upgrade/",
  "CHANGELOG.md",
  "test/project/words.test.ts",
];

const files = execFileSync("git", ["ls-files", "*.ts", "*.js", "*.md", "test/cli/golden"], {
  cwd: root,
  encoding: "utf8",
})
  .trim()
  .split("\n")
  .filter((file) => !earlier.some((name) => file.startsWith(name)));

/** What is found, the term for it, and what the same letters may also be. */
const replaced: [pattern: RegExp, term: string, otherwise?: RegExp][] = [
  [/\bserving\b|\bversions? that serves?\b/i, "active", /kind: "serving"|serving hand/],
  [/\bsights?\b|\blooked\b|\bseen\b/i, "observed"],
  [/\blooks?\b/i, "read, observe", /looks? (up|the same|correct|back|like)/],
  [/\bcures?\b/i, "remedy"],
  [/\btells?\b|\btold\b/i, "report"],
  [
    /\bg(ive|ives|ave|iven|iving) back\b|giveBack|givenBack|\brescue|\bcom(e|es|ing) back\b/i,
    "restore",
  ],
  [/\bstandstill\b/i, "hold"],
  [/honou?r/i, "fulfilled"],
  [/\bturns?\b/i, "pass", /turns? (on|off|of the event loop|them on)|in turn|turns off by itself/],
  [/settle ?up/i, "finish"],
  [/: Moment\b|<Moment\b/, "context"],
  [/\babsorb/i, "apply the outcome"],
  [/\bfates?\b/i, "fault plan"],
  [/hindsight/i, "oracle"],
  [/\blives?\b|\blife\b/i, "history", /live-2|live as long/],
  [/\bforeign hands?\b|\bcompany\b|\bpeople\b|\bother hands\b/i, "external actors, operators"],
  [/asked ?of ?nobody/i, "unmanaged requests"],
  [/\bseldom\b|\belsewhere\b/i, "what happens"],
  [/\bgone\b/i, "deleted"],
  [/\bwhoever\b|^[\s*/-]*Whatever\b/, "who does what"],
  [/\bso that\b/i, "two sentences"],
];

/** Sentences that style was taught with: they stand nowhere any more. */
const sentences = [
  "is told at synth",
  "a drain that is not watched from one that is quiet",
  "Taken for granted",
  "none is waited for",
  "It is for a person",
  "Whatever it leaves off",
];

describe("no file has a word that a term replaced", () => {
  const lines = files.flatMap((file) =>
    readFileSync(join(root, file), "utf8")
      .split("\n")
      .map((text, index) => ({ place: `${file}:${index + 1}`, text })),
  );

  test.each(replaced)("%s: say %s", (pattern, _term, otherwise) => {
    const found = lines.filter(({ text }) => {
      const rest =
        otherwise === undefined ? text : text.replaceAll(new RegExp(otherwise, "gi"), "");
      return pattern.test(rest);
    });
    expect(found.map(({ place, text }) => `${place}: ${text.trim()}`)).toEqual([]);
  });

  test.each(sentences)("%s", (sentence) => {
    expect(lines.filter(({ text }) => text.includes(sentence))).toEqual([]);
  });
});

test("each pattern finds the word that it is for", () => {
  const words = [
    ["the version that serves", "serving", "a sight", "looked at", "it was seen", "looks", "cure"],
    ["it tells", "told", "gives back", "givenBack", "comes back", "rescue", "standstill"],
    ["honoured", "its turn", "settleUp", "of: Moment", "absorb", "fates", "hindsight", "lives"],
    ["people", "asked of nobody", "seldom", "gone", "whoever", "Whatever", "so that"],
  ].flat();
  for (const word of words) {
    expect(
      replaced.some(([pattern]) => pattern.test(word)),
      word,
    ).toBe(true);
  }
});
