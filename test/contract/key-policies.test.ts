/** The size and the layout of key policies: what KMS returns is longer than what it was sent. */
import { describe, expect, test } from "vitest";
import { copyOf } from "../../lambda/workflow/enrolment/policy-copy.ts";
import { policyBytesMax } from "../../lambda/workflow/model/limits.ts";
import type { Call } from "../../lambda/workflow/model/types.ts";
import { keySides, policyFor } from "./sides.ts";

const shape = {
  spec: "SYMMETRIC_DEFAULT",
  usage: "ENCRYPT_DECRYPT",
  origin: "AWS_KMS",
  multiRegion: false,
};

function createKey(policy: string): Call {
  return { kind: "CreateKey", shape, policy, description: "", tags: {} };
}

/** `\u00e9` has two bytes. */
function ofBytes(bytes: number): string {
  const base = policyFor("kms:*").replace("{", '{"Id":"?",');
  const left = bytes - Buffer.byteLength(base) + 1;
  return base.replace("?", "\u00e9".repeat(left / 2) + "x".repeat(left % 2));
}

describe.each(keySides)("a key policy of 32,768 bytes, through %s", (_side, open) => {
  test("is accepted, returned in a wider layout that KMS refuses, and accepted again as its copy", async () => {
    const { keys, guard, aKey } = await open();
    const policy = ofBytes(policyBytesMax);
    const observation = await keys.policyOf(aKey({ Policy: policy }));
    if (observation.kind !== "observed") throw new Error(observation.kind);
    const { document, hash } = observation.value;
    expect(Buffer.byteLength(document)).toBeGreaterThan(policyBytesMax);
    const refused = await keys.change(createKey(document), guard());
    expect(refused).toMatchObject({ kind: "refused", refusal: "LimitExceeded" });
    const made = await keys.change(createKey(copyOf(document, undefined)), guard());
    if (made.kind !== "done" || made.keyId === undefined) throw new Error(JSON.stringify(made));
    expect(await keys.policyOf(made.keyId)).toMatchObject({ value: { document, hash } });
  });

  test("is refused with one byte more", async () => {
    const { keys, guard } = await open();
    const outcome = await keys.change(createKey(ofBytes(policyBytesMax + 1)), guard());
    expect(outcome).toMatchObject({ kind: "refused", refusal: "LimitExceeded" });
  });
});

describe.each(keySides)("a key policy with a character above U+00FF, through %s", (_side, open) => {
  test("is refused, and its copy has an escape for it", async () => {
    const { keys, guard, aKey } = await open();
    const policy = policyFor("kms:*").replace("{", '{"Id":"\\u4e2d",');
    const observation = await keys.policyOf(aKey({ Policy: policy }));
    if (observation.kind !== "observed") throw new Error(observation.kind);
    const { document, hash } = observation.value;
    const plain = JSON.stringify(JSON.parse(document));
    expect(await keys.change(createKey(plain), guard())).toMatchObject({ refusal: "Other" });
    const made = await keys.change(createKey(copyOf(document, undefined)), guard());
    if (made.kind !== "done" || made.keyId === undefined) throw new Error(JSON.stringify(made));
    expect(await keys.policyOf(made.keyId)).toMatchObject({ value: { hash } });
  });
});
