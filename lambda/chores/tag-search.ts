/**
 * Enrolment by tag: an alias whose key has the tag `keyturn:policy` becomes a managed key, with
 * `disable` at most. A finding reports each key that cannot be enrolled.
 */
import { mayEnrol, notOpen, taggedHome } from "../configuration/homes.ts";
import type { Run } from "../pass/context.ts";
import { showAliases } from "../workflow/model/commands.ts";
import { finding, type Finding } from "../workflow/model/findings.ts";
import { dayMs, recheckMs } from "../workflow/model/limits.ts";
import { newManagedKey } from "../workflow/model/record.ts";
import { valueOf } from "../workflow/safety/observations.ts";
import { tagNames } from "../workflow/model/tag-names.ts";

type Aliases = { alias: string; keyId: string }[];

export async function searchTags(run: Run): Promise<void> {
  const { table, clock, discovery, keys } = run.ports;
  await table.schedule("tag-search", clock.nowMs() + recheckMs, undefined);
  const tagged = await discovery.keysWithTag(tagNames.policy);
  const findings: Finding[] = [];
  let aliases: Aliases | undefined;
  for (const { keyId } of tagged) {
    // The schedule set above applies: the search repeats in an hour.
    if (clock.nowMs() >= run.stopAtMs) return;
    if ((await table.boundTo(keyId)) !== undefined) continue;
    aliases ??= await keys.allAliases();
    const problem = await enrol(run, keyId, aliases);
    if (problem === undefined) continue;
    run.telemetry.finding(keyId, problem);
    findings.push(problem);
  }
  await table.schedule("tag-search", clock.nowMs() + dayMs, findings);
}

/** A search by tag may lag, and so this reads the key itself. Skips keys of another owner. */
async function enrol(run: Run, keyId: string, aliases: Aliases): Promise<Finding | undefined> {
  const { keys, table, clock } = run.ports;
  const { configuration } = run;
  const tags = valueOf(await keys.tagsOf(keyId)) ?? {};
  const policyName = tags[tagNames.policy];
  if (policyName === undefined || tags[tagNames.owner] !== undefined) return undefined;
  const names = aliases.filter((one) => one.keyId === keyId).map(({ alias }) => alias);
  const [alias, ...others] = names;
  const configured = configuration.managedKeys.some((one) =>
    one.aliases.some((name) => names.includes(name)),
  );
  if (configured) return undefined;
  const wrong = (why: string): Finding => {
    const next = showAliases(keyId);
    const observed = `${keyId} has the tag ${tagNames.policy}=${policyName}: ${why}`;
    return finding("NOT_ENROLLED_BY_TAG", keyId, observed.slice(0, 1000), next, clock.nowMs());
  };
  if (alias === undefined) return wrong("no alias points at it");
  if (others.length > 0) return wrong(`several aliases point at it, ${names.join(", ")}`);
  if (!mayEnrol(configuration, alias)) return wrong(notOpen(configuration, alias));
  const home = taggedHome(configuration, alias, [alias], policyName);
  if (home === undefined) return wrong("no policy has this name");
  const ours = { owner: configuration.owner, tableId: run.tableId };
  await table.create(newManagedKey(ours, home, "tag", clock.nowMs()));
  return undefined;
}
