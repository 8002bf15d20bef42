/** The texts of the alarms and the dashboard, and that they name existing metrics and fields. */
import { Duration, Stack } from "aws-cdk-lib";
import { Match, Template } from "aws-cdk-lib/assertions";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import * as sns from "aws-cdk-lib/aws-sns";
import { Logger } from "@aws-lambda-powertools/logger";
import type { Context } from "aws-lambda";
import { afterEach, describe, expect, test, vi } from "vitest";
import { alarmDefinitions } from "../../infra/alarm-definitions.ts";
import { dimensionsOf } from "../../infra/alarm-model.ts";
import { refusalAlarmNames } from "../../infra/refusal-alarms.ts";
import { queries } from "../../infra/dashboard.ts";
import { createFunction } from "../../lambda/function.ts";
import { createMetrics, createTelemetry } from "../../lambda/telemetry/powertools.ts";
import { finding } from "../../lambda/workflow/model/findings.ts";
import { newManagedKey } from "../../lambda/workflow/model/record.ts";
import { aHome, dayMs, minuteMs } from "../fixtures.ts";
import { aWorld } from "../world.ts";
import { alarmProperties } from "./alarm-template.ts";
import { deploy, names } from "./alarms-proof.ts";
import { Deployment, templateOf } from "./alarms-stack.ts";
import { createApp } from "./app.ts";
import { seriesOf } from "./cloudwatch.ts";

afterEach(() => vi.unstubAllEnvs());

describe("an alarm", () => {
  test("describes its meaning, the next step and a link, within CloudWatch's limit", () => {
    const alarms = Object.values(alarmProperties(templateOf(["One"])));
    const timing = { intervalSeconds: 300, timeoutSeconds: 300 };
    const all = Object.entries(alarmDefinitions(timing));
    expect(alarms).toHaveLength(all.length);
    for (const [name, { meaning, next }] of all) {
      const link = `docs/alarms.md#${name.toLowerCase()}`;
      const found = alarms.filter(({ AlarmDescription: text }) => text.includes(link));
      expect(found).toHaveLength(1);
      expect(found[0]?.AlarmDescription).toContain(meaning);
      expect(found[0]?.AlarmDescription).toContain(next);
      expect(found[0]?.AlarmDescription.length).toBeLessThanOrEqual(1024);
    }
  });

  test("has no name of its own, which could collide with another deployment, and no action", () => {
    templateOf(["One"]).allResourcesProperties("AWS::CloudWatch::Alarm", {
      AlarmName: Match.absent(),
      AlarmActions: Match.absent(),
    });
  });

  test("has the actions that the user attaches", () => {
    const stack = new Stack(createApp(), "Theirs");
    const { alarms } = new Deployment(stack, "One", Duration.minutes(5));
    const topic = new sns.Topic(stack, "Pager");
    for (const alarm of Object.values(alarms)) alarm.addAlarmAction(new SnsAction(topic));
    Template.fromStack(stack).allResourcesProperties("AWS::CloudWatch::Alarm", {
      AlarmActions: [Match.anyValue()],
    });
  });

  test("of refused uses exists only where they are collected", () => {
    const namesIn = (collectsRefusals: boolean): string[] => {
      const stack = new Stack(createApp(), "Theirs");
      return Object.keys(
        new Deployment(stack, "One", Duration.minutes(5), collectsRefusals).alarms,
      );
    };
    const [collected, others] = [namesIn(true), namesIn(false)];
    expect(collected.filter((name) => !others.includes(name))).toEqual([...refusalAlarmNames]);
    expect(others).toHaveLength(collected.length - refusalAlarmNames.length);
  });

  test.each([1, 5, 60, 1440])(
    "stays within CloudWatch's evaluation range: a run in %d minutes",
    (minutes) => {
      for (const { periodSeconds, evaluationPeriods } of Object.values(
        alarmDefinitions({ intervalSeconds: minutes * 60, timeoutSeconds: 300 }),
      )) {
        expect(periodSeconds % 60).toBe(0);
        // API reference, PutMetricAlarm: a day for periods below an hour, otherwise a week.
        const longest = periodSeconds < 3600 ? 86_400 : 604_800;
        expect(periodSeconds * evaluationPeriods).toBeLessThanOrEqual(longest);
      }
    },
  );

  test("is rejected if runs are more than a day apart", () => {
    expect(() => templateOf(["One"], 2881)).toThrow(/interval: alarms need one run a day/);
  });
});

/** The names of the `keyturn` metrics in a template's text, if they have its dimensions. */
function named(text: string): string[] {
  return [...text.matchAll(/"keyturn","(\w+)","service","keyturn","table"/g)].map(
    ([, name]) => name ?? "",
  );
}

describe("the dashboard", () => {
  test("and the alarms name emitted metrics with exactly their dimensions", async () => {
    const template = templateOf(["One"]);
    const body = JSON.stringify(template.findResources("AWS::CloudWatch::Dashboard"));
    const alarmed = Object.values(alarmProperties(template)).flatMap((alarm) =>
      [alarm, ...(alarm.Metrics ?? []).flatMap(({ MetricStat }) => MetricStat?.Metric ?? [])]
        .filter(({ Namespace }) => Namespace === "keyturn")
        .map(({ MetricName }) => MetricName),
    );
    const wanted = new Set([...named(body.replaceAll("\\", "")), ...alarmed]);
    const running = deploy(await aWorld());
    await running.pass(8 * dayMs);
    const ours = {
      namespace: "keyturn",
      dimensions: dimensionsOf({ namespace: "keyturn" }, names),
    };
    const emitted = [...wanted].filter((name) =>
      running.store.names().includes(seriesOf({ ...ours, metricName: name })),
    );
    expect(emitted).toEqual([...wanted].filter((name) => name !== "UseAttempts"));
    expect(wanted.size).toBeGreaterThan(12);
  });

  test.each(Object.values(queries))(
    "queries fields that the log lines have: $title",
    ({ lines }) => {
      const query = lines.join(" ");
      const messages = [...query.matchAll(/message = "(\w+)"/g)].map(([, message]) => message);
      const made = [...query.matchAll(/ as (\w+)/g)].map(([, name]) => name);
      const words = query.replaceAll(/"[^"]*"/g, "").match(/@?[a-z]\w*/g) ?? [];
      const fields = words.filter((word) => !commands.includes(word) && !made.includes(word));
      expect(fields.length).toBeGreaterThan(1);
      const [newest] = logLines().filter(({ message }) => messages.includes(String(message)));
      expect(fields.filter((field) => !Object.hasOwn(newest ?? {}, field))).toEqual([]);
    },
  );
});

/** Words of the query language (CloudWatch Logs user guide, CWL_QuerySyntax), and its own field. */
const commands = [
  ...[
    "filter",
    "stats",
    "latest",
    "count",
    "as",
    "by",
    "sort",
    "asc",
    "desc",
    "limit",
    "fields",
    "or",
  ],
  "@timestamp",
];

/** One line of each kind that the dashboard queries, as Powertools writes it. */
function logLines(): Record<string, unknown>[] {
  const written: string[] = [];
  const logger = new Logger({ serviceName: "keyturn", logLevel: "DEBUG" });
  const write = (line: string): void => void written.push(line);
  Object.assign(logger, { console: { debug: write, info: write, warn: write, error: write } });
  const telemetry = createTelemetry(logger, createMetrics("keyturn"));
  const record = {
    ...newManagedKey({ owner: "acme", tableId: "" }, aHome(), "configuration", 0),
    enrolledAtMs: 0,
    waitingFor: "the soak",
  };
  const entry = {
    alias: "",
    revision: 1,
    atMs: 0,
    epoch: 0,
    event: "opened",
    reason: "due",
    detail: {},
  };
  const line = { ...entry, step: "generate", rotationId: "", previousHash: "", hash: "" };
  telemetry.transition({ record, journalHead: "", outbox: [line], writes: 0 });
  telemetry.finding("alias/orders", finding("ALIAS_MOVED", "alias/orders", "observed", "next", 0));
  telemetry.census([record]);
  const rested = {
    halted: false,
    stuck: false,
    lockedOut: false,
    endangered: false,
    tries: 0,
    dueAtMs: Number.MAX_SAFE_INTEGER,
  };
  telemetry.rested({ alias: "alias/orders", overdueMs: 0, waitingFor: "the soak", ...rested });
  return written.map((json) => JSON.parse(json) as Record<string, unknown>);
}

test("a run of the deployed function that fails on its table emits that, and no heartbeat", async () => {
  vi.stubEnv("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "none");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "none");
  const { configuration } = await aWorld();
  const written: string[] = [];
  const stderr = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const stdout = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  const handler = createFunction(
    {
      tableName: "keyturn",
      eventBusName: "default",
      discovery: "tagging",
      quotaShare: 1,
      drainWatch: "none",
      refusalsWatch: "none",
      configuration,
    },
    {
      clock: { nowMs: () => 0, sleep: () => Promise.resolve() },
      chance: { next: () => 0, id: () => "" },
    },
  );
  const context = { invokedFunctionArn: "", getRemainingTimeInMillis: () => 5 * minuteMs };
  await expect(handler({}, context as Context)).rejects.toThrow();
  stdout.mockRestore();
  stderr.mockRestore();
  const emf = JSON.parse(
    written.find((line) => line.includes("CloudWatchMetrics")) ?? "{}",
  ) as object;
  expect(emf).toMatchObject({
    _aws: { CloudWatchMetrics: [{ Namespace: "keyturn", Dimensions: [["service", "table"]] }] },
    service: "keyturn",
    table: "keyturn",
    TableErrors: 1,
  });
  expect(emf).not.toHaveProperty("Heartbeat");
});
