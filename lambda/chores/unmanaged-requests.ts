/**
 * What was asked of what is no managed key: that it become one, up to `disable`, or nothing that can be
 * done. There is no record to say so, and it must not stay due.
 */
import { enrollable } from "../configuration/homes.ts";
import { genesisHash } from "../record/journal.ts";
import { parseRequest } from "../inbound/requests.ts";
import type { Run } from "../pass/context.ts";
import { oneKey } from "../pass/take-up.ts";
import { explain } from "../workflow/model/commands.ts";
import { finding } from "../workflow/model/findings.ts";
import { newManagedKey } from "../workflow/model/record.ts";

export async function isUnmanaged(current: Run, alias: string): Promise<void> {
  const { configuration, homes, tableId } = current;
  const { table, clock } = current.ports;
  const held = homes.has(alias) || (await table.read(alias)) !== undefined;
  if (held) return;
  const requests = await table.requests(alias);
  const answers = requests.flatMap((item) => {
    const request = parseRequest(item);
    if (request.kind !== "enrol") return [];
    // Its first turn would refuse it, and enrol all the same what the record names.
    return isBoundElsewhere(request)
      ? [{ kind: "not" as const, why: "it was planned on a record that is gone" }]
      : [enrollable(configuration, alias, request.policy)];
  });
  const found = answers.find(({ kind }) => kind === "home");
  if (found?.kind === "home") {
    const ours = { owner: configuration.owner, tableId };
    await table.create(newManagedKey(ours, found.home, "request", clock.nowMs()));
    // Its own turn honours the request, and so the journal begins with who asked.
    await oneKey(current, alias, "asked");
    return;
  }
  const [refused] = answers;
  const why =
    refused?.kind === "not"
      ? `${alias} is not enrolled: ${refused.why}`
      : `${alias} is no managed key`;
  for (const { id, body } of requests) {
    const observed = `${why}: ${JSON.stringify(body).slice(0, 500)}`;
    const next = explain("REQUEST_REJECTED");
    current.telemetry.finding(
      alias,
      finding("REQUEST_REJECTED", id, observed, next, clock.nowMs()),
    );
  }
  await table.deleteRequests(
    alias,
    requests.map(({ id }) => id),
  );
}

/** A record that is made now has a journal without a line. */
function isBoundElsewhere({ ifHead = genesisHash }: { ifHead?: string }): boolean {
  return ifHead !== genesisHash;
}
