/**
 * Unmanaged requests: one to enrol the alias makes it a managed key, with `disable` at most; all
 * others are rejected. Without a record, only telemetry reports it, and the items must not stay
 * due.
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
  const { configuration, tableId } = current;
  const { table, clock } = current.ports;
  if (await isManaged(current, alias)) return;
  const requests = await table.requests(alias);
  const answers = requests.flatMap((item) => {
    const request = parseRequest(item);
    if (request.kind !== "enrol") return [];
    // The first pass would reject it, yet enrol the key that the record names.
    return isBoundElsewhere(request)
      ? [{ kind: "not" as const, why: "the plan is of a deleted record" }]
      : [enrollable(configuration, alias, request.policy)];
  });
  const found = answers.find(({ kind }) => kind === "home");
  if (found?.kind === "home") {
    const ours = { owner: configuration.owner, tableId };
    await table.create(newManagedKey(ours, found.home, "request", clock.nowMs()));
    // Its own pass fulfils the request, and so the journal begins with the requester.
    await oneKey(current, alias, "asked");
    return;
  }
  const [rejected] = answers;
  const why =
    rejected?.kind === "not"
      ? `${alias} is not enrolled: ${rejected.why}`
      : `${alias} is not a managed key`;
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

/** Whether the alias has a record, or will get one. */
export async function isManaged({ homes, ports }: Run, alias: string): Promise<boolean> {
  return homes.has(alias) || (await ports.table.read(alias)) !== undefined;
}

/** A new record has an empty journal. */
function isBoundElsewhere({ ifHead = genesisHash }: { ifHead?: string }): boolean {
  return ifHead !== genesisHash;
}
