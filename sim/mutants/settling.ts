/** Mistakes about calls in flight: the settle rule, deadlines, retries. */
import type { Mutant } from "./mutant.ts";

const settle = "lambda/workflow/safety/settle.ts";
const pass = "lambda/pass/pass.ts";
const act = "lambda/pass/act.ts";

const makesTheCall = "  return ports.keys.change(call, { deadlineMs, limitMs: requestLimitMs });";
const tooLittleIsLeft = "  if (leftMs < requestLimitMs) {";

export const settling: Mutant[] = [
  {
    name: "skip the settle rule",
    edits: [
      {
        file: settle,
        find: "  return inTheWay.length === 0 ? undefined : Math.max(...inTheWay.map((entry) => entry.untilMs));",
        replace: "  return inTheWay.length < 0 ? nowMs : undefined;",
      },
    ],
    scenario: "search",
    seed: 0,
  },
  {
    name: "one mark instead of a list",
    edits: [
      {
        file: settle,
        find: "  return [...inForce(list, nowMs).filter((entry) => entry.epoch !== own.epoch), own];",
        replace: "  return list.length > nowMs ? list : [own];",
      },
    ],
    scenario: "search",
    seed: 1,
  },
  {
    name: "clear the settle mark on a timeout",
    edits: [
      {
        file: settle,
        find: "  return uncertain ? list : settled(list, epoch, nowMs);",
        replace: "  return uncertain && nowMs < 0 ? list : settled(list, epoch, nowMs);",
      },
    ],
    scenario: "search",
    seed: 1,
  },
  {
    name: "another changing call after a timeout, and its response taken for both",
    edits: [
      {
        file: settle,
        find: "  return uncertain ? list : settled(list, epoch, nowMs);",
        replace: "  return uncertain && nowMs < 0 ? list : settled(list, epoch, nowMs);",
      },
      {
        file: settle,
        find: "(entry) => uncertain || entry.epoch !== epoch);",
        replace: "(entry) => entry.epoch !== epoch || (uncertain && nowMs < 0));",
      },
    ],
    scenario: "search",
    seed: 0,
  },
  {
    name: "the mark ends with the run's deadline",
    edits: [
      {
        file: settle,
        find: "  return deadlineMs + requestLimitMs + clockSkewMs + consistencyMs;",
        replace: "  return deadlineMs + 0 * (requestLimitMs + clockSkewMs + consistencyMs);",
      },
    ],
    scenario: "collisions",
    seed: 3,
  },
  {
    name: "write the intent after CreateKey: the call is on record only afterwards",
    edits: [
      {
        file: pass,
        find: "  const marked = await write(pass.ports.table, state.stored, {\n    ...state.stored,\n    record: announced,\n  });",
        replace: "  const marked = { ...state.stored, record: announced };",
      },
    ],
    scenario: "half-done",
    seed: 1,
  },
  {
    name: "take a call without a response for a refused one",
    edits: [
      {
        file: act,
        find: makesTheCall,
        replace:
          '  const outcome = await ports.keys.change(call, { deadlineMs, limitMs: requestLimitMs });\n  return outcome.kind === "unknown" ? { kind: "refused", refusal: "Throttled", message: "" } : outcome;',
      },
    ],
    scenario: "collisions",
    seed: 9,
  },
  {
    name: "leave the SDK's retries on",
    edits: [
      {
        file: act,
        find: makesTheCall,
        replace:
          '  const outcome = await ports.keys.change(call, { deadlineMs, limitMs: requestLimitMs });\n  return outcome.kind === "unknown" ? ports.keys.change(call, { deadlineMs, limitMs: requestLimitMs }) : outcome;',
      },
    ],
    scenario: "half-done",
    seed: 14,
  },
  {
    name: "return with a call in flight, and no deadline at the send step",
    edits: [
      {
        file: act,
        find: makesTheCall,
        replace:
          '  const change = ports.keys.change(call, { deadlineMs: Infinity, limitMs: requestLimitMs });\n  const pause = ports.clock.sleep(1000).then((): Outcome => ({ kind: "refused", refusal: "Throttled", message: "" }));\n  return Promise.race([change, pause]);',
      },
      { file: act, find: tooLittleIsLeft, replace: "  if (leftMs < -Infinity) {" },
    ],
    scenario: "collisions",
    seed: 3,
  },
  {
    name: "continue after a lost write",
    edits: [
      {
        file: "lambda/pass/write.ts",
        find: "  if (written === undefined) throw",
        replace:
          "  if (written === undefined && before !== next) return next;\n  if (written === undefined) throw",
      },
    ],
    scenario: "collisions",
    seed: 17,
  },
];
