/** The versions of a managed key over time, as SVG; the table below has the same facts. */
import { markup, type Markup } from "./html.ts";
import type { KeyReport } from "./model.ts";
import { phaseTexts, type Phase, type PhaseKind } from "./phases.ts";
import { day, lasted } from "./wording.ts";
import { placeOf, type Scale } from "./scale.ts";
import type { VersionReport } from "./versions.ts";

const width = 920;
const left = 124;
const right = 10;
const head = 26;
const rowHeight = 32;
const barHeight = 20;
/** The approximate width of a letter of the labels. */
const letter = 6.4;

export function timeline(key: KeyReport, scale: Scale, id: string): Markup {
  const shown = key.versions.filter((version) => isOn(scale, version));
  const height = head + Math.max(1, shown.length) * rowHeight + 4;
  const rows = shown.map((version, row) => rowOf(version, head + row * rowHeight, scale));
  return markup`<svg class="timeline" role="img" viewBox="0 0 ${width} ${height}" aria-labelledby="${id}-t ${id}-d">
    <title id="${id}-t">Versions of ${key.alias} over time</title>
    <desc id="${id}-d">${described(key, shown.length)}</desc>
    ${axis(scale, height)}${shown.length === 0 ? nothing() : rows}${nowMark(scale, height)}
  </svg>`;
}

function described({ versions, active }: KeyReport, shown: number): string {
  const now = active === undefined ? "none is active now" : `version ${active} is active now`;
  const hidden = versions.length - shown;
  const earlier = hidden === 0 ? "" : ` ${hidden} ended earlier and are only in the table.`;
  return `${versions.length} versions; ${now}.${earlier} The table of phases below has the same facts.`;
}

/** Whether a version has a phase on the axis. A version that was destroyed earlier has none. */
function isOn(scale: Scale, { phases }: VersionReport): boolean {
  return phases.some(({ kind, fromMs, toMs }) => {
    const isOver = kind === "destroyed" || kind === "released" ? fromMs : toMs;
    return (isOver ?? scale.nowMs) > scale.fromMs && (fromMs ?? 0) < scale.toMs;
  });
}

function axis(scale: Scale, height: number): Markup {
  const ahead = xOf(scale, scale.nowMs);
  const future =
    ahead < width - right
      ? markup`<rect class="future" x="${ahead}" y="${head - 4}" width="${round(width - right - ahead)}" height="${height - head}"/>`
      : undefined;
  const lines = scale.ticks.map(({ atMs }) => `M${xOf(scale, atMs)} ${head - 6}V${height}`);
  const ticks = scale.ticks.map(({ atMs, label }) => {
    const x = xOf(scale, atMs);
    const isRoom = x + label.length * letter < width;
    return isRoom ? markup`<text class="tick" x="${x}" y="13">${label}</text>` : undefined;
  });
  return markup`${future}<path class="grid" d="${lines.join("")}"/>${ticks}`;
}

function nowMark(scale: Scale, height: number): Markup | undefined {
  const x = xOf(scale, scale.nowMs);
  if (scale.nowMs > scale.toMs || scale.nowMs < scale.fromMs) return undefined;
  return markup`<path class="now" d="M${x} ${head - 8}V${height}"/><text class="now-label" x="${round(x + 4)}" y="${head + 1}">now</text>`;
}

function rowOf(version: VersionReport, y: number, scale: Scale): Markup {
  const middle = y + barHeight / 2 + 8;
  return markup`<text class="version" x="0" y="${middle}">v${version.number}</text><text class="key-id" x="30" y="${middle}">${version.keyId.slice(0, 8)}…</text>
    ${version.phases.map((phase) => bar(version, phase, y + 4, scale))}${limit(version, y, scale)}${overdue(version, y, scale)}${compromised(version, y, scale)}`;
}

/** A pending deletion has an end in the future. Every other present phase ends now. */
function bar(version: VersionReport, phase: Phase, y: number, scale: Scale): Markup | undefined {
  const { kind, fromMs, toMs } = phase;
  const ends = kind === "pending-deletion" ? version.deletionAtMs : undefined;
  const endMs = toMs ?? Math.max(scale.nowMs, ends ?? 0);
  const start = clamped(scale, fromMs ?? scale.fromMs);
  const end = clamped(scale, endMs);
  if (endMs < scale.fromMs || (fromMs ?? 0) > scale.toMs) return undefined;
  const wide = Math.max(2.5, end - start);
  if (kind === "destroyed") return destroyed(version, fromMs, start, y);
  const text = `v${version.number} ${phaseTexts[kind].label}: ${sinceWhen(fromMs)}${toMs === undefined ? "" : ` to ${day(toMs)}`}`;
  return markup`<rect class="ph ph-${kind}" x="${round(start)}" y="${y}" width="${round(wide)}" height="${barHeight}" rx="${round(Math.min(2, wide / 3))}"><title>${text}</title></rect>${label(kind, start, y, wide, durationOf(phase, scale))}`;
}

/** A cross at the end, and a label, which may overlap. */
function destroyed({ number }: VersionReport, fromMs: number | undefined, x: number, y: number) {
  const title = `v${number} destroyed: ${sinceWhen(fromMs)}`;
  const isRoom = x < width - 100;
  const text = isRoom
    ? markup`<text class="in-bar" x="${round(x + 16)}" y="${y + 14}">destroyed</text>`
    : undefined;
  return markup`<path class="ph ph-destroyed" d="M${round(x + 4)} ${y + 6}l8 8m0-8l-8 8"><title>${title}</title></path>${text}`;
}

function sinceWhen(fromMs: number | undefined): string {
  return fromMs === undefined ? "start not known" : day(fromMs);
}

function durationOf({ fromMs, toMs, kind }: Phase, { nowMs }: Scale): string {
  if (fromMs === undefined || kind !== "active") return "";
  return ` ${lasted((toMs ?? nowMs) - fromMs).replace(/\.\d+/, "")}`;
}

function label(
  kind: PhaseKind,
  x: number,
  y: number,
  wide: number,
  duration: string,
): Markup | undefined {
  const { label: full, short } = phaseTexts[kind];
  const text = [full + duration, full, short].find((one) => one.length * letter + 10 <= wide);
  if (text === undefined) return undefined;
  return markup`<text class="in-bar on-${kind}" x="${round(x + 6)}" y="${y + 14}">${text}</text>`;
}

/** The end of the cryptoperiod: a triangle that points at it. */
function limit({ cryptoperiodEndsAtMs: atMs }: VersionReport, y: number, scale: Scale) {
  if (atMs === undefined || atMs < scale.fromMs || atMs > scale.toMs) return undefined;
  const x = xOf(scale, atMs);
  return markup`<path class="limit" d="M${round(x - 4)} ${y - 1}h8l-4 6z"><title>end of the cryptoperiod: ${day(atMs)}</title></path>`;
}

function overdue({ overdue: spans }: VersionReport, y: number, scale: Scale): Markup[] {
  return spans
    .filter(({ toMs }) => (toMs ?? scale.nowMs) > scale.fromMs)
    .map(({ fromMs, toMs }) => {
      const start = clamped(scale, fromMs);
      const wide = Math.max(3, clamped(scale, toMs ?? scale.nowMs) - start);
      return markup`<rect class="overdue" x="${round(start)}" y="${y + 4 + barHeight}" width="${round(wide)}" height="4"><title>past its cryptoperiod since ${day(fromMs)}</title></rect>`;
    });
}

function compromised({ compromisedAtMs: atMs }: VersionReport, y: number, scale: Scale) {
  if (atMs === undefined || atMs < scale.fromMs || atMs > scale.toMs) return undefined;
  const x = xOf(scale, atMs);
  return markup`<g class="compromised"><title>declared compromised: ${day(atMs)}</title><path d="M${x} ${y + 1}l7 13h-14z"/><text x="${x}" y="${y + 12}">!</text></g>`;
}

function nothing(): Markup {
  return markup`<text class="key-id" x="${left}" y="${head + 18}">no version in this period</text>`;
}

function clamped(scale: Scale, atMs: number): number {
  return left + Math.min(1, Math.max(0, placeOf(scale, atMs))) * (width - left - right);
}

function xOf(scale: Scale, atMs: number): number {
  return round(clamped(scale, atMs));
}

function round(x: number): number {
  return Math.round(x * 10) / 10;
}
