import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { policyDefaults } from "../../lambda/configuration/schema.ts";
import { formatDuration } from "../../lambda/configuration/durations.ts";
import {
  ConfigurationError,
  type Problem,
  configurationHash,
  parseConfiguration,
  readConfiguration,
} from "../../lambda/configuration/configuration.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** The problems of a document; none if it is accepted. */
function problemsOf(document: unknown): Problem[] {
  try {
    parseConfiguration(document);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
}

function withPolicy(policy: unknown): unknown {
  return { owner: "acme", policies: { quarterly: policy }, managedKeys: [] };
}

describe("an accepted configuration", () => {
  it("resolves the example, with the managed key's own alias first", () => {
    const example = readFileSync(new URL("../../keyturn.example.json", import.meta.url), "utf8");
    expect(readConfiguration(example)).toEqual({
      owner: "acme-prod",
      acceptedRefusals: [],
      mode: "act",
      policies: {
        quarterly: {
          name: "quarterly",
          cryptoperiodMs: 90 * dayMs,
          leadMs: 7 * dayMs,
          propagationMs: hourMs / 4,
          originate: "observe",
          drain: { atLeastMs: 30 * dayMs, quietForMs: 14 * dayMs, evidence: "required" },
          retire: "disable",
          soakMs: 14 * dayMs,
          deletionWindowDays: 30,
          approval: "none",
          acknowledgeWithinMs: 7 * dayMs,
        },
      },
      managedKeys: [
        {
          alias: "alias/orders",
          aliases: ["alias/orders", "alias/orders-legacy"],
          policy: "quarterly",
          dependents: [],
        },
      ],
      taggedAliases: [],
    });
  });

  it("fills an empty policy with the documented defaults", () => {
    expect(parseConfiguration(withPolicy({})).policies.quarterly).toEqual({
      name: "quarterly",
      cryptoperiodMs: 365 * dayMs,
      leadMs: 7 * dayMs,
      propagationMs: 15 * 60_000,
      originate: "observe",
      drain: { atLeastMs: 30 * dayMs, quietForMs: 14 * dayMs, evidence: "required" },
      retire: "disable",
      soakMs: 14 * dayMs,
      deletionWindowDays: 30,
      approval: "none",
      acknowledgeWithinMs: 7 * dayMs,
    });
  });

  it("has the mode act and no dependents by default", () => {
    const managedKeys = [{ alias: "alias/orders", policy: "quarterly" }];
    const document = { owner: "acme", policies: { quarterly: {} }, managedKeys };
    expect(parseConfiguration(document)).toMatchObject({
      mode: "act",
      managedKeys: [{ alias: "alias/orders", dependents: [] }],
    });
  });

  it("has the written mode, dependents and time to acknowledge", () => {
    const dependents = ["billing", "Ledger_2"];
    const document = {
      owner: "acme",
      mode: "plan",
      policies: { quarterly: { acknowledgeWithin: "36h", originate: "alias-only" } },
      managedKeys: [{ alias: "alias/orders", policy: "quarterly", dependents }],
    };
    expect(parseConfiguration(document)).toMatchObject({
      mode: "plan",
      policies: { quarterly: { acknowledgeWithinMs: 36 * hourMs, originate: "alias-only" } },
      managedKeys: [{ dependents }],
    });
  });

  it("may have one dependent for several managed keys, and up to 50 for one", () => {
    const dependents = Array.from({ length: 50 }, (_, index) => `service-${index}`);
    const managedKeys = [
      { alias: "alias/orders", policy: "quarterly", dependents },
      { alias: "alias/tokens", policy: "quarterly", dependents },
    ];
    const document = { owner: "acme", policies: { quarterly: {} }, managedKeys };
    expect(problemsOf(document)).toEqual([]);
  });

  it("has a tenth of a short cryptoperiod as lead", () => {
    expect(parseConfiguration(withPolicy({ cryptoperiod: "30d" }))).toMatchObject({
      policies: { quarterly: { leadMs: 3 * dayMs } },
    });
  });

  it.each([
    { approval: "revoke" },
    { approval: "revoke", retire: "delete" },
    { approval: "delete", retire: "delete" },
  ])("may require approval: %j", (policy) => {
    expect(parseConfiguration(withPolicy(policy))).toMatchObject({
      policies: { quarterly: { approval: policy.approval } },
    });
  });

  it.each([
    ["delete", "delete"],
    ["disable", "none"],
    ["retain", "none"],
  ] as const)(
    "requires by default, where retire is %s, the approval of: %s",
    (retire, approval) => {
      expect(parseConfiguration(withPolicy({ retire }))).toMatchObject({
        policies: { quarterly: { approval } },
      });
    },
  );

  it("accepts every bound", () => {
    const policy = {
      cryptoperiod: "1d",
      lead: "0m",
      propagation: "5m",
      acknowledgeWithin: "5m",
      originate: "alias-only",
      drain: { atLeast: "2h", quietFor: "2h", evidence: "advisory" },
      retire: "delete",
      soak: "3650d",
      deletionWindowDays: 7,
      approval: "delete",
    };
    expect(problemsOf(withPolicy(policy))).toEqual([]);
  });

  it("has policies without a prototype: a name finds only what was written", () => {
    const { policies } = parseConfiguration(withPolicy({}));
    expect(policies.constructor).toBeUndefined();
  });
});

describe("docs/policies.md", () => {
  const page = readFileSync(new URL("../../docs/policies.md", import.meta.url), "utf8");

  it("shows the example unchanged", () => {
    const example = readFileSync(new URL("../../keyturn.example.json", import.meta.url), "utf8");
    expect(page).toContain(`\`\`\`json\n${example}\`\`\``);
  });

  it("has each field of a policy, with its default", () => {
    const { drain, leadShare: _, leadMsMax, ...others } = policyDefaults;
    const inDrain = Object.entries(drain).map(([name, value]) => [`drain.${name}`, value]);
    for (const [name, value] of [...Object.entries(others), ...inDrain]) {
      const row = page.split("\n").find((line) => line.startsWith(`| \`${name}\` `));
      expect(row?.split("|")[2]).toContain(`\`${value}\``);
    }
    const lead = `a tenth of the cryptoperiod, no more than \`${formatDuration(leadMsMax)}\``;
    expect(page).toContain(lead);
  });
});

describe("any document", () => {
  it("is accepted, or rejected by a ConfigurationError with paths and expectations", () => {
    const path = fc.constantFrom("owner", "policies", "managedKeys", "x");
    const near = fc.dictionary(path, fc.oneof(fc.jsonValue(), fc.constant({ quarterly: {} })));
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), near), (document) => {
        for (const problem of problemsOf(document)) {
          expect(problem.path).not.toBe("");
          expect(problem.got.length).toBeLessThanOrEqual(80);
          expect(problem.expected).not.toMatch(/undefined|Invalid input/);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("that is accepted has a lead and a propagation within the cryptoperiod", () => {
    const duration = fc.integer({ min: 0, max: 12 * 365 }).map((days) => `${days}d`);
    const field = fc.option(duration, { nil: undefined });
    const policy = fc.record({ cryptoperiod: field, lead: field, propagation: field });
    fc.assert(
      fc.property(policy, (fields) => {
        const written = Object.entries(fields).filter(([, value]) => value !== undefined);
        const document = withPolicy(Object.fromEntries(written));
        if (problemsOf(document).length > 0) return;
        const resolved = parseConfiguration(document).policies.quarterly;
        expect(resolved?.leadMs).toBeLessThan(resolved?.cryptoperiodMs ?? 0);
        expect(resolved?.propagationMs).toBeLessThan(resolved?.cryptoperiodMs ?? 0);
      }),
    );
  });
});

describe("configurationHash", () => {
  const shuffled = {
    managedKeys: [{ policy: "quarterly", alias: "alias/a" }],
    policies: { quarterly: { soak: "336h", cryptoperiod: "365d" } },
    owner: "acme",
  };

  it("does not depend on the order of fields or the form of a duration", () => {
    const plain = {
      owner: "acme",
      policies: { quarterly: {} },
      managedKeys: [{ alias: "alias/a", policy: "quarterly" }],
    };
    expect(configurationHash(parseConfiguration(shuffled))).toBe(
      configurationHash(parseConfiguration(plain)),
    );
  });

  it.each([
    ["owner", { owner: "acme-2" }],
    ["mode", { mode: "plan" }],
    ["policies", { policies: { quarterly: { acknowledgeWithin: "8d" } } }],
    [
      "dependents",
      { managedKeys: [{ alias: "alias/a", policy: "quarterly", dependents: ["billing"] }] },
    ],
  ])("depends on the %s", (_name, changes) => {
    expect(configurationHash(parseConfiguration({ ...shuffled, ...changes }))).not.toBe(
      configurationHash(parseConfiguration(shuffled)),
    );
  });

  it("is a SHA-256 in hex", () => {
    expect(configurationHash(parseConfiguration(shuffled))).toMatch(/^[0-9a-f]{64}$/);
  });
});
