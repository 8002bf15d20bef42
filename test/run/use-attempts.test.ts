/** The events of uses that a key's state refuses, before the deployed function. */
import { describe, expect, test } from "vitest";
import { aDeployment, orders, type Deployed } from "./deployed.ts";

const policy = {
  cryptoperiod: "30d",
  drain: { atLeast: "1d", quietFor: "1d" },
  soak: "7d",
  retire: "disable",
};
/** Version 1 drains from day 30 on, and is out of use from day 33 on. */
const disabledMs = Date.UTC(2027, 0, 34);

const Plaintext = Buffer.from("a").toString("base64");

/** Version 1 is disabled, and an application still has data under it. */
async function disabled() {
  const there = await aDeployment(policy);
  const { ask, aws, first, passUntil } = there;
  const { CiphertextBlob } = ask("Encrypt", { KeyId: orders, Plaintext });
  await passUntil(disabledMs);
  expect(stateOf(there)).toBe("Disabled");
  /** The event of one more use. */
  const use = (): { detail: object } => {
    expect(() => ask("Decrypt", { KeyId: first, CiphertextBlob })).toThrow();
    const event = aws.useAttempts.at(-1);
    if (event === undefined) throw new Error("no event");
    return event;
  };
  return { ...there, use };
}

function stateOf({ aws, first }: Pick<Deployed, "aws" | "first">): string | undefined {
  return aws.kms.world.keys.get(first)?.state;
}

describe("KMS refuses a use of a version that keyturn disabled", () => {
  test.each(["PendingImport", "Unavailable", "Creating"] as const)(
    "as %s: it stays Disabled",
    async (state) => {
      const there = await disabled();
      const { aws, first, deliver, use } = there;
      aws.kms.forceState(first, state);
      const event = use();
      aws.kms.forceState(first, "Disabled");
      const before = await there.record();
      expect(await deliver(event)).toMatchObject({ outcome: "ignored" });
      expect(stateOf(there)).toBe("Disabled");
      expect(await there.record()).toEqual(before);
    },
  );

  test.each([undefined, "", "The state of the key is not valid."])(
    "with a message that names no state, %o: it is Enabled again",
    async (errorMessage) => {
      const there = await disabled();
      const event = there.use();
      const detail = { ...event.detail, errorCode: "KMSInvalidStateException", errorMessage };
      await there.deliver({ ...event, detail });
      expect(stateOf(there)).toBe("Enabled");
    },
  );
});
