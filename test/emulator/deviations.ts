/**
 * The known deviations of emulators from AWS, with reasons. Test skips come from this table, and each
 * run prints it. For an emulator without rows here, only the tests that no emulator supports are
 * skipped.
 */
export type Emulator = "MiniStack" | "LocalStack" | "unknown";

export type Deviation = {
  /** `any`: no emulator supports it. */
  on: "any" | Emulator[];
  /** The behaviour of AWS, or the test's use of AWS. */
  behaviour: string;
  /** The emulator's behaviour. */
  why: string;
  /** The source for AWS's behaviour. */
  source: string;
  /** Matches the full names (file, suites, test) of the skipped tests; may match none. */
  tests: RegExp;
};

/** The versions with which the rows were observed; another version may deviate less. */
export const observedWith = { MiniStack: "1.5.33", LocalStack: "4.14.0, without a container" };

export const deviations: Deviation[] = [
  {
    on: "any",
    behaviour: "KMS deletes keys, and shows last uses, as time passes",
    why: "an emulator has the machine's clock, which tests cannot advance",
    source: "these tests advance the twin's clock",
    tests:
      /absent after it$|until KMS has deleted them$|an hour later$|KMS's tracking, until it is used$/,
  },
  {
    on: "any",
    behaviour:
      "quotas, custom key stores, AWS managed keys and a start of tracking that a test chooses",
    why: "an emulator has no options for them",
    source: "options of the twin",
    tests:
      /account's quota|sixth UpdateAlias|quota of five reads|custom key store|older than KMS's tracking/,
  },
  {
    on: "any",
    behaviour: "answers that are lost, late or wrong",
    why: "there is no fault injector between the SDK and an emulator",
    source: "the embedded AWS has a fault injector, for npm test",
    tests:
      /retried, and is not an empty answer$|table-requests\.test\.ts > (on DynamoDB|the twin) >/,
  },
  {
    on: "any",
    behaviour: "the deployed function has the machine's clock",
    why: "no test waits for a cryptoperiod: a day passes between two runs; the rest is as deployed",
    source: "emulator/hasty-handler.ts",
    tests: /the stack, deployed, in its own time/,
  },
  {
    on: "any",
    behaviour: "CloudTrail reports attempts to use a disabled key, and refused uses, to the rules",
    why: "emulators send no such events; the test sends a refused use to the queue itself",
    source: "KMS developer guide, logging-using-cloudtrail",
    tests: /the stack, deployed, receives CloudTrail events/,
  },
  {
    on: ["MiniStack", "LocalStack"],
    behaviour: "key policies control access",
    why: "it does not enforce them, and accepts any text as a policy",
    source: "KMS developer guide, key-policies",
    tests:
      /whose policy forbids it|if its policy forbids the read$|policy that (locks|is not JSON)|key policy (of|with)/,
  },
  {
    on: ["MiniStack"],
    behaviour: "a key pending deletion accepts only CancelKeyDeletion, and no other key accepts it",
    why: "it enforces key states only for cryptography and CreateGrant",
    source: "KMS developer guide, key-state",
    tests:
      /(Alias|Tag|Untag|Enable|Disable|Schedule)\w* on a key pending deletion|stay while|on an? (En|Dis)abled key as InvalidState/,
  },
  {
    on: ["MiniStack", "LocalStack"],
    behaviour: "UpdateAlias requires a key of the same kind",
    why: "it moves an alias to any key",
    source: "KMS API reference, UpdateAlias",
    tests: /UpdateAlias to a key of another kind/,
  },
  {
    on: ["MiniStack", "LocalStack"],
    behaviour: "a key has at most fifty tags",
    why: "it accepts more",
    source: "KMS developer guide, tagging-keys",
    tests: /beyond fifty tags/,
  },
  {
    on: ["MiniStack"],
    behaviour: "no tag begins with aws:",
    why: "it accepts one",
    source: "KMS developer guide, tagging-keys",
    tests: /with a reserved tag/,
  },
  {
    on: ["MiniStack", "LocalStack"],
    behaviour: "ML-DSA keys",
    why: "it rejects the key spec",
    source: "KMS API reference, CreateKey",
    tests: /creates an ML-DSA key/,
  },
  {
    on: ["MiniStack", "LocalStack"],
    behaviour: "GetKeyLastUsage",
    why: "the operation is missing",
    source: "KMS API reference, GetKeyLastUsage",
    tests: /absent for its last use|for an unused key younger than KMS's tracking$/,
  },
  {
    on: ["LocalStack"],
    behaviour: "the error of a missing operation differs from that of a failing one",
    why: "GetKeyLastUsage returns a 500, and steps that need its evidence wait",
    source: "an answer such as UnknownOperationException, or 501",
    tests: /an old version is tagged/,
  },
  {
    on: ["MiniStack"],
    behaviour: "ListAliases of a key that does not exist is NotFound",
    why: "it returns an empty list",
    source: "KMS API reference, ListAliases",
    tests: /returns absent for an alias that does not exist/,
  },
  {
    on: ["MiniStack"],
    behaviour: "CloudFormation creates alarms on metric math",
    why: "it rejects them; the deployed stack has each alarm on the metric itself",
    source: "CloudFormation template reference, AWS::CloudWatch::Alarm",
    tests: /alarms on metric math/,
  },
  {
    on: ["LocalStack"],
    behaviour: "the Resource Groups Tagging API finds KMS keys",
    why: "it finds none; the rotation walks all keys instead (KEYTURN_DISCOVERY)",
    source: "Resource Groups Tagging API reference, supported services",
    tests: /through the tagging API/,
  },
  {
    on: ["LocalStack"],
    behaviour: "the deployed function runs",
    why: "without a container it has no Lambda runtime",
    source: "Lambda developer guide",
    tests: /the stack, deployed/,
  },
];

/** The row that skips a test; undefined if the test must pass. */
export function deviationOf(emulator: Emulator, test: string): Deviation | undefined {
  return deviations.find((row) => isFor(row, emulator) && row.tests.test(test));
}

/** The table as text, which each run prints before its tests. */
export function describeDeviations(emulator: Emulator): string {
  const rows = deviations.filter((row) => isFor(row, emulator));
  const lines = rows.map(
    ({ on, behaviour, why, source }) =>
      `  ${on === "any" ? "any emulator" : emulator}: ${behaviour} (${source})\n    ${why}`,
  );
  return ["Not tested here, or different from AWS:", ...lines].join("\n");
}

function isFor(row: Deviation, emulator: Emulator): boolean {
  return row.on === "any" || row.on.includes(emulator);
}
