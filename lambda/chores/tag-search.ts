/**
 * Enrolment by tag: a key that an alias points at, and that carries the tag `keyturn:policy`, becomes a
 * managed key of its own, up to `disable`. What cannot be enrolled so is told.
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
    // The hour set above stands: what was not looked at is looked at then.
    if (clock.nowMs() >= run.stopAtMs) return;
    if ((await table.boundTo(keyId)) !== undefined) continue;
    aliases ??= await keys.allAliases();
    const what = await enrol(run, keyId, aliases);
    if (what === undefined) continue;
    run.telemetry.finding(keyId, what);
    findings.push(what);
  }
  await table.schedule("tag-search", clock.nowMs() + dayMs, findings);
}

/** A search by tags may lag: the key itself is believed. One of another owner is theirs to enrol. */
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
  if (home === undefined) return wrong("the configuration has no policy of this name");
  const ours = { owner: configuration.owner, tableId: run.tableId };
  await table.create(newManagedKey(ours, home, "tag", clock.nowMs()));
  return undefined;
}
