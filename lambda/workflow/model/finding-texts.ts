/** What each finding means, what it mostly comes of, and what to do about it: for people, and not in the function's package. */
import type { FindingCode } from "./findings.ts";

export type Explained = { meaning: string; cause: string; remedy: string };

export const findingTexts: Record<FindingCode, Explained> = {
  ALIAS_NOT_FOUND: {
    meaning: "The configuration names an alias that does not exist.",
    cause: "It was misspelt, deleted, or is not made yet.",
    remedy:
      "Create the alias on the key it should name, or take it out of the configuration. A managed key's own alias belongs on its active version.",
  },
  ALIAS_SET_SPLIT: {
    meaning: "The aliases of one managed key point at different KMS keys.",
    cause: "One of them was moved by hand or by code, or they never belonged together.",
    remedy: "Point all of them at one key, or make them managed keys of their own.",
  },
  ALIAS_MOVED: {
    meaning: "Somebody else moved an alias: it points at a key that the record does not expect.",
    cause:
      "A person at the console, a script, or an apply of infrastructure code that names the key.",
    remedy:
      "Find out who needs it there. Move it back, or un-enrol the managed key. An alias on the new version before keyturn activates it goes back too: only keyturn knows when its dependents can use that version. Code that names the key of an alias puts it back at each apply: have it leave the target alone (Terraform: ignore_changes = [target_key_id]).",
  },
  ALIAS_ON_OLD_VERSION: {
    meaning: "An alias points at a version that is to be put out of use.",
    cause: "Somebody put one there after the rotation, or one that is not listed was never moved.",
    remedy:
      "Run the printed command: it moves each alias to the version that is active now. Or delete them.",
  },
  KEY_NOT_ENABLED: {
    meaning: "The KMS key that serves, or that is to be enrolled, is not Enabled.",
    cause: "Somebody disabled it or scheduled its deletion, or its key store is not connected.",
    remedy: "Enable it, or cancel its deletion and enable it. keyturn never does this uninvited.",
  },
  KEY_KIND_UNSUPPORTED: {
    meaning: "A key of this kind cannot be rotated by making a new key and moving the alias.",
    cause:
      "It is multi-Region or AWS's own, has imported material, an external key store, or a usage that is not served.",
    remedy: "Take it out of the configuration; rotate it by the means its kind has.",
  },
  OTHER_OWNER: {
    meaning: "The key carries the owner tag of another keyturn deployment.",
    cause: "Two deployments name the same key, or somebody changed its tag.",
    remedy: "Manage it there, or un-enrol it there first.",
  },
  KEY_ALREADY_MANAGED: {
    meaning: "The KMS key is a version of another managed key already.",
    cause: "Two managed keys have aliases on the same KMS key.",
    remedy: "List all its aliases under one managed key.",
  },
  STATE_BEHIND_KMS: {
    meaning: "KMS shows versions of this managed key that the table knows nothing of.",
    cause: "The table was restored from a backup or made anew, or somebody changed keyturn's tags.",
    remedy:
      "The table was restored or made anew. Ask to `reconcile`: keyturn shows what it would write, and writes it once you ask again with the number of what was shown.",
  },
  USED_WHILE_DISABLED: {
    meaning: "Somebody tried to use a version that is out of use; keyturn gives it back.",
    cause: "A caller keeps the key's id, or old ciphertext, that the drain did not see in use.",
    remedy:
      "Have the named caller stop using that version, or re-encrypt what it needs. Then `resume`: the version drains anew.",
  },
  DEPENDENT_NOT_READY: {
    meaning: "A dependent that must acknowledge the new version has not done so in time.",
    cause: "It did not hear of the new version, cannot use it, or nobody told it to acknowledge.",
    remedy: "Find out what holds it up, and have it acknowledge; or roll the new version back.",
  },
  ALIAS_ONLY_UNFIT: {
    meaning:
      "The policy wants `originate: alias-only` of a key that AWS services use: they call by ARN and would be denied.",
    cause: "A grant, a service principal or a kms:ViaService condition names an AWS service.",
    remedy: "Give this managed key a policy with `originate: observe`.",
  },
  NOT_CONFIGURED: {
    meaning: "The configuration no longer names this managed key.",
    cause: "It was taken out of the configuration, or its policy was, without being un-enrolled.",
    remedy:
      "Put it back under managedKeys in the configuration and deploy, or un-enrol it. Until then its keys stay as they are.",
  },
  POLICY_NOT_CARRIED: {
    meaning: "The key policy names something that would be wrong on a new key.",
    cause:
      "It names the key's own id, a principal that was deleted, or a statement called as keyturn's own.",
    remedy: 'Write the policy so that it holds for any key: Resource "*", principals that exist.',
  },
  TOO_MANY_TAGS: {
    meaning: "The key's tags and keyturn's own do not fit into the 50 that KMS allows.",
    cause: "The key has more than 40-odd tags of its own.",
    remedy: "Remove some tags from the key.",
  },
  KEY_POLICY_REFUSED: {
    meaning: "KMS refused the key policy for the new version.",
    cause: "It names a principal that does not exist, or would lock its maker out.",
    remedy: "Mend the policy of the version that serves; the new one takes it over.",
  },
  ACCESS_DENIED: {
    meaning:
      "KMS does not let keyturn do what is next: its role, the key policy or an SCP forbids.",
    cause:
      "A policy was changed, does not delegate to IAM, or authorization lags longer than it should.",
    remedy:
      "Allow the named action to keyturn's role on that key. Where DisableKey is denied because the key is in use, and a person overrode the evidence, let a person with rights of their own disable it.",
  },
  KEY_QUOTA_REACHED: {
    meaning: "The account has reached a KMS resource quota.",
    cause: "The account has as many keys, or grants, or aliases on a key, as it may.",
    remedy: "Have the quota raised, or remove what is not needed.",
  },
  CALL_REFUSED: {
    meaning: "KMS refused a call for a reason that trying again will not change.",
    cause: "What KMS is asked for is not possible for this key, or KMS has changed.",
    remedy: "Read KMS's own words in what was seen.",
  },
  NEW_VERSION_NOT_ENABLED: {
    meaning: "The new version was disabled, or its deletion scheduled, before it could serve.",
    cause: "Somebody took the key without an alias for one that nobody needs.",
    remedy:
      "Run the printed command if that was not meant: it cancels a deletion and enables the key.",
  },
  VERSION_CHANGED: {
    meaning: "Somebody else changed the state of a version that keyturn is retiring.",
    cause: "A person or a script enabled, disabled, or scheduled or cancelled the deletion of it.",
    remedy:
      "Find out who needs what. The printed command puts back the state that keyturn expects, by the way KMS requires: a cancelled deletion leaves a key Disabled.",
  },
  VERSION_DELETED: {
    meaning: "A version that should still exist is not in KMS.",
    cause:
      "Its deletion, scheduled by somebody else, came to its end; or the account is another one.",
    remedy:
      "Look in CloudTrail for who deleted it (aws cloudtrail lookup-events, by the ARN of the key). What it alone could decrypt is lost. The printed command asks for a proposal; the next one it prints takes the version off the record, and rotations go on.",
  },
  KEY_IN_STACK: {
    meaning: "A key that is about to be disabled is a resource of a CloudFormation stack.",
    cause: "The first version was made by the stack, and keyturn is about to retire it.",
    remedy:
      "Nothing, where the stack retains the key and nothing in it names the key but the alias. Else pause, and take the key out of the stack first (DeletionPolicy: Retain).",
  },
  DRAIN_NOT_WATCHED: {
    meaning:
      "No event of KMS came through CloudTrail and EventBridge for a day: nobody would hear of an attempt to use a disabled key.",
    cause: "No trail logs KMS's read-only events, the rules are disabled, or CloudTrail is late.",
    remedy:
      "See that a trail of the Region logs management events, read-only ones too, without excluding AWS KMS, and that the rules of this deployment are enabled. Or deploy with watchDrain: false, and go without.",
  },
  APPROVAL_REQUIRED: {
    meaning: "The policy wants a person's approval before the old version is disabled or deleted.",
    cause: "The drain is proved, and nobody has approved of just this evidence.",
    remedy: "Read the evidence of drain, then `approve` with the version and the hash of it.",
  },
  ACKNOWLEDGEMENT_AWAITED: {
    meaning: "A new version is usable, and waits for its dependents to say that they are ready.",
    cause: "The configuration names dependents, and not all of them have answered.",
    remedy:
      "Each named dependent sends the request `acknowledge`, or an operator does so for it: `npx keyturn acknowledge`.",
  },
  USAGE_UNKNOWN: {
    meaning: "KMS cannot say when the old version was last used, and unknown is not quiet.",
    cause: "The key is older than KMS's tracking of last use, or GetKeyLastUsage gave no answer.",
    remedy: "Wait until KMS has tracked it, or set the policy's drain.evidence to advisory.",
  },
  ORIGINATED_AFTER_ACTIVATION: {
    meaning: "The old version was used to encrypt, sign or MAC after the alias had moved.",
    cause:
      "A caller uses the key's id or ARN, or an AWS service that took the ARN at its configuration.",
    remedy:
      "Find the caller that names the key by id, and have it use the alias. KMS tells of the last use only: one that decrypts or verifies, later on, shows that originating has ended. Or `approve` this evidence.",
  },
  GUARDRAIL: {
    meaning: "A key policy forbids disabling or deleting a key this soon after its last use.",
    cause:
      "The condition kms:TrailingDaysWithoutKeyUsage stands in the key's policy, and it was used lately.",
    remedy: "Nothing: keyturn waits until the earliest date that it allows.",
  },
  DRAIN_PROLONGED: {
    meaning: "The old version is still in use, long after its minimum time in drain.",
    cause: "Data that the old version protects is read on and on, and was not re-encrypted.",
    remedy: "Find who uses it and re-encrypt what it protects, or let the policy retain it.",
  },
  PAUSED: {
    meaning: "A person paused this managed key: nothing moves but a key that must be given back.",
    cause: "The request `pause`.",
    remedy: "Ask to `resume` when the reason is gone.",
  },
  HELD_AFTER_ROLLBACK: {
    meaning: "A version was rolled back: no new rotation opens until a person says so.",
    cause: "The request `rollback`.",
    remedy: "Mend what the rollback was for, then ask to `resume`.",
  },
  REQUEST_REJECTED: {
    meaning: "A request was malformed, or could not be done, and nothing was done of it.",
    cause: "A field of it was wrong, the record had moved on, or another state was meant.",
    remedy: "Read why, and send another one. This notice goes after a week.",
  },
  UNENROLLED: {
    meaning: "This managed key was un-enrolled, and the configuration still names it.",
    cause: "The request `un-enrol`, with the configuration left as it was.",
    remedy: "Take it out of the configuration; or ask to `resume`, and it is enrolled anew.",
  },
  NOT_ENROLLED_BY_TAG: {
    meaning: "A key carries the tag keyturn:policy, and cannot be enrolled by it.",
    cause:
      "No alias or several point at it, its alias matches no pattern, or there is no such policy.",
    remedy:
      "Mend what was seen, name the managed key in the configuration, let taggedAliases match its alias, or take the tag off.",
  },
  ALIAS_ONLY_NOT_ENFORCED: {
    meaning:
      "The policy wants `originate: alias-only`, and keyturn did not make this version: nothing keeps callers from originating with it by id.",
    cause: "The version was there before keyturn, or before the policy said so.",
    remedy: "Nothing: its successor will have the statement. Until then its use is observed.",
  },
  EVIDENCE_OVERRIDDEN: {
    meaning: "A person had a compromised version put out of use although it is, or may be, in use.",
    cause: "The request `approve` with `override`.",
    remedy:
      "Help whoever still needs it. It is not deleted, and a use attempt does not bring it back.",
  },
  OVERDUE: {
    meaning: "The version that serves is past its cryptoperiod.",
    cause: "Its rotation is held up, or was asked for too late; or no run has come.",
    remedy: "See the other findings of this managed key for what holds the rotation up.",
  },
  UNLISTED_ALIAS: {
    meaning: "The key has an alias that is not in the managed key's set; keyturn will not move it.",
    cause: "Somebody gave the key another alias, and nobody listed it.",
    remedy: "List it under `aliases`, or it will block the revoking of this version.",
  },
  USAGE_UNKNOWN_ACCEPTED: {
    meaning: "The last use of the old version is unknown; the policy lets the drain end anyway.",
    cause: "The policy has drain.evidence: advisory.",
    remedy: "Set drain.evidence to required where an old key still in use would matter.",
  },
  STUCK: {
    meaning: "The same managed key has failed many times in a row.",
    cause: "KMS or DynamoDB throttle or fail, or reads do not settle, turn after turn.",
    remedy: "Read the reason; if KMS or DynamoDB throttles, have less use the same quota.",
  },
  CLOCK_SKEW: {
    meaning: "A claim or mark ends further ahead than any run could last: a clock is wrong.",
    cause: "A run on a machine with a wrong clock, or a claim that was written by hand.",
    remedy: "Find what ran with a wrong clock. keyturn waits the time out.",
  },
  RECORD_LARGE: {
    meaning: "The item of this managed key is past 100 KB; DynamoDB's limit is 400 KB.",
    cause: "Many rotations are open at once, or events and journal cannot leave the record.",
    remedy: "Look for the rotations or versions that never come to an end.",
  },
  EXTRA_NOT_QUARANTINED: {
    meaning: "A key that a rotation made in excess has an alias, a grant or a use of its own.",
    cause: "Somebody took the key for one that serves, and put it to use.",
    remedy: "Find out who uses it. keyturn leaves it as it is.",
  },
  UNKNOWN_KEY: {
    meaning: "A key carries this deployment's owner tag, and no record knows it.",
    cause: "A lost answer, tags that somebody copied, or a table that was made anew.",
    remedy: "Find out who made and tagged it. keyturn does not touch it.",
  },
  SCHEMA_NEWER: {
    meaning: "The item of this managed key was written by a newer keyturn.",
    cause: "A deployment went back to an older version.",
    remedy: "Deploy that version of keyturn, or a newer one.",
  },
  CONFIGURATION_INVALID: {
    meaning: "The configuration is malformed; no key is touched.",
    cause: "It was edited where synth did not check it.",
    remedy: "Mend what the message names, and deploy again.",
  },
};
