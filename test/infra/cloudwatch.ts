/**
 * A model of CloudWatch for these alarms. It evaluates each alarm once a minute over a sliding
 * window (user guide, alarm-evaluation-window). If data is missing, it follows
 * alarms-and-missing-data: it evaluates more periods than configured, takes the newest data points,
 * and uses the alarm's `TreatMissingData` for as few as possible. Two behaviours are not
 * documented: how many more periods, and whether FILL fills a series without any point. The proofs
 * must hold for each.
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
    // Lambda's metrics have the timestamp of the invocation's start, and arrive at its end.
    let place = points.length;
    while (place > 0 && (points[place - 1]?.atMs ?? 0) > sample.atMs) place -= 1;
    points.splice(place, 0, { atMs: sample.atMs, value: sample.value });
  }

  names(): string[] {
    return [...this.#series.keys()];
  }

  /** Undefined without data from `fromMs` until before `toMs`. */
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
  /** FILL's value for missing data. */
  filledWith?: number;
  periodMs: number;
  evaluationPeriods: number;
  datapointsToAlarm: number;
  comparison: string;
  threshold: number;
  missingData: string;
};

/** Undocumented behaviour of CloudWatch: the proofs must hold for each. */
export type Unknowns = { extraPeriods: number; fillsEmptySeries: boolean };

export const everyUnknown: Unknowns[] = [0, 2, 10].flatMap((extraPeriods) =>
  [true, false].map((fillsEmptySeries) => ({ extraPeriods, fillsEmptySeries })),
);

const furthest = Math.max(...everyUnknown.map(({ extraPeriods }) => extraPeriods));

/**
 * Whether the alarm is in ALARM, given the received data: one answer for each of `everyUnknown`.
 */
export function statesOf(alarm: Watched, store: MetricStore, nowMs: number): boolean[] {
  const { evaluationPeriods } = alarm;
  const newest = pointsOf(alarm, store, nowMs, 0, evaluationPeriods);
  // Without missing data all answers are equal.
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
  return everyUnknown.map(({ extraPeriods, fillsEmptySeries }) => {
    const evaluated = points.slice(0, evaluationPeriods + extraPeriods);
    const isEmpty = evaluated.every((point) => point === undefined);
    const fills = alarm.filledWith !== undefined && (fillsEmptySeries || !isEmpty);
    return isInAlarm(
      alarm,
      fills ? evaluated.map((point) => point ?? alarm.filledWith) : evaluated,
    );
  });
}

function isInAlarm(alarm: Watched, points: (number | undefined)[]): boolean {
  const { evaluationPeriods, datapointsToAlarm } = alarm;
  const there = points.filter((point) => point !== undefined).slice(0, evaluationPeriods);
  const missing = evaluationPeriods - there.length;
  const breaching = there.filter((value) => breaches(alarm, value)).length;
  return breaching + (isMissingBad(alarm) ? missing : 0) >= datapointsToAlarm;
}

/** `count` points, the newest first, from the one that is `from` periods old. */
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
  throw new Error(`unsupported comparison: ${comparison}`);
}

function isMissingBad({ missingData }: Watched): boolean {
  if (missingData === "breaching") return true;
  if (missingData === "notBreaching") return false;
  throw new Error(`unsupported treatment of missing data: ${missingData}`);
}
