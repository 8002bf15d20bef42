/**
 * CloudWatch as far as these alarms go. It evaluates each alarm once a minute over a window that slides
 * (user guide, alarm-evaluation-window), and where data is missing it does what alarms-and-missing-data
 * says: it looks back further than it was told to, takes the newest data points there are, and puts
 * the alarm's `TreatMissingData` in the place of as few as possible. How far it looks back, and whether
 * FILL fills a series without a single point, is not documented: what is proved must hold either way.
 */
export type Sample = {
  namespace: string;
  metricName: string;
  dimensions: Record<string, string>;
  value: number;
  atMs: number;
};

type Point = { atMs: number; value: number };
type Statistic = "Sum" | "Maximum";

export const minuteMs = 60_000;

export function seriesOf(of: Omit<Sample, "value" | "atMs">): string {
  const names = Object.keys(of.dimensions).sort();
  const dimensions = names.map((name) => `${name}=${of.dimensions[name]}`);
  return `${of.namespace} ${of.metricName} of ${dimensions.join()}`;
}

export class MetricStore {
  readonly #series = new Map<string, Point[]>();

  put(sample: Sample): void {
    const name = seriesOf(sample);
    const points = this.#series.get(name) ?? [];
    this.#series.set(name, points);
    // Lambda stamps a metric with the start of what it measured: it comes late.
    let place = points.length;
    while (place > 0 && (points[place - 1]?.atMs ?? 0) > sample.atMs) place -= 1;
    points.splice(place, 0, { atMs: sample.atMs, value: sample.value });
  }

  names(): string[] {
    return [...this.#series.keys()];
  }

  /** Undefined where there is no data from `fromMs` until before `toMs`. */
  statistic(series: string, statistic: Statistic, fromMs: number, toMs: number) {
    const points = this.#series.get(series) ?? [];
    let result: number | undefined;
    for (let index = points.length - 1; index >= 0; index -= 1) {
      const { atMs, value } = points[index] ?? { atMs: -1, value: 0 };
      if (atMs < fromMs) break;
      if (atMs >= toMs) continue;
      if (result === undefined) result = value;
      else result = statistic === "Sum" ? result + value : Math.max(result, value);
    }
    return result;
  }
}

export type Watched = {
  name: string;
  series: string;
  statistic: Statistic;
  /** What FILL puts in the place of missing data. */
  filledWith?: number;
  periodMs: number;
  evaluationPeriods: number;
  datapointsToAlarm: number;
  comparison: string;
  threshold: number;
  missingData: string;
};

/** What is not documented of CloudWatch: each history must be the same whatever it is. */
export type Unknowns = { looksFurtherBack: number; fillsEmptySeries: boolean };

export const everyUnknown: Unknowns[] = [0, 2, 10].flatMap((looksFurtherBack) =>
  [true, false].map((fillsEmptySeries) => ({ looksFurtherBack, fillsEmptySeries })),
);

const furthest = Math.max(...everyUnknown.map(({ looksFurtherBack }) => looksFurtherBack));

/** Whether the alarm is in ALARM, as of what has come in: one answer for each of `everyUnknown`. */
export function statesOf(alarm: Watched, store: MetricStore, nowMs: number): boolean[] {
  const { evaluationPeriods } = alarm;
  const newest = pointsOf(alarm, store, nowMs, 0, evaluationPeriods);
  // Where nothing is missing it makes no difference.
  if (!newest.includes(undefined)) {
    const state = isInAlarm(alarm, newest);
    return everyUnknown.map(() => state);
  }
  const older = pointsOf(alarm, store, nowMs, evaluationPeriods, furthest);
  const points = [...newest, ...older];
  if (points.every((point) => point === undefined) && alarm.filledWith === undefined) {
    const state = isInAlarm(alarm, []);
    return everyUnknown.map(() => state);
  }
  return everyUnknown.map(({ looksFurtherBack, fillsEmptySeries }) => {
    const inSight = points.slice(0, evaluationPeriods + looksFurtherBack);
    const isEmpty = inSight.every((point) => point === undefined);
    const fills = alarm.filledWith !== undefined && (fillsEmptySeries || !isEmpty);
    return isInAlarm(alarm, fills ? inSight.map((point) => point ?? alarm.filledWith) : inSight);
  });
}

function isInAlarm(alarm: Watched, points: (number | undefined)[]): boolean {
  const { evaluationPeriods, datapointsToAlarm } = alarm;
  const there = points.filter((point) => point !== undefined).slice(0, evaluationPeriods);
  const missing = evaluationPeriods - there.length;
  const breaching = there.filter((value) => breaches(alarm, value)).length;
  return breaching + (isMissingBad(alarm) ? missing : 0) >= datapointsToAlarm;
}

/** So many, the newest first, from the one that is so many periods old. */
function pointsOf(
  { series, statistic, periodMs }: Watched,
  store: MetricStore,
  nowMs: number,
  from: number,
  count: number,
): (number | undefined)[] {
  return Array.from({ length: count }, (_, index) => {
    const endsMs = nowMs - (from + index) * periodMs;
    return store.statistic(series, statistic, endsMs - periodMs, endsMs);
  });
}

function breaches({ comparison, threshold }: Watched, value: number): boolean {
  if (comparison === "LessThanThreshold") return value < threshold;
  if (comparison === "GreaterThanOrEqualToThreshold") return value >= threshold;
  throw new Error(`a comparison that CloudWatch may know, and this does not: ${comparison}`);
}

function isMissingBad({ missingData }: Watched): boolean {
  if (missingData === "breaching") return true;
  if (missingData === "notBreaching") return false;
  throw new Error(`missing data is ${missingData}: say what becomes of it`);
}
