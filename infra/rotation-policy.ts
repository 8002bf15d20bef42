/** A policy in CDK, and its form in the configuration document. */
import { Duration } from "aws-cdk-lib";
import type { ConfigurationDocument } from "../lambda/configuration/configuration.ts";
import { formatDuration, parseDuration } from "../lambda/configuration/durations.ts";

type PolicyDocument = ConfigurationDocument["policies"][string];

/** How keyturn rotates a managed key; docs/policies.md describes each field. */
export interface RotationPolicy {
  /**
   * How long a version is active at most.
   * @default Duration.days(365)
   */
  readonly cryptoperiod?: Duration;

  /**
   * How long before the end of the cryptoperiod the next rotation opens.
   * @default - a tenth of the cryptoperiod, a week at most
   */
  readonly lead?: Duration;

  /**
   * How long a new version exists before an alias moves to it: grants, tags and policies take up to
   * five minutes to reach authorization.
   * @default Duration.minutes(15)
   */
  readonly propagation?: Duration;

  /**
   * How long dependents have to acknowledge a new version before a finding reports them.
   * @default Duration.days(7)
   */
  readonly acknowledgeWithin?: Duration;

  /**
   * Whether new versions may encrypt, sign and generate MACs only through the managed aliases.
   * @default "observe"
   */
  readonly originate?: "observe" | "alias-only";

  /**
   * The minimum time of an old version in drain.
   * @default Duration.days(30)
   */
  readonly drainAtLeast?: Duration;

  /**
   * How long KMS must show no use of it before keyturn disables it.
   * @default Duration.days(14)
   */
  readonly quietFor?: Duration;

  /**
   * Whether a version with an unknown last use may be disabled.
   * @default "required"
   */
  readonly evidence?: "required" | "advisory";

  /**
   * The end of an old version: it stays enabled, is disabled, or is deleted after a soak.
   * @default "disable"
   */
  readonly retire?: "retain" | "disable" | "delete";

  /**
   * How long keyturn watches a disabled version for use attempts.
   * @default Duration.days(14)
   */
  readonly soak?: Duration;

  /**
   * KMS's own waiting period before a deletion: whole days, from 7 to 30.
   * @default Duration.days(30)
   */
  readonly deletionWindow?: Duration;

  /**
   * Before which call an operator must approve the evidence: each deletion, or each disabling too. A
   * deletion always needs an approval: "none" beside `retire: "delete"` fails synthesis.
   * @default "delete" where `retire` is "delete", otherwise "none"
   */
  readonly approval?: "none" | "revoke" | "delete";
}

/** The document for the function. It rejects a duration with a fraction of a minute or day. */
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
