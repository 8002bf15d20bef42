/** What each finding means, and what to do about it: for people, and not in the function's package. */
import type { FindingCode } from "./findings.ts";

export type Explained = { meaning: string; cure: string };

export const findingTexts: Record<FindingCode, Explained> = {
  ALIAS_NOT_FOUND: {
    meaning: "The configuration names an alias that does not exist.",
    cure: "Create the alias on the key it should serve, or take it out of the configuration.",
  },
  ALIAS_SET_SPLIT: {
    meaning: "The aliases of one managed key point at different KMS keys.",
    cure: "Point all of them at one key, or make them managed keys of their own.",
  },
  ALIAS_MOVED: {
    meaning: "Somebody else moved an alias: it points at a key that the record does not expect.",
    cure: "Find out who needs it there. Move it back, or un-enrol the managed key. Code that names the key of an alias puts it back at each apply: have it leave the target alone (Terraform: ignore_changes = [target_key_id]).",
  },
  ALIAS_ON_OLD_VERSION: {
    meaning: "An alias points at a version that is to be put out of use.",
    cure: "Move that alias to the version that serves, or delete it.",
  },
  KEY_NOT_ENABLED: {
    meaning: "The KMS key that serves, or that is to be enrolled, is not Enabled.",
    cure: "Enable it, or cancel its deletion and enable it. keyturn never does this uninvited.",
  },
  KIND_NOT_SERVED: {
    meaning: "A key of this kind cannot be rotated by making a new key and moving the alias.",
    cure: "Take it out of the configuration; rotate it by the means its kind has.",
  },
  OTHER_OWNER: {
    meaning: "The key carries the owner tag of another keyturn deployment.",
    cure: "Manage it there, or un-enrol it there first.",
  },
  KEY_ALREADY_MANAGED: {
    meaning: "The KMS key is a version of another managed key already.",
    cure: "List all its aliases under one managed key.",
  },
  STATE_BEHIND_KMS: {
    meaning: "KMS shows versions of this managed key that the table knows nothing of.",
    cure: "The table was restored or made anew. Ask to `reconcile`: keyturn shows what it would write, and writes it once you ask again with the number of what was shown.",
  },
  USED_WHILE_DISABLED: {
    meaning: "Somebody tried to use a version that is out of use; keyturn gives it back.",
    cure: "Have the named caller stop using that version, or re-encrypt what it needs. Then `resume`: the version drains anew.",
  },
  DEPENDENT_NOT_READY: {
    meaning: "A dependent that must acknowledge the new version has not done so in time.",
    cure: "Find out what holds it up, and have it acknowledge; or roll the new version back.",
  },
  ALIAS_ONLY_UNFIT: {
    meaning:
      "The policy wants `originate: alias-only` of a key that AWS services use: they call by ARN and would be denied.",
    cure: "Give this managed key a policy with `originate: observe`.",
  },
  NOT_CONFIGURED: {
    meaning: "The configuration no longer names this managed key.",
    cure: "Put it back. Until then its keys stay as they are.",
  },
  POLICY_NOT_CARRIED: {
    meaning: "The key policy names something that would be wrong on a new key.",
    cure: 'Write the policy so that it holds for any key: Resource "*", principals that exist.',
  },
  TOO_MANY_TAGS: {
    meaning: "The key's tags and keyturn's own do not fit into the 50 that KMS allows.",
    cure: "Remove some tags from the key.",
  },
  KEY_POLICY_REFUSED: {
    meaning: "KMS refused the key policy for the new version.",
    cure: "Mend the policy of the version that serves; the new one takes it over.",
  },
  ACCESS_DENIED: {
    meaning:
      "KMS does not let keyturn do what is next: its role, the key policy or an SCP forbids.",
    cure: "Allow the named action to keyturn's role on that key. Where DisableKey is denied because the key is in use, and a person overrode the evidence, let a person with rights of their own disable it.",
  },
  KEY_QUOTA_REACHED: {
    meaning: "The account has reached a KMS resource quota.",
    cure: "Have the quota raised, or remove what is not needed.",
  },
  CALL_REFUSED: {
    meaning: "KMS refused a call for a reason that trying again will not change.",
    cure: "Read KMS's own words in what was seen.",
  },
  NEW_VERSION_NOT_ENABLED: {
    meaning: "The new version was disabled, or its deletion scheduled, before it could serve.",
    cure: "Enable it again, if that was not meant.",
  },
  VERSION_CHANGED: {
    meaning: "Somebody else changed the state of a version that keyturn is retiring.",
    cure: "Find out who needs what. Put the state back for keyturn to go on.",
  },
  VERSION_GONE: {
    meaning: "A version that should still exist is not in KMS.",
    cure: "Look in CloudTrail for who deleted it. What it alone could decrypt is lost. A reconcile request takes it off the record, and rotations go on.",
  },
  KEY_IN_STACK: {
    meaning: "A key that is about to be disabled is a resource of a CloudFormation stack.",
    cure: "Nothing, where the stack retains the key and nothing in it names the key but the alias. Else pause, and take the key out of the stack first (DeletionPolicy: Retain).",
  },
  DRAIN_NOT_WATCHED: {
    meaning:
      "No event of KMS came through CloudTrail and EventBridge for a day: nobody would hear of an attempt to use a disabled key.",
    cure: "See that a trail of the Region logs management events, read-only ones too, without excluding AWS KMS, and that the rules of this deployment are enabled. Or deploy with watchDrain: false, and go without.",
  },
  APPROVAL_REQUIRED: {
    meaning: "The policy wants a person's approval before the old version is disabled or deleted.",
    cure: "Read the evidence of drain, then `approve` with the version and the hash of it.",
  },
  ACKNOWLEDGEMENT_AWAITED: {
    meaning: "A new version is usable, and waits for its dependents to say that they are ready.",
    cure: "Each named dependent sends the request `acknowledge`.",
  },
  USAGE_UNKNOWN: {
    meaning: "KMS cannot say when the old version was last used, and unknown is not quiet.",
    cure: "Wait until KMS has tracked it, or set the policy's drain.evidence to advisory.",
  },
  ORIGINATED_AFTER_ACTIVATION: {
    meaning: "The old version was used to encrypt, sign or MAC after the alias had moved.",
    cure: "Find the caller that names the key by id, and have it use the alias. KMS tells of the last use only: one that decrypts or verifies, later on, shows that originating has ended. Or `approve` this evidence.",
  },
  GUARDRAIL: {
    meaning: "A key policy forbids disabling or deleting a key this soon after its last use.",
    cure: "Nothing: keyturn waits until the earliest date that it allows.",
  },
  DRAIN_PROLONGED: {
    meaning: "The old version is still in use, long after its minimum time in drain.",
    cure: "Find who uses it and re-encrypt what it protects, or let the policy retain it.",
  },
  PAUSED: {
    meaning: "A person paused this managed key: nothing moves but a key that must be given back.",
    cure: "Ask to `resume` when the reason is gone.",
  },
  HELD_AFTER_ROLLBACK: {
    meaning: "A version was rolled back: no new rotation opens until a person says so.",
    cure: "Mend what the rollback was for, then ask to `resume`.",
  },
  REQUEST_REFUSED: {
    meaning: "A request was malformed, or could not be done, and nothing was done of it.",
    cure: "Read why, and send another one. This notice goes after a week.",
  },
  UNENROLLED: {
    meaning: "This managed key was un-enrolled, and the configuration still names it.",
    cure: "Take it out of the configuration; or ask to `resume`, and it is enrolled anew.",
  },
  NOT_ENROLLED_BY_TAG: {
    meaning: "A key carries the tag keyturn:policy, and cannot be enrolled by it.",
    cure: "Mend what was seen, name the managed key in the configuration, let taggedAliases match its alias, or take the tag off.",
  },
  ALIAS_ONLY_NOT_ENFORCED: {
    meaning:
      "The policy wants `originate: alias-only`, and keyturn did not make this version: nothing keeps callers from originating with it by id.",
    cure: "Nothing: its successor will have the statement. Until then its use is observed.",
  },
  EVIDENCE_OVERRIDDEN: {
    meaning: "A person had a compromised version put out of use although it is, or may be, in use.",
    cure: "Help whoever still needs it. It is not deleted, and a use attempt does not bring it back.",
  },
  OVERDUE: {
    meaning: "The version that serves is past its cryptoperiod.",
    cure: "See the other findings of this managed key for what holds the rotation up.",
  },
  UNLISTED_ALIAS: {
    meaning: "The key has an alias that is not in the managed key's set; keyturn will not move it.",
    cure: "List it under `aliases`, or it will block the revoking of this version.",
  },
  USAGE_UNKNOWN_ACCEPTED: {
    meaning: "The last use of the old version is unknown; the policy lets the drain end anyway.",
    cure: "Set drain.evidence to required where an old key still in use would matter.",
  },
  STUCK: {
    meaning: "The same managed key has failed many times in a row.",
    cure: "Read the reason; if KMS or DynamoDB throttles, have less use the same quota.",
  },
  CLOCK_SKEW: {
    meaning: "A claim or mark ends further ahead than any run could last: a clock is wrong.",
    cure: "Find what ran with a wrong clock. keyturn waits the time out.",
  },
  RECORD_LARGE: {
    meaning: "The item of this managed key is past 100 KB; DynamoDB's limit is 400 KB.",
    cure: "Look for the rotations or versions that never come to an end.",
  },
  EXTRA_NOT_QUARANTINED: {
    meaning: "A key that a rotation made in excess has an alias, a grant or a use of its own.",
    cure: "Find out who uses it. keyturn leaves it as it is.",
  },
  UNKNOWN_KEY: {
    meaning: "A key carries this deployment's owner tag, and no record knows it.",
    cure: "Find out who made and tagged it. keyturn does not touch it.",
  },
  SCHEMA_NEWER: {
    meaning: "The item of this managed key was written by a newer keyturn.",
    cure: "Deploy that version, or a newer one.",
  },
  CONFIGURATION_INVALID: {
    meaning: "The configuration is malformed; no key is touched.",
    cure: "Mend what the message names, and deploy again.",
  },
};
