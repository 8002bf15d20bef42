/** A policy as people write it in CDK, and as the configuration document has it. */
import { Duration } from "aws-cdk-lib";
import type { ConfigurationDocument } from "../lambda/configuration/configuration.ts";
import { formatDuration, parseDuration } from "../lambda/configuration/durations.ts";

type PolicyDocument = ConfigurationDocument["policies"][string];

/** How a managed key is rotated; docs/policies.md says more of each field. */
export interface RotationPolicy {
  /**
   * How long a version serves at most.
   * @default Duration.days(365)
   */
  readonly cryptoperiod?: Duration;

  /**
   * How long before the end of the cryptoperiod the next rotation opens.
   * @default - a tenth of the cryptoperiod, and no more than a week
   */
  readonly lead?: Duration;

  /**
   * How long a new version exists before an alias moves to it: grants, tags and policies take up to
   * five minutes to reach authorization.
   * @default Duration.minutes(15)
   */
  readonly propagation?: Duration;

  /**
   * How long dependents have to acknowledge a new version before a finding says that they did not.
   * @default Duration.days(7)
   */
  readonly acknowledgeWithin?: Duration;

  /**
   * Whether new versions may encrypt, sign and make MACs through the managed aliases alone.
   * @default "observe"
   */
  readonly originate?: "observe" | "alias-only";

  /**
   * How long an old version drains at least.
   * @default Duration.days(30)
   */
  readonly drainAtLeast?: Duration;

  /**
   * For how long KMS must show no use of it before it is disabled.
   * @default Duration.days(14)
   */
  readonly quietFor?: Duration;

  /**
   * Whether a version of which KMS knows no last use is disabled all the same.
   * @default "required"
   */
  readonly evidence?: "required" | "advisory";

  /**
   * What becomes of an old version: it stays enabled, is disabled, or is deleted after a soak.
   * @default "disable"
   */
  readonly retire?: "retain" | "disable" | "delete";

  /**
   * How long a disabled version is watched for attempts to use it.
   * @default Duration.days(14)
   */
  readonly soak?: Duration;

  /**
   * KMS's own waiting period before a deletion: whole days, from 7 to 30.
   * @default Duration.days(30)
   */
  readonly deletionWindow?: Duration;

  /**
   * Whether a person approves each disabling, or each deletion.
   * @default "none"
   */
  readonly approval?: "none" | "revoke" | "delete";
}

/** What the function reads. A duration of broken minutes or days comes out as what is refused there. */
export function documentOf(policy: RotationPolicy): PolicyDocument {
  const { originate, evidence, retire, approval, deletionWindow } = policy;
  const drain = {
    atLeast: textOf(policy.drainAtLeast),
    quietFor: textOf(policy.quietFor),
    evidence,
  };
  return defined({
    cryptoperiod: textOf(policy.cryptoperiod),
    lead: textOf(policy.lead),
    propagation: textOf(policy.propagation),
    acknowledgeWithin: textOf(policy.acknowledgeWithin),
    originate,
    drain: defined(drain),
    retire,
    soak: textOf(policy.soak),
    deletionWindowDays: deletionWindow?.toDays({ integral: false }),
    approval,
  });
}

/** The inverse, of a policy that `parseConfiguration` accepted. */
export function policyOf(document: PolicyDocument): RotationPolicy {
  const { originate, retire, approval, drain = {}, deletionWindowDays } = document;
  return defined({
    cryptoperiod: durationOf(document.cryptoperiod),
    lead: durationOf(document.lead),
    propagation: durationOf(document.propagation),
    acknowledgeWithin: durationOf(document.acknowledgeWithin),
    originate,
    drainAtLeast: durationOf(drain.atLeast),
    quietFor: durationOf(drain.quietFor),
    evidence: drain.evidence,
    retire,
    soak: durationOf(document.soak),
    deletionWindow:
      deletionWindowDays === undefined ? undefined : Duration.days(deletionWindowDays),
    approval,
  });
}

function textOf(duration: Duration | undefined): string | undefined {
  if (duration === undefined) return undefined;
  const ms = duration.toMilliseconds();
  return ms % 60_000 === 0 ? formatDuration(ms) : `${ms / 1000}s`;
}

function durationOf(text: string | undefined): Duration | undefined {
  const ms = text === undefined ? undefined : parseDuration(text);
  return ms === undefined ? undefined : Duration.minutes(ms / 60_000);
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

function defined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Defined<T>;
}
