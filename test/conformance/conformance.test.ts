/** The checks of `npm run conformance`, on the embedded AWS. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { compare, type Compared } from "../../conformance/compare.ts";
import { facts } from "../../conformance/facts.ts";
import { aliasPrefix, Lab, tag } from "../../conformance/lab.ts";
import { tagNames } from "../../lambda/workflow/model/tag-names.ts";
import { samplesOf } from "../../conformance/trail.ts";
import { startEmbeddedAws, type EmbeddedAws } from "../../embedded-aws/embedded-aws.ts";

const script = join(import.meta.dirname, "../../conformance/main.ts");
const credentials = { accessKeyId: "tester", secretAccessKey: "any" };

async function anAws(seed = 1): Promise<{ aws: EmbeddedAws; lab: Lab }> {
  const aws = await startEmbeddedAws({ quotas: "off", seed });
  const lab = new Lab({ endpoint: aws.endpoint, region: "us-east-1", credentials });
  onTestFinished(async () => {
    lab.close();
    await aws.close();
  });
  return { aws, lab };
}

async function comparedWith(lab: Lab, some = facts): Promise<Compared[]> {
  const expecting = await anAws(2);
  return compare(some, lab, expecting.lab, () => {});
}

/** Runs the command to its end; resolves with its exit code and what it printed. */
function run(
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const options = { env: { PATH: process.env.PATH ?? "", ...env } };
    execFile(process.execPath, [script, ...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code);
      resolve({ code, output: stdout + stderr });
    });
  });
}

const keysOf = ({ kms }: EmbeddedAws) => [...kms.world.keys.values()];
const isTagged = (tags: Map<string, string>) => tags.get(tag.TagKey) === tag.TagValue;

test("every fact holds on the embedded AWS, and none depends on the names of one run", async () => {
  const { lab } = await anAws();
  const compared = await comparedWith(lab);
  expect(compared.filter(({ verdict }) => verdict !== "holds")).toEqual([]);
  expect(compared).toHaveLength(facts.length);
});

test("an endpoint that answers otherwise differs, with both answers", async () => {
  const { aws, lab } = await anAws();
  aws.fault = (_service, operation) =>
    operation === "GetKeyRotationStatus"
      ? { kind: "before", code: "UnsupportedOperationException", status: 400 }
      : undefined;
  const [one] = (await comparedWith(lab)).filter(({ verdict }) => verdict === "differs");
  expect(one).toMatchObject({
    name: "rotation-status-of-keys-that-never-rotate",
    answer: { ecc: "UnsupportedOperationException", hmac: "UnsupportedOperationException" },
    expected: { ecc: false, hmac: false },
  });
});

test("a missing right is named, and no answer", async () => {
  const { aws, lab } = await anAws();
  const principal = `arn:aws:iam::${aws.kms.world.account}:user/tester`;
  const Statement = [
    { Effect: "Allow", Action: "*", Resource: "*" },
    { Effect: "Deny", Action: "kms:CreateGrant", Resource: "*" },
  ];
  aws.kms.world.identityPolicies.attach(principal, [
    JSON.stringify({ Version: "2012-10-17", Statement }),
  ]);
  const denied = (await comparedWith(lab)).filter(({ verdict }) => verdict === "denied");
  expect(denied.map(({ name }) => name)).toContain("grants-by-name");
  for (const { why, answer } of denied) {
    expect([answer, why]).toEqual([undefined, expect.stringContaining("kms:CreateGrant")]);
  }
});

test("the role of a deployment makes keys with its owner's tag, and no others", async () => {
  const { aws, lab } = await anAws();
  const principal = `arn:aws:iam::${aws.kms.world.account}:user/tester`;
  const Statement = [
    { Effect: "Allow", Action: "*", Resource: "*" },
    {
      ...{ Effect: "Deny", Action: "kms:CreateKey", Resource: "*" },
      Condition: { StringNotEquals: { [`aws:RequestTag/${tagNames.owner}`]: "acme" } },
    },
  ];
  aws.kms.world.identityPolicies.attach(principal, [
    JSON.stringify({ Version: "2012-10-17", Statement }),
  ]);
  const some = facts.filter(({ name }) => name === "create-key-with-a-copied-policy");
  expect(await comparedWith(lab, some)).toMatchObject([{ verdict: "denied" }]);
  const role = new Lab({ endpoint: aws.endpoint, region: "us-east-1", credentials }, "acme");
  onTestFinished(() => role.close());
  expect(await comparedWith(role, some)).toMatchObject([{ verdict: "holds" }]);
});

describe("a run that is killed", () => {
  test.each([4, 20, 60])(
    "after %i calls leaves nothing that the next one does not end",
    async (count) => {
      const { aws } = await anAws();
      const foreign = aws.kms.call(
        "CreateKey",
        {},
        { principalArn: "arn:aws:iam::000000000000:root" },
      );
      const { KeyId } = (foreign as { KeyMetadata: { KeyId: string } }).KeyMetadata;
      const killed = spawn(process.execPath, [script, "--endpoint-url", aws.endpoint]);
      let calls = 0;
      aws.fault = () => {
        if ((calls += 1) <= count) return undefined;
        killed.kill("SIGKILL");
        return { kind: "lost" };
      };
      await once(killed, "exit");
      aws.fault = undefined;
      expect(keysOf(aws).some(({ tags, state }) => isTagged(tags) && state === "Enabled")).toBe(
        true,
      );
      const { code, output } = await run(["--endpoint-url", aws.endpoint, "--clear"]);
      expect([code, output]).toEqual([0, expect.stringContaining("that an earlier run left")]);
      for (const { tags, state, keyId } of keysOf(aws)) {
        expect([keyId, state]).toEqual([keyId, isTagged(tags) ? "PendingDeletion" : "Enabled"]);
      }
      expect(aws.kms.world.keys.get(KeyId)?.state).toBe("Enabled");
      const names = [...aws.kms.world.aliases.keys()];
      expect(names.filter((name) => name.startsWith(aliasPrefix))).toEqual([]);
    },
  );
});

test("the samples of CloudTrail are of this run's keys alone, one of each kind, and name nobody", async () => {
  const account = "210987654321";
  const arn = `arn:aws:kms:us-east-1:${account}:key/one`;
  const recordOf = (keyArn: string, more: object = {}) =>
    JSON.stringify({
      ...{ eventName: "Decrypt", recipientAccountId: account, sourceIPAddress: "198.51.100.7" },
      ...{
        userIdentity: { type: "IAMUser", userName: "ada", arn: `arn:aws:iam::${account}:user/ada` },
      },
      ...{ resources: [{ ARN: keyArn }], ...more },
    });
  const all = [
    recordOf(arn),
    recordOf(arn),
    recordOf(arn, { errorCode: "DisabledException", errorMessage: `${arn} is disabled.` }),
    recordOf(`${arn}-of-others`.replace("key/one", "key/two")),
  ];
  let reads = 0;
  const lookup = () => Promise.resolve(all.slice(0, (reads += 1)));
  const samples = await samplesOf([arn], 0, lookup, () => Promise.resolve());
  expect(samples.map(({ eventName, errorCode }) => [eventName, errorCode])).toEqual([
    ["Decrypt", undefined],
    ["Decrypt", "DisabledException"],
  ]);
  const shown = JSON.stringify(samples);
  expect(shown).toContain("arn:aws:kms:us-east-1:111122223333:key/one is disabled.");
  expect(shown).not.toMatch(/210987654321|ada|198\.51/);
});

describe("npm run conformance", () => {
  test("ends its keys, and exits with 0", async () => {
    const { aws } = await anAws();
    const { code, output } = await run(["--endpoint-url", aws.endpoint, "--only", "grant"]);
    expect([code, output]).toEqual([0, expect.stringContaining("3 of 3 facts hold")]);
    expect(keysOf(aws).map(({ state }) => state)).not.toContain("Enabled");
  });

  test.each([
    [["--only", "nothing-of-this-name"], {}, "no fact is named"],
    [["--endpoint-url", "https://kms.us-east-1.amazonaws.com"], {}, "use --real-account"],
    [["--trail"], {}, "--trail takes --real-account"],
    [["--real-account"], { AWS_ENDPOINT_URL: "http://127.0.0.1:1" }, "takes no endpoint"],
  ] as const)("%j makes nothing, and exits with 2", async (args, env, why) => {
    const { code, output } = await run([...args], env);
    expect([code, output]).toEqual([2, expect.stringContaining(why)]);
  });
});
