/** The section of one managed key: its timeline, and the same facts as tables. */
import { markup, table, when, type Cell, type Markup } from "./html.ts";
import { phaseTexts } from "./phases.ts";
import { at, lasted } from "./wording.ts";
import type { Scale } from "./scale.ts";
import { isOverdue } from "./summary.ts";
import type { Named } from "./tables.ts";
import { timeline } from "./timeline.ts";
import type { VersionReport } from "./versions.ts";

export function keySection({ key, id }: Named, scale: Scale, nowMs: number): Markup {
  const { alias, versions, policy } = key;
  const spec = versions.at(-1)?.shape?.spec;
  const text = [spec, `policy ${policy.name}`, `cryptoperiod ${lasted(policy.cryptoperiodMs)}`];
  return markup`<article class="key" id="${id}" aria-labelledby="${id}-h">
    <div class="key-head">
      <h3 id="${id}-h">${alias}</h3>
      <p>${text.filter((one) => one !== undefined).join(" · ")}</p>
      ${state({ key, id })}
    </div>
    <div class="picture" role="group" tabindex="0" aria-label="Timeline of ${alias}">${timeline(key, scale, id)}</div>
    <details>
      <summary>Phases and cryptoperiods of ${alias}, as tables</summary>
      ${phases(alias, versions, nowMs)}
      ${cryptoperiods(alias, versions, nowMs)}
    </details>
  </article>
  `;
}

/** The open exceptions, at the head of the section. */
function state({ key }: Named): Markup[] {
  const open = new Set(
    key.exceptions.filter(({ toMs }) => toMs === undefined).map(({ what }) => what),
  );
  const others = [...open].filter((what) => what !== "OVERDUE");
  return [
    ...(isOverdue(key) ? [markup`<p><span class="bad">overdue</span></p>`] : []),
    ...others.map((what) => markup`<p><a href="#exceptions">${what}</a></p>`),
  ];
}

function phases(alias: string, versions: VersionReport[], nowMs: number): Markup {
  const rows = versions.flatMap(({ number, keyId, arn, publicKey, phases: all }) =>
    all.map(({ kind, fromMs, toMs, note = "" }, index): Cell[] => {
      const archived = publicKey === undefined ? "" : markup`<br>public key archived`;
      const head = markup`v${number}<br><code>${arn || keyId}</code>${archived}`;
      const duration = fromMs === undefined ? undefined : (toMs ?? nowMs) - fromMs;
      return [
        ...(index === 0 ? [{ head, rows: all.length }] : []),
        phaseTexts[kind].label,
        phaseTexts[kind].nist,
        at(fromMs),
        toMs === undefined && index === all.length - 1 ? "now" : at(toMs),
        kind === "destroyed"
          ? ""
          : lasted(toMs === undefined && index < all.length - 1 ? undefined : duration),
        note,
      ];
    }),
  );
  return table(
    {
      caption: `Phases of each version of ${alias}; times in UTC`,
      columns: [
        "Version",
        "Phase",
        "NIST SP 800-57",
        when("From"),
        when("Until"),
        "Lasted",
        "Note",
      ],
      rows,
      none: "No version yet.",
    },
    `Phases of ${alias}`,
  );
}

function cryptoperiods(alias: string, versions: VersionReport[], nowMs: number): Markup {
  const activated = versions.filter(
    ({ activeFromMs, phase }) => activeFromMs ?? phase === "active",
  );
  const rows = activated.map((version): Cell[] => {
    const { number, overdue, activeToMs, phases: all } = version;
    const beyondMs = overdue.reduce((sum, { fromMs, toMs }) => sum + (toMs ?? nowMs) - fromMs, 0);
    const limit = version.cryptoperiodEndsAtMs;
    const isActive = all.at(-1)?.kind === "active";
    return [
      { head: `v${number}` },
      at(version.activeFromMs),
      isActive ? "still active" : at(activeToMs),
      lasted(version.activeMs),
      lasted(version.cryptoperiodMs),
      at(limit),
      limit === undefined
        ? "not known"
        : beyondMs > 0
          ? markup`<span class="bad">exceeded by ${lasted(beyondMs)}</span>`
          : markup`<span class="good">within</span>`,
    ];
  });
  return table(
    {
      caption: `Cryptoperiod and active time of each version of ${alias}`,
      columns: [
        "Version",
        when("Active from"),
        when("Until"),
        "Active for",
        "Cryptoperiod",
        when("Cryptoperiod ends"),
        "Result",
      ],
      rows,
      none: "No version has been active yet.",
    },
    `Cryptoperiods of ${alias}`,
  );
}
