/** The section of refused uses: who was refused, and what the configuration accepts. */
import { furtherUses } from "../status/refusals.ts";
import { markup, table, when, type Markup } from "./html.ts";
import { linkTo, type Named } from "./tables.ts";
import { at } from "./wording.ts";

export function refusedUses(all: Named[]): Markup {
  return markup`${uses(all)}
  ${acceptances(all)}`;
}

function uses(all: Named[]): Markup {
  const rows = all.flatMap((named) =>
    named.key.refusals.uses.map((one) => [
      { head: linkTo(named) },
      one.version === undefined ? "by alias" : `v${one.version}`,
      one.call?.principal ?? furtherUses,
      one.call === undefined ? "" : markup`${one.call.operation}<br>${one.call.error}`,
      one.count,
      at(one.firstAtMs),
      at(one.lastAtMs),
      one.acceptedBy ?? markup`<span class="warn">not accepted</span>`,
    ]),
  );
  return table(
    {
      caption: "Refused uses of each version, those that nobody accepted first; times in UTC",
      columns: [
        "Key",
        "Version",
        { title: "Caller", class: "id" },
        { title: "Operation, error", class: "id" },
        "Times",
        when("First"),
        when("Last"),
        "Accepted by",
      ],
      rows,
      none: "The table has no refused uses.",
    },
    "Refused uses",
  );
}

function acceptances(all: Named[]): Markup {
  const rows = all.flatMap((named) =>
    (named.key.refusals.accepted ?? []).map((one) => [
      { head: linkTo(named) },
      markup`<code>${one.alias}</code>`,
      one.principal,
      anyOr(one.operation),
      anyOr(one.error),
    ]),
  );
  return table(
    {
      caption: "Refusals that the configuration accepts (acceptedRefusals)",
      columns: [
        "Key",
        { title: "Aliases", class: "id" },
        { title: "Caller", class: "id" },
        "Operation",
        "Error",
      ],
      rows,
      none: isKnown(all)
        ? "The configuration accepts no refusals."
        : "The table does not have the accepted refusals of the applied configuration.",
    },
    "Accepted refusals",
  );
}

function anyOr(value: string): string {
  return value === "*" ? "any" : value;
}

function isKnown(all: Named[]): boolean {
  return all.every(({ key }) => key.refusals.accepted !== undefined);
}
