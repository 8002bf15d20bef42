/** The patterns that distinguish phases without colour, and their legend. */
import { markup, table, type Markup } from "./html.ts";
import { phaseTexts, type PhaseKind } from "./phases.ts";

/** The lines of each pattern, in a square of 8; the other phases are plain. */
const strokes: Partial<Record<PhaseKind, string>> = {
  "pre-active": "M2 2h.01M6 6h.01",
  draining: "M-2 2l4-4M0 8L8 0M6 10l4-4",
  retained: "M0 0L8 8M-2 6l4 4M6-2l4 4",
  disabled: "M0 2h8M0 6h8",
  "pending-deletion": "M0 0L8 8M0 8L8 0",
  reactivating: "M2 0v8M6 0v8",
};

/** Of size zero, and not `display: none`: browsers do not use patterns that are not rendered. */
export function patternDefinitions(): Markup {
  const patterns = Object.entries(strokes).map(
    ([kind, d]) =>
      markup`<pattern id="p-${kind}" width="8" height="8" patternUnits="userSpaceOnUse"><rect class="fill-${kind}" width="8" height="8"/><path class="stroke-${kind}" d="${d}"/></pattern> `,
  );
  return markup`<svg class="defs" width="0" height="0" aria-hidden="true" focusable="false">
    <defs>${patterns}</defs>
  </svg>`;
}

export function legend(): Markup {
  const phases = (Object.keys(phaseTexts) as PhaseKind[]).map((kind) => {
    const { label, nist, meaning } = phaseTexts[kind];
    const bar =
      kind === "destroyed"
        ? markup`<path class="ph ph-destroyed" d="M28 7l8 8m0-8l-8 8"/>`
        : markup`<rect class="ph ph-${kind}" x="1" y="1" width="62" height="20" rx="2"/>`;
    return [swatch(bar), { head: label }, nist, meaning];
  });
  const limit = markup`<path class="limit" d="M26 6h12l-6 9z"/>`;
  const overdue = markup`<rect class="overdue" x="1" y="9" width="62" height="4"/>`;
  const now = markup`<path class="now" d="M32 0v22"/>`;
  const alarm = markup`<g class="compromised"><path d="M32 2l9 17h-18z"/><text x="32" y="17">!</text></g>`;
  const marks = [
    [swatch(limit), { head: "end of the cryptoperiod" }, "", "by the policy at that time"],
    [swatch(overdue), { head: "overdue" }, "", "active beyond its cryptoperiod"],
    [swatch(alarm), { head: "compromised" }, "compromised", "an operator declared it compromised"],
    [swatch(now), { head: "now" }, "", "the time of this report; to its right is the future"],
  ];
  return table(
    {
      caption: "Legend of the timelines",
      columns: ["Mark", "Name", "NIST SP 800-57 Part 1", "Meaning"],
      rows: [...phases, ...marks],
      none: "",
    },
    "Legend of the timelines",
  );
}

function swatch(inner: Markup): Markup {
  return markup`<svg class="swatch" viewBox="0 0 64 22" width="64" height="22" aria-hidden="true" focusable="false">
    ${inner}
  </svg>`;
}

/** The styles of bars and patterns. Fills are variables, for light and dark. */
export function patternStyles(): string {
  const patterned = Object.keys(strokes).map(
    (kind) =>
      `.ph-${kind}{fill:url(#p-${kind})}.fill-${kind}{fill:var(--f-${kind})}.stroke-${kind}{stroke:var(--s-${kind});fill:none;stroke-width:1.4}`,
  );
  return `${patterned.join("\n")}
.stroke-pre-active{stroke-width:2.4;stroke-linecap:round}.stroke-retained{stroke-width:.9}
.ph{stroke:var(--bar-edge);stroke-width:1}
.ph-active{fill:var(--f-active);stroke:var(--f-active)}
.ph-destroyed{fill:none;stroke:var(--ink);stroke-width:1.6}
.ph-released,.ph-unknown{fill:none;stroke-dasharray:6 3}`;
}
