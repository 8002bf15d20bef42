/**
 * The negative control: rotation as most teams write it. A schedule starts one script, which does
 * the five steps in a row and keeps its state in tags on the keys. It is as good as such a script
 * can be: the violations that a simulation finds come from its assumptions. One instance runs. Runs
 * are short. No other principal changes keys. A failure is visible and means that nothing happened.
 */
import type * as Kms from "@aws-sdk/client-kms";
import type { Policy } from "../lambda/workflow/model/types.ts";

export type CronJob = {
  /** Like the SDK client: returns, or throws an Error named by KMS's code; may never settle. */
  kms: (operation: string, input: object) => Promise<unknown>;
  clock: { nowMs(): number; sleep(ms: number): Promise<void> };
  log: (line: string) => void;
  keys: { alias: string; policy: Policy }[];
};

type Tags = Record<string, string>;
type Since = "activated-at" | "retired-at" | "disabled-at";
type Version = { keyId: string; metadata: Kms.KeyMetadata; tags: Tags };
/** The account at the start of the script. */
type Listing = { aliases: Kms.AliasListEntry[]; versions: Version[] };

const lastUsageLagMs = 3_600_000;
const mostTries = 6;
/** Throttling, and failures of KMS or of the connection. */
const passes = /^(Throttl|TooMany|KMSInternal|Internal|KeyUnavailable|Service|\w*Timeout)/;

/** One run of the script, from top to bottom. It rejects only if it cannot list the keys. */
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
  if (current === undefined) throw new Error("the alias does not exist");
  const { KeyState: state, CreationDate } = current.metadata;
  if (state !== "Enabled") throw new Error(`the active ${current.keyId} is ${state}`);
  // An operator made the first version; no tag records when it became active.
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

/** Makes a key like the active one, with its key policy and the tags of external principals. */
async function generate(job: CronJob, alias: string, current: Version): Promise<string> {
  const { KeySpec, KeyUsage, Origin, MultiRegion, CustomKeyStoreId, Description } =
    current.metadata;
  if (Origin !== "AWS_KMS" && Origin !== "AWS_CLOUDHSM") {
    throw new Error(`rotation is due; an operator must make a key of origin ${Origin}`);
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

/** Waits until the key is Enabled, copies the grants, and waits for the propagation in KMS. */
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

/** Whether the old key has been unused for long enough; an unknown last use counts as use. */
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

/** Disables the old key. A later run, after the soak, schedules its deletion. */
async function revoke(job: CronJob, alias: string, old: Version, policy: Policy): Promise<void> {
  const { keyId, metadata } = old;
  const disabledAtMs = timeOf(old, "disabled-at");
  if (metadata.KeyState === "Enabled") {
    if (policy.approval === "revoke")
      return job.log(`${keyId}: quiet, an operator must disable it`);
    await mark(job, alias, keyId, "disabled-at");
    await ask(job, "DisableKey", { KeyId: keyId });
    job.log(`${keyId}: disabled`);
  } else if (!disabledAtMs) {
    // An operator disabled it: the soak begins when the script observes it.
    await mark(job, alias, keyId, "disabled-at");
  } else if (job.clock.nowMs() >= disabledAtMs + policy.soakMs) {
    if (policy.approval === "delete")
      return job.log(`${keyId}: soaked, an operator must delete it`);
    const window = { PendingWindowInDays: policy.deletionWindowDays };
    await ask(job, "ScheduleKeyDeletion", { KeyId: keyId, ...window });
    job.log(`${keyId}: KMS deletes it in ${policy.deletionWindowDays} days`);
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
    const isActive = ours.some(({ TargetKeyId }) => TargetKeyId === KeyId);
    if (!isActive && tags["rotator:alias"] === undefined) continue;
    versions.push({ keyId: KeyId, metadata: await describe(job, KeyId), tags });
  }
  return { aliases, versions };
}

/** Old versions with work left to do, to which no alias points. */
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

/** A key whose tags the script may not read, or that was deleted meanwhile, is not a version. */
async function tagsOf(job: CronJob, keyId: string): Promise<Tags> {
  const of = { KeyId: keyId };
  const tags = await pages<Kms.Tag>(job, "ListResourceTags", "Tags", of).catch((error: unknown) => {
    if (/^(AccessDenied|NotFound)/.test(String(error))) return [];
    throw error;
  });
  return Object.fromEntries(tags.map(({ TagKey = "", TagValue = "" }) => [TagKey, TagValue]));
}

/** Writes the tags that the next runs read. */
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

/** Retries throttled and failed calls with growing pauses. */
async function ask<T>(job: CronJob, operation: string, input: object): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return (await job.kms(operation, input)) as T;
    } catch (error) {
      if (tries === mostTries || !passes.test(String(error))) throw error;
      job.log(`${operation}: ${String(error)}; retrying`);
      await job.clock.sleep(1000 * 2 ** (tries - 1));
    }
  }
}
