import type { TaggedKey } from "../../lambda/workflow/model/types.ts";
import { describe, expect, test } from "vitest";
import { createTaggingDiscovery, createWalkingDiscovery } from "../../lambda/aws/discovery.ts";
import type { Discovery } from "../../lambda/ports.ts";
import type { Fault } from "../../embedded-aws/http/faults.ts";
import { createDiscoveryTwin } from "../../sim/ports/keys.ts";
import { dayMs } from "../fixtures.ts";
import { isEmulatorRun } from "../emulator/run.ts";
import type { KeyLab } from "./key-lab.ts";
import { aKeyLabOnTheWire, aTwinLab, aWireLab, policyFor, sdkConfig } from "./sides.ts";

type Lab = KeyLab & { discovery: Discovery };
type Side = [side: string, open: () => Promise<Lab>];

const onTheWire: Side[] = [
  [
    "the tagging API",
    async () => {
      const lab = await aKeyLabOnTheWire();
      return { ...lab, discovery: createTaggingDiscovery(lab.sdk) };
    },
  ],
  [
    "a walk over all keys",
    async () => {
      const lab = await aKeyLabOnTheWire();
      return { ...lab, discovery: createWalkingDiscovery(lab.sdk) };
    },
  ],
];

const inMemory: Side = [
  "the twin",
  async () => {
    const lab = aTwinLab();
    return { ...lab, discovery: createDiscoveryTwin(lab.kms) };
  },
];

const sides = isEmulatorRun ? onTheWire : [...onTheWire, inMemory];

function tagged(lab: KeyLab, tags: Record<string, string>, input = {}): string {
  const Tags = Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
  return lab.aKey({ Tags, ...input });
}

function idsOf(found: TaggedKey[]): string[] {
  return found.map(({ keyId }) => keyId);
}

describe.each(sides)("keys found by tag, through %s", (_side, open) => {
  test("are those with all of the tags, with their values", async () => {
    const lab = await open();
    const wanted = { "keyturn:owner": "acme", "keyturn:rotation": "r1" };
    const both = tagged(lab, { ...wanted, team: "a" });
    const alsoBoth = tagged(lab, wanted);
    tagged(lab, { "keyturn:owner": "acme" });
    tagged(lab, { "keyturn:owner": "acme", "keyturn:rotation": "r2" });
    tagged(lab, { "keyturn:owner": "another", "keyturn:rotation": "r1" });
    lab.aKey();
    expect(idsOf(await lab.discovery.keysTagged(wanted))).toEqual([both, alsoBoth]);
    expect(idsOf(await lab.discovery.keysTagged({ "keyturn:owner": "acme" }))).toHaveLength(4);
    expect(idsOf(await lab.discovery.keysTagged({ "keyturn:owner": "other" }))).toEqual([]);
  });

  test("are those with a tag of the name, with any value or none", async () => {
    const lab = await open();
    const acme = tagged(lab, { "keyturn:owner": "acme", team: "a" });
    const another = tagged(lab, { "keyturn:owner": "another" });
    const empty = tagged(lab, { "keyturn:owner": "" });
    tagged(lab, { "keyturn:owners": "acme", "Keyturn:Owner": "acme", team: "keyturn:owner" });
    lab.aKey();
    expect(idsOf(await lab.discovery.keysWithTag("keyturn:owner"))).toEqual([acme, another, empty]);
    expect(idsOf(await lab.discovery.keysWithTag("keyturn:alias"))).toEqual([]);
    lab.ask("UntagResource", { KeyId: another, TagKeys: ["keyturn:owner"] });
    expect(idsOf(await lab.discovery.keysWithTag("keyturn:owner"))).toEqual([acme, empty]);
  });

  test("are complete, over all pages", async () => {
    const lab = await open();
    const keyIds = Array.from({ length: 250 }, () => tagged(lab, { "keyturn:owner": "acme" }));
    const found = idsOf(await lab.discovery.keysTagged({ "keyturn:owner": "acme" }));
    expect(found.sort()).toEqual(keyIds.sort());
    const named = idsOf(await lab.discovery.keysWithTag("keyturn:owner"));
    expect(named.sort()).toEqual(keyIds.sort());
  });

  test("are in any state, until KMS has deleted them", async () => {
    const lab = await open();
    const keyId = tagged(lab, { a: "b" });
    lab.ask("ScheduleKeyDeletion", { KeyId: keyId, PendingWindowInDays: 7 });
    expect(idsOf(await lab.discovery.keysTagged({ a: "b" }))).toEqual([keyId]);
    lab.clock.advance(7 * dayMs);
    expect(await lab.keys.describe(keyId)).toEqual({ kind: "absent" });
    expect(idsOf(await lab.discovery.keysTagged({ a: "b" }))).toEqual([]);
  });

  test("are found although other keys cannot be read", async () => {
    const lab = await open();
    lab.aKey({ Policy: policyFor() });
    const ours = tagged(lab, { a: "b" });
    expect(idsOf(await lab.discovery.keysTagged({ a: "b" }))).toEqual([ours]);
    expect(idsOf(await lab.discovery.keysWithTag("a"))).toEqual([ours]);
  });
});

test.each<[what: string, create: typeof createTaggingDiscovery, operation: string]>([
  ["the tagging API", createTaggingDiscovery, "GetResources"],
  ["the list of keys", createWalkingDiscovery, "ListKeys"],
  ["the tags of a key", createWalkingDiscovery, "ListResourceTags"],
])("an error of %s is retried, and is not an empty answer", async (_what, create, operation) => {
  const lab = await aWireLab();
  const keyId = tagged(lab, { a: "b" });
  const discovery = create(sdkConfig(lab.aws.endpoint));
  const fault: Fault = { kind: "before", code: "InternalServiceException", status: 500 };
  let left = 1;
  lab.aws.fault = (_, name) => (name === operation && left-- > 0 ? fault : undefined);
  expect(await discovery.keysTagged({ a: "b" })).toEqual([{ keyId, tags: { a: "b" } }]);
  left = 100;
  await expect(discovery.keysTagged({ a: "b" })).rejects.toMatchObject({
    name: "RotationError",
    code: "DISCOVERY_FAILED",
  });
  await expect(discovery.keysWithTag("a")).rejects.toMatchObject({ code: "DISCOVERY_FAILED" });
});
