/**
 * The negative control: rotation as most teams write it. A schedule starts one script, which does the
 * five steps in a row and keeps what it must remember in tags on the keys. It is as good as such a
 * script can be, so that what a simulation finds wrong comes from what it takes for granted: that one
 * instance runs, that runs are short, that nobody else changes keys, and that a failure is seen and
 * means that nothing happened.
 */
import type * as Kms from "@aws-sdk/client-kms";
import type { Policy } from "../lambda/workflow/model/types.ts";

export type CronJob = {
  /** As the SDK's client: answers, or throws an Error whose name is KMS's error code; may never answer. */
  kms: (operation: string, input: object) => Promise<unknown>;
  clock: { nowMs(): number; sleep(ms: number): Promise<void> };
  log: (line: string) => void;
  keys: { alias: string; policy: Policy }[];
};

type Tags = Record<string, string>;
type Since = "activated-at" | "retired-at" | "disabled-at";
type Version = { keyId: string; metadata: Kms.KeyMetadata; tags: Tags };
/** What the account looked like when the script began. */
type Listing = { aliases: Kms.AliasListEntry[]; versions: Version[] };

const lastUsageLagMs = 3_600_000;
const mostTries = 6;
/** Throttled, or failed on the side of KMS or on the way. */
const passes = /^(Throttl|TooMany|KMSInternal|Internal|KeyUnavailable|Service|\w*Timeout)/;

/** One run of the script, from the top to the bottom; it rejects only where it could not list. */
export async function naiveCron(job: CronJob): Promise<void> {
  const listing = await list(job);
  for (const { alias, policy } of job.keys) {
    try {
      await rotate(job, listing, alias, policy);
    } catch (error) {
      job.log(`${alias}: failed, the next run tries again: ${String(error)}`);
    }
  }
}

async function rotate(job: CronJob, listing: Listing, alias: string, policy: Policy) {
  const target = listing.aliases.find(({ AliasName }) => AliasName === alias)?.TargetKeyId;
  const current = listing.versions.find(({ keyId }) => keyId === target);
  if (current === undefined) throw new Error("there is no such alias");
  const { KeyState: state, CreationDate } = current.metadata;
  if (state !== "Enabled") throw new Error(`${current.keyId}, which serves, is ${state}`);
  // The first version was made by people, and does not say since when it serves.
  const sinceMs = timeOf(current, "activated-at") || Number(CreationDate);
  if (job.clock.nowMs() - sinceMs >= policy.cryptoperiodMs - policy.leadMs) {
    const next = await generate(job, alias, current);
    await distribute(job, current, next, policy);
    await activate(job, alias, current, next);
  }
  for (const old of retired(listing, alias, policy)) {
    if (await drain(job, old, policy)) await revoke(job, alias, old, policy);
  }
}

/** Makes a key like the one that serves, with its key policy and the tags that people gave it. */
async function generate(job: CronJob, alias: string, current: Version): Promise<string> {
  const { KeySpec, KeyUsage, Origin, MultiRegion, CustomKeyStoreId, Description } =
    current.metadata;
  if (Origin !== "AWS_KMS" && Origin !== "AWS_CLOUDHSM") {
    throw new Error(`it is time to rotate; a key of origin ${Origin} has to be made by hand`);
  }
  const like = { KeySpec, KeyUsage, Origin, MultiRegion, CustomKeyStoreId, Description };
  const from = { KeyId: current.keyId };
  const { Policy } = await ask<Kms.GetKeyPolicyResponse>(job, "GetKeyPolicy", from);
  const theirs = Object.entries(current.tags).filter(([name]) => !/^(aws|rotator):/.test(name));
  const Tags = tagList({ ...Object.fromEntries(theirs), "rotator:alias": alias });
  const input = { ...like, Policy, Tags };
  const { KeyMetadata } = await ask<Kms.CreateKeyResponse>(job, "CreateKey", input);
  job.log(`${alias}: made ${KeyMetadata?.KeyId} to follow ${current.keyId}`);
  return KeyMetadata?.KeyId ?? "";
}

/** Waits until the key is there, copies the grants, and gives KMS the time to let everybody know. */
async function distribute(job: CronJob, current: Version, next: string, policy: Policy) {
  for (let tries = 1; ; tries += 1) {
    const observed = await describe(job, next).catch(() => undefined);
    if (observed?.KeyState === "Enabled") break;
    if (tries === 12) throw new Error(`${next} does not become Enabled`);
    await job.clock.sleep(5000);
  }
  const from = { KeyId: current.keyId };
  for (const grant of await pages<Kms.GrantListEntry>(job, "ListGrants", "Grants", from)) {
    const { GranteePrincipal, RetiringPrincipal, Operations, Constraints } = grant;
    const like = { GranteePrincipal, RetiringPrincipal, Operations, Constraints };
    await ask(job, "CreateGrant", { KeyId: next, ...like, Name: grant.Name || undefined });
  }
  await job.clock.sleep(policy.propagationMs);
}

async function activate(job: CronJob, alias: string, current: Version, next: string) {
  await ask(job, "UpdateAlias", { AliasName: alias, TargetKeyId: next });
  await mark(job, alias, next, "activated-at");
  await mark(job, alias, current.keyId, "retired-at");
  job.log(`${alias}: moved from ${current.keyId} to ${next}`);
}

/** Whether the old key is out of use for long enough; what KMS does not know counts as use. */
async function drain(job: CronJob, old: Version, { drain }: Policy): Promise<boolean> {
  const aged = job.clock.nowMs() >= timeOf(old, "retired-at") + drain.atLeastMs;
  if (!aged) return false;
  const of = { KeyId: old.keyId };
  const usage = await ask<Kms.GetKeyLastUsageResponse>(job, "GetKeyLastUsage", of);
  const { TrackingStartDate: tracked, KeyCreationDate: created } = usage;
  const last = usage.KeyLastUsage?.Timestamp;
  if (last === undefined && Number(tracked) > Number(created)) return drain.evidence === "advisory";
  return job.clock.nowMs() >= Number(last ?? created) + drain.quietForMs + lastUsageLagMs;
}

/** Disables the old key; in a later run, when it has soaked, has it deleted. */
async function revoke(job: CronJob, alias: string, old: Version, policy: Policy): Promise<void> {
  const { keyId, metadata } = old;
  const disabledAtMs = timeOf(old, "disabled-at");
  if (metadata.KeyState === "Enabled") {
    if (policy.approval === "revoke") return job.log(`${keyId}: is quiet, disable it by hand`);
    await mark(job, alias, keyId, "disabled-at");
    await ask(job, "DisableKey", { KeyId: keyId });
    job.log(`${keyId}: disabled`);
  } else if (!disabledAtMs) {
    // By hand: its soak begins when we see it.
    await mark(job, alias, keyId, "disabled-at");
  } else if (job.clock.nowMs() >= disabledAtMs + policy.soakMs) {
    if (policy.approval === "delete") return job.log(`${keyId}: has soaked, delete it by hand`);
    const window = { PendingWindowInDays: policy.deletionWindowDays };
    await ask(job, "ScheduleKeyDeletion", { KeyId: keyId, ...window });
    job.log(`${keyId}: goes in ${policy.deletionWindowDays} days`);
  }
}

async function list(job: CronJob): Promise<Listing> {
  const aliases = await pages<Kms.AliasListEntry>(job, "ListAliases", "Aliases", {});
  const ours = aliases.filter(({ AliasName: name }) =>
    job.keys.some(({ alias }) => alias === name),
  );
  const versions: Version[] = [];
  for (const { KeyId = "" } of await pages<Kms.KeyListEntry>(job, "ListKeys", "Keys", {})) {
    const tags = await tagsOf(job, KeyId);
    const serves = ours.some(({ TargetKeyId }) => TargetKeyId === KeyId);
    if (!serves && tags["rotator:alias"] === undefined) continue;
    versions.push({ keyId: KeyId, metadata: await describe(job, KeyId), tags });
  }
  return { aliases, versions };
}

/** Old versions with which there is something left to do, and that no alias points at. */
function retired({ aliases, versions }: Listing, alias: string, { retire }: Policy): Version[] {
  const left = { retain: [], disable: ["Enabled"], delete: ["Enabled", "Disabled"] }[retire];
  return versions.filter(({ keyId, metadata, tags }) => {
    if (tags["rotator:alias"] !== alias || tags["rotator:retired-at"] === undefined) return false;
    if (aliases.some(({ TargetKeyId }) => TargetKeyId === keyId)) return false;
    return left.some((state) => state === metadata.KeyState);
  });
}

async function describe(job: CronJob, keyId: string): Promise<Kms.KeyMetadata> {
  const answer = await ask<Kms.DescribeKeyResponse>(job, "DescribeKey", { KeyId: keyId });
  return answer.KeyMetadata ?? { KeyId: keyId };
}

/** A key whose tags are not for us to read, or that has gone meanwhile, is none of ours. */
async function tagsOf(job: CronJob, keyId: string): Promise<Tags> {
  const of = { KeyId: keyId };
  const tags = await pages<Kms.Tag>(job, "ListResourceTags", "Tags", of).catch((error: unknown) => {
    if (/^(AccessDenied|NotFound)/.test(String(error))) return [];
    throw error;
  });
  return Object.fromEntries(tags.map(({ TagKey = "", TagValue = "" }) => [TagKey, TagValue]));
}

/** What the next runs go by. */
function mark(job: CronJob, alias: string, keyId: string, since: Since): Promise<unknown> {
  const now = new Date(job.clock.nowMs()).toISOString();
  const Tags = tagList({ "rotator:alias": alias, [`rotator:${since}`]: now });
  return ask(job, "TagResource", { KeyId: keyId, Tags });
}

function tagList(tags: Tags): Kms.Tag[] {
  return Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
}

function timeOf({ tags }: Version, since: Since): number {
  return Date.parse(tags[`rotator:${since}`] ?? "");
}

async function pages<T>(job: CronJob, operation: string, list: string, input: object) {
  const all: T[] = [];
  for (let marker: object = {}; ;) {
    const page = await ask<Record<string, unknown>>(job, operation, { ...input, ...marker });
    all.push(...(page[list] as T[]));
    if (page.Truncated !== true) return all;
    marker = { Marker: page.NextMarker };
  }
}

/** Asks again, ever later, what is throttled or fails on the side of KMS. */
async function ask<T>(job: CronJob, operation: string, input: object): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return (await job.kms(operation, input)) as T;
    } catch (error) {
      if (tries === mostTries || !passes.test(String(error))) throw error;
      job.log(`${operation}: ${String(error)}; once more`);
      await job.clock.sleep(1000 * 2 ** (tries - 1));
    }
  }
}
