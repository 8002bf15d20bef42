/** `keyturn explain`: explains a finding code. docs/findings.md has the same texts. */
import { findingTexts, holdFindings } from "../../lambda/workflow/model/finding-texts.ts";
import { effects, type Effect, type FindingCode } from "../../lambda/workflow/model/findings.ts";
import { exitCodes, Failure, type ExitCode } from "../terminal/failure.ts";
import { nearest } from "../terminal/near.ts";
import { printText } from "../terminal/print.ts";
import { tableLines } from "../terminal/table-view.ts";
import type { Talk } from "../terminal/talk.ts";
import { widthOf } from "../terminal/text.ts";

export const explainSchema = "keyturn/explain/2";

const effectTexts: Record<Effect, string> = {
  halt: "the managed key halts until the cause is corrected",
  block: "one action waits; all other work on the managed key continues",
  notice: "for information; keyturn continues",
  refuse: "keyturn does not start work",
};

const codes = Object.keys(effects) as FindingCode[];

export function explain(given: string | undefined, talk: Talk, json: boolean): ExitCode {
  if (given === undefined) return explainAll(talk, json);
  const code = codes.find((one) => one === given.toUpperCase().replaceAll("-", "_"));
  if (code === undefined) {
    const near = nearest(given.toUpperCase(), codes);
    const meant = near.length === 0 ? "" : ` Did you mean ${near.join(" or ")}?`;
    throw new Failure(
      exitCodes.notFound,
      `${given} is not a finding code.${meant}`,
      "npx keyturn explain",
    );
  }
  const { meaning, cause, remedy } = findingTexts[code];
  const effect = effects[code];
  if (json) {
    talk.json({ schema: explainSchema, code, effect, meaning, cause, remedy });
    return exitCodes.ok;
  }
  const title = `${talk.styled("bold", code)}  `;
  const isHold = holdFindings.includes(code);
  const what = `${effect}: ${isHold ? "for information; it reports a hold" : effectTexts[effect]}`;
  if (widthOf(title + what) <= talk.columns) talk.line(title + what);
  else {
    talk.line(title.trimEnd());
    printText(talk, "  ", what);
  }
  printText(talk, "  ", meaning);
  printText(talk, `  ${talk.styled("bold", "cause")}   `, cause);
  printText(talk, `  ${talk.styled("bold", "remedy")}  `, remedy);
  return exitCodes.ok;
}

function explainAll(talk: Talk, json: boolean): ExitCode {
  const all = codes
    .map((code) => ({ code, effect: effects[code], ...findingTexts[code] }))
    .sort((a, b) => (a.code < b.code ? -1 : 1));
  if (json) {
    talk.json({ schema: explainSchema, findings: all });
    return exitCodes.ok;
  }
  const columns = [
    { title: "CODE", cell: ({ code }: (typeof all)[number]) => code, leaves: 0 },
    { title: "EFFECT", cell: ({ effect }: (typeof all)[number]) => effect, leaves: 1 },
    {
      title: "MEANING",
      cell: ({ meaning }: (typeof all)[number]) => meaning,
      leaves: 0,
      atLeast: 10,
    },
  ];
  for (const line of tableLines(columns, all, talk.columns)) talk.line(line);
  return exitCodes.ok;
}
