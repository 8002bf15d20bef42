/** Managed keys that nobody touches: what the inspections of them cost. */
import { tagNames } from "../../lambda/workflow/model/tag-names.ts";
import type { Intercept } from "../faults.ts";
import { hourMs } from "../fixtures.ts";
import { aWorld, type World } from "../world.ts";

export type AtRest = {
  /** To KMS: the search by tags is none. */
  requests: number;
  busiestHour: number;
  findings: number;
  cpuUs: number;
};

/** `afterDays`: by then all are enrolled, and inspected for the first time. */
export async function atRest(keys: number, days: number, afterDays = 2): Promise<AtRest> {
  const names = Array.from({ length: keys }, (_, index) => `alias/key-${index}`);
  const world = await aWorld({
    keys: Object.fromEntries(names.map((name) => [name, {}])),
    policy: { cryptoperiodMs: 2 * 365 * 24 * hourMs },
    // Nothing is deleted: an operator would read every record after every run.
    approves: false,
  });
  world.intercept = searchByAlias(world);
  await world.passDays(afterDays);
  const before = process.cpuUsage();
  let [requests, busiestHour] = [0, 0];
  for (let hour = 0; hour < days * 24; hour++) {
    world.calls.length = 0;
    await world.pass(hourMs);
    const count = world.calls.filter((operation) => operation !== "GetResources").length;
    requests += count;
    busiestHour = Math.max(busiestHour, count);
  }
  const { user, system } = process.cpuUsage(before);
  return { requests, busiestHour, findings: world.reported.length, cpuUs: user + system };
}

/** The search of the twin reads every key: with all of these keys, each of its searches takes long. */
function searchByAlias({ kms }: World): Intercept {
  const { aliases, keys } = kms.world;
  return (_port, method, input, proceed) => {
    const [wanted = {}] = method === "keysTagged" ? (input as [Record<string, string>]) : [];
    const key = keys.get(aliases.get(wanted[tagNames.alias] ?? "")?.keyId ?? "");
    if (key === undefined) return proceed();
    const isFound = Object.entries(wanted).every(([name, value]) => key.tags.get(name) === value);
    const found = { keyId: key.keyId, tags: Object.fromEntries(key.tags) };
    return Promise.resolve(isFound ? [found] : []);
  };
}
