/** README and the other pages: no other test checks their links, their anchors and the paths they name. */
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

function markdownUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name));
}

const pages = [
  ...["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].map((name) => join(root, name)),
  ...markdownUnder(join(root, "docs")),
];

const fence = /^```[\s\S]*?^```$/gm;

/** The text inside a fence or a code span is not a link. */
function withoutCode(text: string): string {
  return text.replace(fence, "").replace(/`[^`\n]*`/g, "code");
}

/** The anchors that GitHub makes of the headings. */
function anchorsOf(path: string): Set<string> {
  const text = readFileSync(path, "utf8").replace(fence, "");
  const anchors = new Set<string>();
  for (const [, heading = ""] of text.matchAll(/^#{1,6} +(.+)$/gm)) {
    const slug = heading
      .replace(/[`*]|\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-");
    let unique = slug;
    for (let count = 1; anchors.has(unique); count++) unique = `${slug}-${count}`;
    anchors.add(unique);
  }
  return anchors;
}

function brokenIn(page: string): string[] {
  const links = withoutCode(readFileSync(page, "utf8")).matchAll(/\]\(([^)\s]+)\)/g);
  return [...links].flatMap(([, link = ""]) => {
    if (/^[a-z]+:/.test(link)) return [];
    const [path = "", anchor] = link.split("#");
    const target = path === "" ? page : resolve(dirname(page), path);
    const isBroken =
      !existsSync(target) ||
      (anchor !== undefined && (statSync(target).isDirectory() || !anchorsOf(target).has(anchor)));
    return isBroken ? [`${relative(root, page)}: ${link}`] : [];
  });
}

test("every relative link and anchor of the pages resolves", () => {
  expect(pages.flatMap(brokenIn)).toEqual([]);
});

const path = /^[\w.-]+(\/[\w.-]+)*(\/|\.(ts|js|cjs|json|md))$/;

/** In a code span, a name without a folder is in the folder of the path before it. */
function missingInSpans(text: string): string[] {
  let folder = "";
  const spans = [...text.replace(fence, "").matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => span);
  return spans.filter((span) => {
    if (!path.test(span)) return false;
    const isAlone = !span.includes("/");
    if (isAlone && existsSync(join(root, folder, span))) return false;
    if (!isAlone) folder = span.endsWith("/") ? span : dirname(span);
    return !existsSync(join(root, span));
  });
}

function filesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (["node_modules", ".git", "cdk.out"].includes(entry.name)) return [];
    const name = `${folder}/${entry.name}`;
    return entry.isDirectory() ? [`${name}/`, ...filesUnder(name)] : [name];
  });
}

/** A drawing names a path from any folder: `pass/act.ts`. */
function missingInDrawings(text: string): string[] {
  const files = filesUnder("");
  const words = [...text.matchAll(fence)].flatMap(([drawing]) => drawing.split(/\s+/));
  return words.filter(
    (word) => path.test(word) && !files.some((file) => file.endsWith(`/${word}`)),
  );
}

test.each(["ARCHITECTURE.md", "CONTRIBUTING.md"])("every path that %s names exists", (name) => {
  const text = readFileSync(join(root, name), "utf8");
  expect([...missingInSpans(text), ...missingInDrawings(text)]).toEqual([]);
});

/** Its text as words in lower case: `pendingActivation` is `pending activation`. */
function wordsOf(code: string): string {
  return code
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replaceAll(/[_-]/g, " ")
    .toLowerCase();
}

function unusedTerms(glossary: string): string[] {
  const sources = ["lambda", "cli", "sim", "infra"].flatMap(filesUnder);
  const words = sources
    .filter((name) => name.endsWith(".ts"))
    .map((name) => wordsOf(readFileSync(join(root, name), "utf8")))
    .join("\n");
  const terms = [...glossary.matchAll(/^\| ([^|]+?) +\|/gm)].map(([, term = ""]) => term);
  const isTerm = (term: string): boolean => term !== "term" && !term.startsWith("--");
  return terms.filter(isTerm).filter((term) => !new RegExp(`\\b${wordsOf(term)}s?\\b`).test(words));
}

test("the code uses every term of the glossary", () => {
  const glossary = readFileSync(join(root, "docs/glossary.md"), "utf8");
  expect(unusedTerms(glossary)).toEqual([]);
  expect(unusedTerms("| term | x |\n| --- | --- |\n| run | x |\n| serving hand | x |")).toEqual([
    "serving hand",
  ]);
});

test("README has at most 200 lines", () => {
  const lines = readFileSync(join(root, "README.md"), "utf8").trimEnd().split("\n");
  expect(lines.length).toBeLessThanOrEqual(200);
});
