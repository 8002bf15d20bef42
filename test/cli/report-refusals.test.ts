/** Refused uses in the report, and what was accepted. */
import { expect, test } from "vitest";
import { keyReport, type KeyReport } from "../../cli/report/model.ts";
import { page } from "../../cli/report/page.ts";
import { aWorld, startMs } from "../world.ts";
import { historyIn, rechained, refusedIn } from "./report-histories.ts";

const world = await aWorld();
await world.passDays(100);
const history = await historyIn(world);
const nowMs = world.clock.nowMs();
const period = { fromMs: startMs, toMs: nowMs };

function htmlOf(key: KeyReport): string {
  const report = { tableName: "keyturn", period, madeAtMs: nowMs, keys: [key], unread: [] };
  return [...page(report, [])].join("").replaceAll(/\s+/g, " ");
}

test("it shows refused uses, the accepted ones, and what it cannot show", () => {
  const html = htmlOf(keyReport(history, period, nowMs, refusedIn(history, nowMs)));
  expect(html).toContain("Events that name no key: 2.");
  expect(html).toContain("further uses beyond the first twenty");
  expect(html.match(/not accepted/g)).toHaveLength(5);
  expect(html).toContain("<td>configuration</td>");
  expect(html).toContain("Refused callers of other accounts");
});

test("it says where the table has none, and no proof that they are collected", () => {
  const html = htmlOf(keyReport(history, period, nowMs));
  expect(html).toContain("The table has no refused uses.");
  expect(html).toContain("no proof yet that they are collected");
});

test("it has what an approval accepted, and callers that a rotation locked out for a while", () => {
  const [line] = history.journal;
  if (line === undefined) throw new Error("no history");
  const name = `REFUSED_SINCE_ACTIVATION ${history.record.versions[0]?.keyId}`;
  const id = "refused:1|arn:aws:iam::000000000000:role/reader|Decrypt|AccessDenied";
  const added = [
    { event: "findings-opened", detail: { opened: name, closed: "", next: "" } },
    { event: "findings-closed", detail: { opened: "", closed: name, next: "" } },
    { event: "approved", detail: { request: "r", asked: "approve", accepts: `grant:1 ${id}` } },
  ].map((one, at) => {
    const revision = history.journal.length + 1 + at;
    return { ...line, ...one, revision, atMs: nowMs - 3 + at, reason: "" };
  });
  const more = { ...history, ...rechained([...history.journal, ...added]) };
  const report = keyReport(more, period, nowMs);
  expect(report.exceptions).toContainEqual(
    expect.objectContaining({ what: "REFUSED_SINCE_ACTIVATION", toMs: nowMs - 2 }),
  );
  expect(report.decisions.at(-1)?.accepts).toBe(`grant:1 ${id}`);
  expect(htmlOf(report)).toContain(`<code>${id}</code>`);
});
