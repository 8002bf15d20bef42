import type { Duration } from "aws-cdk-lib";
import type * as events from "aws-cdk-lib/aws-events";
import type * as logs from "aws-cdk-lib/aws-logs";
import type * as sns from "aws-cdk-lib/aws-sns";
import type { RotationPolicy } from "./rotation-policy.ts";

export interface KeyRotationProps {
  /** How keys are rotated, by the names that `manage()` is given. */
  readonly policies: Record<string, RotationPolicy>;

  /**
   * The value of the tag `keyturn:owner` on every key of this deployment. Keys of another owner are
   * never touched, and so it must not change.
   * @default - from the path of this construct
   */
  readonly owner?: string;

  /**
   * In mode "plan" it is decided and reported what would be done, and the role may change no key.
   * @default "act"
   */
  readonly mode?: "act" | "plan";

  /**
   * Which aliases' keys the tag `keyturn:policy` may enrol, with `*` for any characters, such as
   * `alias/team-*`. The role may move these aliases besides those that `manage()` names, so whoever
   * may tag keys can have them rotated.
   * @default - none: the tag enrols no key, and a finding tells of it
   */
  readonly taggedAliases?: string[];

  /**
   * How often the function looks for what is due. A rotation takes some runs for each step.
   * @default Duration.minutes(5)
   */
  readonly interval?: Duration;

  /**
   * Where the dependents hear of rotations, with the source `keyturn`.
   * @default - the default bus of the account and Region
   */
  readonly eventBus?: events.IEventBus;

  /**
   * How the function finds keys by its tags: through the Resource Groups Tagging API, or by walking
   * all keys where that is not served.
   * @default "tagging"
   */
  readonly discovery?: "tagging" | "walk";

  /**
   * Which share of each KMS request quota a run may spend: from 0.01 to 1. The rest is left to
   * everything else in the account and Region.
   * @default 0.4
   */
  readonly quotaShare?: number;

  /**
   * How long the log, which names every transition, is kept. It outlives the stack.
   * @default logs.RetentionDays.ONE_YEAR - what PCI DSS 4.0.1, 10.5.1 asks of audit trails
   */
  readonly logRetention?: logs.RetentionDays;

  /**
   * Who hears of every alarm, and of its end.
   * @default - nobody; the alarms are `alarms`
   */
  readonly alarmTopic?: sns.ITopic;

  /**
   * Whether the function hears, through CloudTrail and EventBridge, of attempts to use a key that is out
   * of use, and puts a key out of use only where it is proved that it would hear. It takes a trail in
   * this Region that logs management events, read-only ones too, with those of KMS.
   * @default true
   */
  readonly watchDrain?: boolean;

  /**
   * How many runs Lambda keeps free for the function. A new account has none to give, and refuses.
   * @default - none
   */
  readonly reservedConcurrentExecutions?: number;
}
