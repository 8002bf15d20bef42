/** Version 0.1.0 scheduled deletions without an approval of the deletion, due again at their date. */
import { describe, expect, test } from "vitest";
import { canonicalHash } from "../../lambda/record/canonical.ts";
import type { World } from "../world.ts";
import { momentOf, schema1, schema2, type Recorded } from "./recorded.ts";
import { taken } from "./taken.ts";

const moments: [string, Recorded][] = [
  ["schema 1", momentOf(schema1, "deletion")],
  ["schema 2", momentOf(schema2, "revoke, deletion")],
];

async function oldKeyAfter(world: World, days: number): Promise<string> {
  const keyId = (await world.record()).versions.find(({ number }) => number === 1)?.keyId ?? "";
  await world.passDays(days);
  return world.stateOf(keyId);
}

describe.each(moments)("a deletion that 0.1.0 scheduled without an approval, %s", (_, moment) => {
  test("is cancelled within a day of the upgrade, under an unchanged configuration", async () => {
    const world = await taken(moment, { approves: false });
    const { managedKeys, policies, ...rest } = world.configuration;
    expect(policies[managedKeys[0]?.policy ?? ""]).toEqual((await world.record()).policy);
    // As 0.1.0 has it in the table.
    await world.table.recordConfiguration(canonicalHash(world.configuration), {
      ...rest,
      policies: Object.keys(policies),
    });
    expect(await oldKeyAfter(world, 1)).toBe("Disabled");
    expect(await oldKeyAfter(world, 60)).toBe("Disabled");
    expect(world.history()).toContain("deletion-cancelled");
    expect(await world.findings()).toContain("APPROVAL_REQUIRED");
  });

  test("is cancelled where the configuration no longer names the managed key", async () => {
    const world = await taken(moment, { approves: false });
    world.configuration = { ...world.configuration, managedKeys: [] };
    expect(await oldKeyAfter(world, 1)).toBe("Disabled");
    expect(await oldKeyAfter(world, 60)).toBe("Disabled");
  });

  test("is cancelled where an operator paused the managed key", async () => {
    const world = await taken(moment, { approves: false });
    world.request("pause");
    expect(await oldKeyAfter(world, 1)).toBe("Disabled");
    expect(await oldKeyAfter(world, 60)).toBe("Disabled");
  });
});
