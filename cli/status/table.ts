/** `status` as a table: a row for each managed key. */
import type { Finding } from "../../lambda/workflow/model/findings.ts";
import { effectOf, isStopped, type Overview } from "./overview.ts";
import type { Column } from "../terminal/table-view.ts";
import type { Talk } from "../terminal/talk.ts";
import { bar, fromNow, roughly } from "../terminal/words.ts";

export function columnsFor(talk: Talk, nowMs: number): Column<Overview>[] {
  return [
    { title: "ALIAS", cell: ({ alias }) => alias, leaves: 0, atLeast: 12, isName: true },
    { title: "KIND", cell: ({ spec }) => kindOf(spec), leaves: 4 },
    {
      title: "VERSION",
      cell: ({ version }) => (version === undefined ? "-" : `v${version}`),
      leaves: 3,
    },
    { title: "AGE", cell: ageOf, leaves: 2 },
    { title: "STEP", cell: ({ step }) => step, leaves: 0 },
    {
      title: "NEXT",
      cell: (one) => (isStopped(one) ? "-" : fromNow(one.nextAtMs, nowMs)),
      leaves: 1,
    },
    {
      title: "WHY",
      cell: whyOf,
      styled: ({ findings: [gravest] }, shown) =>
        gravest === undefined ? shown : coloured(gravest.code, shown, talk),
      leaves: 0,
      atLeast: 10,
    },
  ];
}

function kindOf(spec: string | undefined): string {
  return spec === "SYMMETRIC_DEFAULT" ? "symmetric" : (spec ?? "-");
}

export function ageOf({ ageMs, cryptoperiodMs }: Overview): string {
  if (ageMs === undefined) return "-";
  return `${bar(ageMs, cryptoperiodMs, 6)} ${roughly(ageMs)}/${roughly(cryptoperiodMs)}`;
}

function whyOf({ findings, why }: Overview): string {
  return findings.length === 0 ? why : findings.map(({ code }) => code).join(" ");
}

/** Coloured by the effect of a finding of this code. */
export function coloured(code: Finding["code"], text: string, talk: Talk): string {
  switch (effectOf(code)) {
    case "halt":
    case "refuse":
      return talk.styled("red", text);
    case "block":
      return talk.styled("yellow", text);
    case "notice":
      return talk.styled("cyan", text);
  }
}
