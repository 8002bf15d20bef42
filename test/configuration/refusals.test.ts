import { describe, expect, it } from "vitest";
import {
  ConfigurationError,
  parseConfiguration,
  readConfiguration,
} from "../../lambda/configuration/configuration.ts";

type Row = [name: string, given: unknown, line: string];

function rejectionOf(document: unknown): ConfigurationError {
  try {
    parseConfiguration(document);
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error(`expected a rejection of ${JSON.stringify(document)}`);
}

function withPolicy(policy: unknown): unknown {
  return { owner: "acme", policies: { q: policy }, managedKeys: [] };
}

function withKeys(...managedKeys: unknown[]): unknown {
  return { owner: "acme", policies: { q: {} }, managedKeys };
}

describe("a document is rejected that is or has", () => {
  const long = "alias/".padEnd(257, "a");
  const many = Array.from({ length: 50 }, (_, index) => `alias/a${index}`);
  const services = Array.from({ length: 51 }, (_, index) => `service-${index}`);
  const rows: Row[] = [
    [
      "a list",
      [],
      "(document): got [], expected an object with fields owner, mode, policies, manag",
    ],
    ["null", null, "(document): got null, expected an object with fields owner"],
    ["a string", "x", '(document): got "x", expected an object with fields owner'],
    ["no owner", { policies: {} }, "owner: got nothing, expected a tag value: 1 to 256"],
    ["an empty owner", { owner: "", policies: {} }, 'owner: got "", expected a tag va'],
    ["an asterisk in the owner", { owner: "a*", policies: {} }, 'owner: got "a*", expected a tag'],
    ["a space at the owner's end", { owner: "a ", policies: {} }, 'owner: got "a ", expected a ta'],
    ["an owner like AWS's", { owner: "AWS:x", policies: {} }, 'owner: got "AWS:x", expected a ta'],
    ["an unknown mode", { mode: "dry-run" }, 'mode: got "dry-run", expected one of "act", "plan"'],
    ["null as the mode", { mode: null }, 'mode: got null, expected one of "act", "pl'],
    ["no policies", { owner: "a" }, "policies: got nothing, expected an object of policies"],
    ["a list of policies", { owner: "a", policies: [] }, "policies: got [], expected an object"],
    [
      "a policy name with a space",
      { policies: { "a b": {} } },
      'policies["a b"]: got {}, expected',
    ],
    ["an object of keys", { managedKeys: {} }, "managedKeys: got {}, expected a list of managed"],
    ["a key that is a name", withKeys("alias/a"), 'managedKeys[0]: got "alias/a", expected an obj'],
    [
      "an alias without its prefix",
      withKeys({ alias: "orders", policy: "q" }),
      'managedKeys[0].alias: got "orders", expected an alias name: "alias/", then letters',
    ],
    [
      "an alias of AWS",
      withKeys({ alias: "alias/aws/s3", policy: "q" }),
      'managedKeys[0].alias: got "alias/aws/s3", expected an alias name',
    ],
    [
      "an alias of 257 characters",
      withKeys({ alias: long, policy: "q" }),
      `managedKeys[0].alias: got "${long.slice(0, 76)}..., expected an alias name`,
    ],
    [
      "a policy that is not defined",
      withKeys({ alias: "alias/a", policy: "yearly" }),
      'managedKeys[0].policy: got "yearly", expected a defined policy (q)',
    ],
    [
      "a policy name that every object has as a property",
      withKeys({ alias: "alias/a", policy: "toString" }),
      'managedKeys[0].policy: got "toString", expected a defined policy (q)',
    ],
    [
      "an alias twice in one managed key",
      withKeys({ alias: "alias/a", policy: "q", aliases: ["alias/a"] }),
      'managedKeys[0].aliases[0]: got "alias/a", expected an alias named only once',
    ],
    [
      "an alias in two managed keys",
      withKeys(
        { alias: "alias/a", policy: "q", aliases: ["alias/b"] },
        { alias: "alias/b", policy: "q" },
      ),
      'managedKeys[1].alias: got "alias/b", expected an alias named only once (also in managedKeys[0]',
    ],
    [
      "more aliases than KMS allows on one key",
      withKeys({ alias: "alias/a", policy: "q", aliases: many }),
      'managedKeys[0].aliases: got ["alias/a0",',
    ],
    [
      "dependents that are not a list",
      withKeys({ alias: "alias/a", policy: "q", dependents: "billing" }),
      'managedKeys[0].dependents: got "billing", expected a list of dependents',
    ],
    [
      "a dependent with a space",
      withKeys({ alias: "alias/a", policy: "q", dependents: ["billing", "our ledger"] }),
      'managedKeys[0].dependents[1]: got "our ledger", expected a dependent\'s name: a letter or',
    ],
    [
      "a dependent that is a number",
      withKeys({ alias: "alias/a", policy: "q", dependents: [7] }),
      "managedKeys[0].dependents[0]: got 7, expected a dependent's name",
    ],
    [
      "a dependent twice in one managed key",
      withKeys({ alias: "alias/a", policy: "q", dependents: ["billing", "ledger", "billing"] }),
      'managedKeys[0].dependents[2]: got "billing", expected a dependent named only once (also in ' +
        "managedKeys[0].dependents[0])",
    ],
    [
      "more dependents than fifty",
      withKeys({ alias: "alias/a", policy: "q", dependents: services }),
      'managedKeys[0].dependents: got ["service-0",',
    ],
  ];

  it.each(rows)("%s", (_name, document, line) => {
    expect(rejectionOf(document).message).toContain(`\n  ${line}`);
  });
});

describe("a policy is rejected that is or has", () => {
  const rows: Row[] = [
    ["a string", "90d", ': got "90d", expected an object with fields cryptoperiod, lead'],
    ["a misspelt field", { cryptoPeriod: "9d" }, '.cryptoPeriod: got "9d", expected no field of'],
    ["a misspelt drain field", { drain: { quiet: "3h" } }, '.drain.quiet: got "3h", expected no f'],
    ["a duration without unit", { soak: "14" }, '.soak: got "14", expected a duration: a whole'],
    ["a duration without quotes", { soak: 14 }, ".soak: got 14, expected a duration: a whole num"],
    [
      "a null",
      { soak: null },
      ".soak: got null, expected a duration: a whole number and m, h or d",
    ],
    [
      "a quiet period shorter than the lag of the evidence",
      { drain: { quietFor: "30m" } },
      '.drain.quietFor: got "30m", expected a duration of at least 2h ' +
        "(last-use evidence lags up to one hour)",
    ],
    [
      "a drain shorter than the lag of the evidence",
      { drain: { atLeast: "1h" } },
      '.drain.atLeast: got "1h", expected a duration of at least 2h (',
    ],
    [
      "a propagation shorter than that of authorization",
      { propagation: "4m" },
      '.propagation: got "4m", expected a duration of at least 5m (tag and alias changes take five',
    ],
    [
      "a propagation of weeks",
      { propagation: "8d" },
      '.propagation: got "8d", expected a duration',
    ],
    ["a cryptoperiod of hours", { cryptoperiod: "23h" }, '.cryptoperiod: got "23h", expected a d'],
    [
      "a cryptoperiod of eleven years",
      { cryptoperiod: "4015d" },
      '.cryptoperiod: got "4015d", expected a duration of at most 3650d',
    ],
    [
      "a lead as long as the cryptoperiod",
      { cryptoperiod: "7d", lead: "7d" },
      '.lead: got "7d", expected a duration shorter than the cryptoperiod, "7d"',
    ],
    [
      "a lead longer than the default cryptoperiod",
      { lead: "366d" },
      '.lead: got "366d", expected a duration shorter than the cryptoperiod, "365d"',
    ],
    [
      "a propagation as long as the cryptoperiod",
      { cryptoperiod: "1d", lead: "0m", propagation: "1d" },
      '.propagation: got "1d", expected a duration shorter than the cryptoperiod, "1d"',
    ],
    [
      "a time to acknowledge shorter than the run interval",
      { acknowledgeWithin: "4m" },
      '.acknowledgeWithin: got "4m", expected a duration of at least 5m',
    ],
    [
      "a time to acknowledge in weeks",
      { acknowledgeWithin: "1w" },
      '.acknowledgeWithin: got "1w", expected a duration: a whole number and m, h or d',
    ],
    [
      "an unknown originate",
      { originate: "x" },
      '.originate: got "x", expected one of "observe", ',
    ],
    ["an unknown retirement", { retire: "x" }, '.retire: got "x", expected one of "retain", "dis'],
    [
      "a deletion without an approval",
      { approval: "none", retire: "delete" },
      '.approval: got "none", expected "delete" or "revoke" (an operator must approve every deletion)',
    ],
    ["an unknown approval", { approval: true }, '.approval: got true, expected one of "none", "re'],
    [
      "approval of a deletion in a policy that disables",
      { approval: "delete", retire: "disable" },
      '.approval: got "delete", expected "none" or "revoke" (nothing is deleted where retire is ' +
        '"disable")',
    ],
    [
      "approval of a deletion in a policy that retains",
      { approval: "delete", retire: "retain" },
      '.approval: got "delete", expected "none" or "revoke" (nothing is deleted where retire is "ret',
    ],
    [
      "approval of a deletion in a policy that disables by default",
      { approval: "delete" },
      '.approval: got "delete", expected "none" or "revoke" (nothing is deleted where retire is "dis',
    ],
    ["a long window", { deletionWindowDays: 31 }, ".deletionWindowDays: got 31, expected a whole"],
    ["a short window", { deletionWindowDays: 6 }, ".deletionWindowDays: got 6, expected a whole"],
    [
      "a fractional window",
      { deletionWindowDays: 7.5 },
      ".deletionWindowDays: got 7.5, expected a w",
    ],
    ["a quoted window", { deletionWindowDays: "7" }, '.deletionWindowDays: got "7", expected a w'],
  ];

  it.each(rows)("%s", (_name, policy, line) => {
    expect(rejectionOf(withPolicy(policy)).message).toContain(`\n  policies.q${line}`);
  });
});

describe("a rejection", () => {
  it("reports all problems at once, with a code", () => {
    const rejection = rejectionOf({
      owner: "",
      policies: { q: { lead: "x", drain: { quietFor: "1h" } } },
      managedKeys: [{ alias: "orders", policy: "yearly", extra: 1 }],
      extra: 1,
    });
    expect(rejection).toMatchObject({ code: "CONFIGURATION_INVALID", name: "ConfigurationError" });
    expect(rejection.problems.map(({ path }) => path)).toEqual([
      "owner",
      "policies.q.lead",
      "policies.q.drain.quietFor",
      "managedKeys[0].alias",
      "managedKeys[0].extra",
      "extra",
      "managedKeys[0].policy",
    ]);
  });

  it("reports a malformed retirement, and does not compare the approval with it", () => {
    const { problems } = rejectionOf(withPolicy({ retire: "x", approval: "delete" }));
    expect(problems.map(({ path }) => path)).toEqual(["policies.q.retire"]);
  });

  it("reports an invalid cryptoperiod and a contradiction in the same policy at once", () => {
    const { problems } = rejectionOf(withPolicy({ cryptoperiod: "x", approval: "delete" }));
    expect(problems.map(({ path }) => path)).toEqual([
      "policies.q.cryptoperiod",
      "policies.q.approval",
    ]);
  });

  it("of ten thousand managed keys has a short message and a full list", () => {
    const { message, problems } = rejectionOf(
      withKeys(...Array.from({ length: 10_000 }, () => ({ alias: "x", policy: "q" }))),
    );
    expect(problems.length).toBeGreaterThanOrEqual(10_000);
    expect(message.length).toBeLessThan(20_000);
    expect(message).toMatch(/and \d+ more$/);
  });

  it("covers names that would reach prototypes", () => {
    const text = `{ "owner": "a", "__proto__": { "policies": {} },
      "policies": { "__proto__": {}, "q": { "__proto__": { "retire": "delete" } } } }`;
    expect(() => readConfiguration(text)).toThrow(ConfigurationError);
    expect(rejectionOf(JSON.parse(text)).problems.map(({ path }) => path)).toEqual([
      "policies.q.__proto__",
      "__proto__",
      "policies.__proto__",
    ]);
  });

  it("covers malformed JSON", () => {
    expect(() => readConfiguration('{ "owner": ')).toThrow(ConfigurationError);
  });
});
