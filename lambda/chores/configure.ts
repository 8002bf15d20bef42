/** Applies the configuration: new managed keys get a record, changed ones become due. */
import type { Run } from "../pass/context.ts";
import { believableAheadMs } from "../workflow/model/limits.ts";
import { sameAliases, samePolicy } from "../workflow/model/policy.ts";
import { newManagedKey } from "../workflow/model/record.ts";
import type { Home } from "../workflow/model/types.ts";

/** How many records to read or create between two checks of the time. */
const batch = 100;

/**
 * Updates the table. False if time ran out or another run held a changed managed key: the next run
 * then starts over, and each part is idempotent. `others` are the configurations that the table has
 * as applied.
 */
export async function applyConfiguration(run: Run, others: string[]): Promise<boolean> {
  const { table, clock } = run.ports;
  await table.forgetConfigurations(others);
  const ours = { owner: run.configuration.owner, tableId: run.tableId };
  const homes = [...run.homes.values()];
  let held = 0;
  for (let from = 0; from < homes.length; from += batch) {
    if (clock.nowMs() >= run.stopAtMs) return false;
    const some = homes.slice(from, from + batch);
    const there = await table.readMany(some.map(({ alias }) => alias));
    const known = new Map(there.map((record) => [record.alias, record]));
    const nowMs = clock.nowMs();
    for (const home of some) {
      const record = known.get(home.alias);
      if (record === undefined) {
        await table.create(newManagedKey(ours, home, "configuration", nowMs));
      } else if (differs(record, home)) {
        const noted = await table.nudge(home.alias, nowMs);
        const lasting = (record.claim?.untilMs ?? 0) > nowMs + believableAheadMs;
        if (!noted && !lasting) held += 1;
      }
    }
  }
  if (held > 0) return false;
  await table.schedule("audit", clock.nowMs(), undefined);
  await table.schedule("tag-search", clock.nowMs(), undefined);
  const { owner, mode, policies, taggedAliases, acceptedRefusals } = run.configuration;
  const { refusalsWatch = "none" } = run;
  const names = Object.keys(policies);
  const applied = { owner, mode, policies: names, taggedAliases, acceptedRefusals, refusalsWatch };
  await table.recordConfiguration(run.configurationHash, applied);
  return true;
}

function differs(record: Omit<Home, "alias">, home: Home): boolean {
  return (
    !samePolicy(record.policy, home.policy) ||
    !sameAliases(record.aliases, home.aliases) ||
    !sameAliases(record.dependents, home.dependents)
  );
}
