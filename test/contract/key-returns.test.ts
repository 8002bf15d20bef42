/** The calls that restore a retired version: remove its tag, cancel its deletion. */
import { describe, expect, test } from "vitest";
import type { Call, Outcome } from "../../lambda/workflow/model/types.ts";
import { dayMs } from "../fixtures.ts";
import type { KeyLab } from "./key-lab.ts";
import { absentKeyId, keySides, policyFor } from "./sides.ts";

const done: Outcome = { kind: "done" };

function tagged(lab: KeyLab, input = {}): string {
  const tags = { team: "a", "keyturn:retired": "r1", "keyturn:rotation": "r1" };
  const Tags = Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
  return lab.aKey({ Tags, ...input });
}

function scheduled(lab: KeyLab, input = {}): string {
  const keyId = tagged(lab, input);
  lab.ask("ScheduleKeyDeletion", { KeyId: keyId, PendingWindowInDays: 7 });
  return keyId;
}

describe.each(keySides)("tags removed through %s", (_side, open) => {
  test("are only the named ones", async () => {
    const lab = await open();
    const [keyId, other] = [tagged(lab), tagged(lab)];
    const names = ["keyturn:retired", "keyturn:rotation"];
    const untag: Call = { kind: "UntagResource", keyId, names };
    expect(await lab.keys.change(untag, lab.guard())).toStrictEqual(done);
    expect(await lab.keys.tagsOf(keyId)).toEqual({ kind: "observed", value: { team: "a" } });
    const untouched = { team: "a", "keyturn:retired": "r1", "keyturn:rotation": "r1" };
    expect(await lab.keys.tagsOf(other)).toEqual({ kind: "observed", value: untouched });
  });

  test("may be absent already", async () => {
    const lab = await open();
    const keyId = tagged(lab);
    const untag: Call = { kind: "UntagResource", keyId, names: ["keyturn:retired", "nowhere"] };
    expect(await lab.keys.change(untag, lab.guard())).toStrictEqual(done);
    expect(await lab.keys.change(untag, lab.guard())).toStrictEqual(done);
  });

  test("stay while the key is pending deletion, and are removed after its cancellation", async () => {
    const lab = await open();
    const keyId = scheduled(lab);
    const untag: Call = { kind: "UntagResource", keyId, names: ["keyturn:retired"] };
    expect(await lab.keys.change(untag, lab.guard())).toMatchObject({
      kind: "refused",
      refusal: "InvalidState",
    });
    expect(await lab.keys.tagsOf(keyId)).toMatchObject({ value: { "keyturn:retired": "r1" } });
    const cancel: Call = { kind: "CancelKeyDeletion", keyId };
    expect(await lab.keys.change(cancel, lab.guard())).toStrictEqual(done);
    expect(await lab.keys.change(untag, lab.guard())).toStrictEqual(done);
  });
});

describe.each(keySides)("a deletion cancelled through %s", (_side, open) => {
  test("leaves the key Disabled, and KMS does not delete it", async () => {
    const lab = await open();
    const keyId = scheduled(lab);
    const deletionAtMs = lab.toldAs(lab.clock.nowMs() + 7 * dayMs);
    expect(await lab.keys.describe(keyId)).toMatchObject({ value: { deletionAtMs } });
    const cancel: Call = { kind: "CancelKeyDeletion", keyId };
    expect(await lab.keys.change(cancel, lab.guard())).toStrictEqual(done);
    lab.clock.advance(8 * dayMs);
    const observation = await lab.keys.describe(keyId);
    expect(observation).toMatchObject({ kind: "observed", value: { state: "Disabled" } });
    expect(observation.kind === "observed" && observation.value).not.toHaveProperty("deletionAtMs");
    expect(await lab.keys.change({ kind: "EnableKey", keyId }, lab.guard())).toStrictEqual(done);
  });

  test.each<[why: string, refusal: string, arrange: (lab: KeyLab) => string]>([
    ["an Enabled key", "InvalidState", (lab) => tagged(lab)],
    [
      "a Disabled key",
      "InvalidState",
      (lab) => {
        const keyId = tagged(lab);
        lab.ask("DisableKey", { KeyId: keyId });
        return keyId;
      },
    ],
    [
      "a key whose policy forbids it",
      "AccessDenied",
      (lab) => scheduled(lab, { Policy: policyFor("kms:DescribeKey") }),
    ],
    ["a key that does not exist", "NotFound", () => absentKeyId],
  ])("is refused on %s as %s, and changes nothing", async (_why, refusal, arrange) => {
    const lab = await open();
    const keyId = arrange(lab);
    const before = lab.kms.snapshot();
    const outcome = await lab.keys.change({ kind: "CancelKeyDeletion", keyId }, lab.guard());
    expect(outcome).toMatchObject({ kind: "refused", refusal });
    expect(lab.kms.snapshot()).toEqual(before);
  });
});
