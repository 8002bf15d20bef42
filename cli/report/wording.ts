/** Formats the times and durations of the report. */
import { dayMs } from "../../lambda/workflow/model/limits.ts";
import { formatTime } from "../terminal/words.ts";

const hourMs = 3_600_000;

/** To the minute, in UTC, without line breaks. An element for each would double the size of the page. */
export function at(atMs: number | undefined, otherwise = "not known"): string {
  return atMs === undefined ? otherwise : formatTime(atMs).replace(" ", "\u00a0");
}

export function isoAt(atMs: number): string {
  return new Date(atMs).toISOString();
}

/** The day of a time, in UTC. */
export function day(atMs: number): string {
  return isoAt(atMs).slice(0, 10);
}

/** `84d`, `84.5d`, `6h`: precise enough for a cryptoperiod. */
export function lasted(ms: number | undefined): string {
  if (ms === undefined) return "not known";
  if (ms < dayMs)
    return ms < hourMs ? `${Math.round(ms / 60_000)}m` : `${Math.round(ms / hourMs)}h`;
  const days = Math.round((ms / dayMs) * 10) / 10;
  return `${days}d`;
}
