/**
 * What is not held against an emulator, or held in another way than on AWS, and why: the one table that
 * skips are made from, and that each run prints. An emulator that is not named here has nothing skipped
 * but what none can be asked for.
 */
export type Emulator = "MiniStack" | "LocalStack" | "unknown";

export type Deviation = {
  /** `any`: no emulator can be asked for it. */
  on: "any" | Emulator[];
  /** What AWS does, or what the test does to AWS. */
  behaviour: string;
  /** What comes of it here. */
  why: string;
  /** Who says that AWS does it. */
  source: string;
  /** The names of the tests that are skipped, each with those of its file and suites before it; may be none. */
  tests: RegExp;
};

/** The versions that the rows were seen with; another one may have fewer. */
export const observedWith = { MiniStack: "1.5.33", LocalStack: "4.14.0, without a container" };

export const deviations: Deviation[] = [
  {
    on: "any",
    behaviour: "KMS deletes keys, and shows last uses, as time passes",
    why: "an emulator's clock is the machine's, and cannot be moved ahead",
    source: "the twin's clock is moved in these tests",
    tests:
      /gone when it is$|once KMS has deleted them$|an hour later$|KMS's tracking, until it is used$/,
  },
  {
    on: "any",
    behaviour: "quotas, custom key stores and keys that AWS manages, as a test wants them",
    why: "an emulator cannot be told to have them",
    source: "options of the twin",
    tests: /account's quota|sixth UpdateAlias|quota of five looks|custom key store/,
  },
  {
    on: "any",
    behaviour: "answers that are lost, late or wrong",
    why: "nothing stands between the SDK and an emulator that could make them so",
    source: "the embedded AWS does, for npm test",
    tests: /retried, and is no empty answer$|table-requests\.test\.ts > (on DynamoDB|the twin) >/,
  },
  {
    on: "any",
    behaviour: "the deployed function's time is that of the machine",
    why: "no test waits for a cryptoperiod: from one run to the next a day passes, all else is as deployed",
    source: "emulator/hasty-handler.ts",
    tests: /the stack, deployed, in its own time/,
  },
  {
    on: "any",
    behaviour: "CloudTrail tells the function of attempts to use a key that is out of use",
    why: "emulators send no such events; the deployed stack rotates, and puts no key out of use",
    source: "KMS developer guide, logging-using-cloudtrail",
    tests: /the stack, deployed, hears of CloudTrail/,
  },
  {
    on: ["MiniStack", "LocalStack"],
    behaviour: "key policies decide who may do what",
    why: "they are not enforced, and any text is taken for one",
    source: "KMS developer guide, key-policies",
    tests: /whose policy forbids it|where its policy says so$|policy that (locks|is no JSON)/,
  },
  {
    on: ["MiniStack"],
    behaviour: "a key pending deletion refuses all but CancelKeyDeletion, and only it takes that",
    why: "states are enforced for cryptography and CreateGrant alone",
    source: "KMS developer guide, key-state",
    tests:
      /(Alias|Tag|Untag|Enable|Disable|Schedule)\w* on a key that is to be deleted|stay on while|on an? (En|Dis)abled key as InvalidState/,
  },
  {
    on: ["MiniStack", "LocalStack"],
    behaviour: "UpdateAlias keeps to keys of one kind",
    why: "an alias is moved to any key",
    source: "KMS API reference, UpdateAlias",
    tests: /UpdateAlias to a key of another kind/,
  },
  {
    on: ["MiniStack", "LocalStack"],
    behaviour: "a key has fifty tags at most",
    why: "it takes more",
    source: "KMS developer guide, tagging-keys",
    tests: /beyond fifty tags/,
  },
  {
    on: ["MiniStack"],
    behaviour: "no tag begins with aws:",
    why: "it takes one",
    source: "KMS developer guide, tagging-keys",
    tests: /with a reserved tag/,
  },
  {
    on: ["MiniStack", "LocalStack"],
    behaviour: "ML-DSA keys",
    why: "the key spec is refused",
    source: "KMS API reference, CreateKey",
    tests: /makes an ML-DSA key/,
  },
  {
    on: ["MiniStack", "LocalStack"],
    behaviour: "GetKeyLastUsage",
    why: "the operation is missing",
    source: "KMS API reference, GetKeyLastUsage",
    tests: /its last use absent|was not used$/,
  },
  {
    on: ["LocalStack"],
    behaviour: "an operation that is missing is told from one that fails",
    why: "GetKeyLastUsage ends in a 500, so what its evidence is needed for waits",
    source: "an answer such as UnknownOperationException, or 501",
    tests: /an old version is labelled/,
  },
  {
    on: ["MiniStack"],
    behaviour: "ListAliases of a key that does not exist is NotFound",
    why: "it lists none",
    source: "KMS API reference, ListAliases",
    tests: /finds an alias absent that nobody made/,
  },
  {
    on: ["MiniStack"],
    behaviour: "CloudFormation makes alarms on metric math",
    why: "it refuses them; the deployed stack has each on the metric itself",
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
    why: "without a container there is no runtime for it",
    source: "Lambda developer guide",
    tests: /the stack, deployed/,
  },
];

/** The row that a test is skipped by; undefined where it has to hold. */
export function deviationOf(emulator: Emulator, test: string): Deviation | undefined {
  return deviations.find((row) => isFor(row, emulator) && row.tests.test(test));
}

/** The table, as it is printed before the tests. */
export function describeDeviations(emulator: Emulator): string {
  const rows = deviations.filter((row) => isFor(row, emulator));
  const lines = rows.map(
    ({ on, behaviour, why, source }) =>
      `  ${on === "any" ? "any emulator" : emulator}: ${behaviour} (${source})\n    ${why}`,
  );
  return ["Not held here, or in another way than on AWS:", ...lines].join("\n");
}

function isFor(row: Deviation, emulator: Emulator): boolean {
  return row.on === "any" || row.on.includes(emulator);
}
