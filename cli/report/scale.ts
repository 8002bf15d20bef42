/** The common time axis of all timelines. */
import { dayMs } from "../../lambda/workflow/model/limits.ts";
import type { Report } from "./model.ts";

export type Scale = {
  fromMs: number;
  toMs: number;
  nowMs: number;
  ticks: { atMs: number; label: string }[];
};

/** A little more than the period: the timelines show the near future. */
const aheadShare = 0.09;
const beforeShare = 0.02;

export function scaleOf({ period, madeAtMs: nowMs, keys }: Report): Scale {
  const starts = keys.flatMap(({ versions }) =>
    versions.flatMap(({ phases }) => phases.flatMap(({ fromMs }) => fromMs ?? [])),
  );
  const earliestMs = starts.reduce((least, atMs) => Math.min(least, atMs), Infinity);
  const lateMs = Number.isFinite(earliestMs) ? earliestMs : period.fromMs;
  const spanMs = period.toMs - Math.max(period.fromMs, Math.min(lateMs, period.toMs - dayMs));
  const fromMs = Math.max(period.fromMs, period.toMs - spanMs * (1 + beforeShare));
  const isNow = period.toMs >= nowMs;
  const toMs = isNow ? Math.max(period.toMs, nowMs + spanMs * aheadShare) : period.toMs;
  return { fromMs, toMs, nowMs, ticks: ticksOf(fromMs, toMs) };
}

/** The place of a time on the axis, from 0 to 1; outside of that, it is not on the axis. */
export function placeOf({ fromMs, toMs }: Scale, atMs: number): number {
  return (atMs - fromMs) / (toMs - fromMs);
}

const ticksWanted = 15;
const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

function ticksOf(fromMs: number, toMs: number): Scale["ticks"] {
  const days = (toMs - fromMs) / dayMs;
  if (days <= 2 * 31) return dayTicks(fromMs, toMs, Math.max(1, Math.ceil(days / ticksWanted)));
  const steps = [1, 2, 3, 6, 12, 24, 60];
  const every = steps.find((step) => days / 30.4 / step <= ticksWanted) ?? 120;
  const start = new Date(fromMs);
  const ticks: Scale["ticks"] = [];
  for (let month = 0; ; month += every) {
    const atMs = Date.UTC(start.getUTCFullYear(), month, 1);
    if (atMs > toMs) return ticks;
    if (atMs < fromMs) continue;
    const date = new Date(atMs);
    const isNamed = ticks.length === 0 || date.getUTCMonth() === 0;
    const name = months[date.getUTCMonth()] ?? "";
    ticks.push({ atMs, label: isNamed ? `${name} ${date.getUTCFullYear()}` : name });
  }
}

function dayTicks(fromMs: number, toMs: number, every: number): Scale["ticks"] {
  const ticks = [];
  for (let atMs = Math.ceil(fromMs / dayMs) * dayMs; atMs <= toMs; atMs += every * dayMs) {
    const iso = new Date(atMs).toISOString();
    ticks.push({ atMs, label: ticks.length === 0 ? iso.slice(0, 10) : iso.slice(5, 10) });
  }
  return ticks;
}
