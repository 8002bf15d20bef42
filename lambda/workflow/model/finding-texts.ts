/** The meaning, usual cause and remedy of each finding, for operators; not in the function's package. */
import type { Explained, FindingCode } from "./findings.ts";
import { changeTexts } from "./change-texts.ts";
import { noticeTexts } from "./notice-texts.ts";
import { refusalTexts } from "./refusal-texts.ts";

export const findingTexts: Record<FindingCode, Explained> = {
  ALIAS_NOT_FOUND: {
    meaning: "The configuration names an alias that does not exist.",
    cause: "The alias is misspelt, was deleted, or is not created yet.",
    remedy:
      "Create the alias on the key that it should point at, or remove it from the configuration. If the alias of an already managed key was deleted, create it again on the active version.",
  },
  ALIAS_SET_SPLIT: {
    meaning: "The aliases of one managed key point at different KMS keys.",
    cause: "An operator or infrastructure code moved one of them, or they never belonged together.",
    remedy: "Point all of them at one key, or configure them as separate managed keys.",
  },
  ALIAS_MOVED: {
    meaning:
      "An external actor moved an alias: it points at a key that the record does not expect.",
    cause: "An operator, a script, or an apply of infrastructure code that names the key.",
    remedy:
      "Find out who moved the alias, and why. Move it back, or un-enrol the managed key. If it points at a version that keyturn has not activated yet, move it back too: only keyturn knows when the dependents can use that version. Infrastructure code that names the key resets the alias at each apply: configure the code to ignore the target (Terraform: ignore_changes = [target_key_id]).",
  },
  ALIAS_ON_OLD_VERSION: {
    meaning: "An alias points at a version that drains, or that keyturn is about to revoke.",
    cause:
      "An external actor pointed it at this version after the rotation, or it is an unlisted alias that keyturn does not move.",
    remedy:
      "Run the printed command, which moves each alias to the active version; or delete the aliases.",
  },
  KEY_NOT_ENABLED: {
    meaning: "The key to enrol is not Enabled, or the active one cannot be used.",
    cause:
      "An external actor disabled the key to enrol, or scheduled its deletion. Or the key store of the active key is not connected.",
    remedy:
      "Enable it, or cancel its deletion and enable it, or connect its key store. keyturn never does this by itself.",
  },
  KEY_KIND_UNSUPPORTED: {
    meaning: "keyturn cannot rotate a key of this kind by creating a new key and moving the alias.",
    cause:
      "It is a multi-Region or AWS managed key, or has imported material, an external key store, or an unsupported usage.",
    remedy: "Remove it from the configuration; rotate it as KMS documents for its kind.",
  },
  OTHER_OWNER: {
    meaning: "The key does not carry this deployment's owner tag: it carries another one, or none.",
    cause: "Two deployments name the same key, or an external actor changed or removed its tag.",
    remedy:
      "Manage it in the other deployment, or un-enrol it there first. If the tag was removed, run the printed command, which sets keyturn's tags again. Terraform removes tags that it does not know: set ignore_changes = [tags, tags_all] on the key.",
  },
  KEY_ALREADY_MANAGED: {
    meaning:
      "The KMS key is already a version of another managed key, or was one: its tag keyturn:alias names another alias.",
    cause:
      "Two managed keys have aliases on the same KMS key. Or the key was un-enrolled under another alias: un-enrolment leaves the tag keyturn:alias on the key.",
    remedy:
      "List all aliases of the key under one managed key. If the other managed key was un-enrolled, remove the tag from the key, once no policy allows callers by it.",
  },
  STATE_BEHIND_KMS: {
    meaning: "KMS shows changes to this managed key that the table does not have.",
    cause:
      "The table was restored from a backup or is new, or an external actor changed keyturn's tags.",
    remedy:
      "Send the request `reconcile`: keyturn shows a proposal with a number, which lists its changes to the record. Send the request again with that number. keyturn then writes these changes.",
  },
  USED_WHILE_DISABLED: {
    meaning:
      "A principal tried to use a version that is disabled or pending deletion; keyturn restores it.",
    cause:
      "A caller has the key's id, or old ciphertext, and did not use the version during the drain.",
    remedy:
      "Have the named caller stop using that version, or re-encrypt what it needs. Then `resume`: the version drains again.",
  },
  DEPENDENT_NOT_READY: {
    meaning: "A dependent did not acknowledge the new version in time.",
    cause:
      "It received no notice of the new version, cannot use it, or does not know that it must acknowledge.",
    remedy: "Find the obstacle, and have the dependent acknowledge; or roll the new version back.",
  },
  ALIAS_ONLY_UNFIT: {
    meaning:
      "The policy sets `originate: alias-only` for a key that AWS services use: they name it by its ARN, and KMS would deny their calls.",
    cause:
      "A grant or a key policy statement names an AWS service, or a statement has a condition on calls of services. Or keyturn's statement would make the key policy longer than 32,768 bytes.",
    remedy: "Give this managed key a policy with `originate: observe`.",
  },
  NOT_CONFIGURED: {
    meaning: "The configuration no longer names this managed key.",
    cause: "The managed key, or its policy, was removed from the configuration without `un-enrol`.",
    remedy:
      "Add it to managedKeys in the configuration again and deploy, or un-enrol it. Until then keyturn makes only two kinds of changes. It restores a version that is needed. It cancels a scheduled deletion if keyturn 0.1.0 scheduled it without an approval, or if KMS refused a caller that may need the version and no operator accepted the refusal.",
  },
  POLICY_NOT_CARRIED: {
    meaning:
      "keyturn creates no new version: the key policy would not be valid on a new key, or would lock keyturn out of it.",
    cause:
      "It names the key's own id or a deleted principal, or has a statement with keyturn's Sid that keyturn did not write. Or it leaves a call that keyturn needs to no role of the account. Or it has two members of one name, or a number that JavaScript rounds.",
    remedy:
      'Write a policy that is valid for any key: Resource "*", principals that exist. Allow the account (arn:aws:iam::111122223333:root), or keyturn\'s role, all that the role needs; above all kms:PutKeyPolicy, which keyturn never calls: KMS requires it of the creator of a key.',
  },
  TOO_MANY_TAGS: {
    meaning: "The key's tags and keyturn's own exceed the 50 that KMS allows.",
    cause: "The key has more than 43 tags of its own.",
    remedy: "Remove some tags from the key.",
  },
  GRANT_NOT_UNDERSTOOD: {
    meaning: "keyturn copies no grant to the next version, because it does not know a part of one.",
    cause: "KMS returned a member or a constraint that is newer than this release of keyturn.",
    remedy:
      "Deploy a release of keyturn that knows it. Or replace the grant by one without this member. If the new version exists already, you can also create the grant on it: keyturn then continues.",
  },
  KEY_POLICY_REFUSED: {
    meaning: "KMS refused the key policy for the new version.",
    cause:
      "It names a principal that does not exist, or would lock out the role that creates the key. keyturn reports a policy that certainly locks it out before it creates a key (POLICY_NOT_CARRIED).",
    remedy: "Correct the key policy of the active version: keyturn copies it to the new version.",
  },
  ACCESS_DENIED: {
    meaning: "KMS denies keyturn's next call: its role, the key policy or an SCP forbids it.",
    cause:
      "A policy was changed or does not delegate to IAM, or authorization lags longer than documented.",
    remedy:
      "Allow keyturn's role the named action on that key. IAM denies the role DisableKey on a recently used key, even if an operator overrode the evidence: another principal must then disable it.",
  },
  KEY_QUOTA_REACHED: {
    meaning: "The account has reached a KMS resource quota.",
    cause: "The account has the maximum number of keys, or of grants or aliases on a key.",
    remedy: "Request a higher quota, or remove unneeded resources.",
  },
  CALL_REFUSED: {
    meaning: "KMS refused a call for a reason that a retry will not change.",
    cause: "The call is not possible for this key, or KMS has changed.",
    remedy: "Read the message of KMS in the finding.",
  },
  NEW_VERSION_NOT_ENABLED: {
    meaning: "The new version was disabled, or its deletion scheduled, before it became active.",
    cause: "An external actor assumed that the key is unused, because it has no alias.",
    remedy:
      "If that was a mistake, run the printed command: it cancels a deletion and enables the key.",
  },
  VERSION_CHANGED: {
    meaning:
      "An external actor enabled a retired version that keyturn had disabled, or cancelled its deletion.",
    cause:
      "An operator or a script; or infrastructure code that enables the key at each apply (in Terraform, is_enabled is true by default).",
    remedy:
      "Find out who changed it, and why. The printed command returns the key to the state that keyturn expects. In Terraform, set ignore_changes = [is_enabled] on the key.",
  },
  VERSION_DELETED: {
    meaning: "A version that should still exist is not in KMS.",
    cause:
      "KMS completed a deletion that an external actor had scheduled; or keyturn now runs in another account.",
    remedy:
      "Search CloudTrail for the principal that deleted it (aws cloudtrail lookup-events, by the key's ARN). Data that only this key could decrypt is lost. The printed command makes keyturn propose a record without this version. The finding then prints the command that applies the proposal. When KMS deletes a key, it also deletes its aliases: for the active version, the printed command first creates these aliases on the newest remaining version. If no version remains, create a key with the tags keyturn:owner, keyturn:alias and keyturn:version (the next number), create the aliases on it, and run `npx keyturn reconcile` with the alias of the managed key.",
  },
  KEY_IN_STACK: {
    meaning:
      "A key that is about to be disabled or deleted is a resource of a CloudFormation stack.",
    cause:
      "The stack created the first version. While a deletion of the key is pending, each update of the stack fails.",
    remedy:
      "Before DisableKey: nothing, if the stack retains the key (DeletionPolicy: Retain) and no resource of the stack except the alias refers to the key. Before the deletion, and otherwise: pause the managed key, set DeletionPolicy: Retain, remove the key from the stack, and resume. CloudFormation may leave its tags on the key: keyturn then reports the stack once more before the next call.",
  },
  DEPENDENT_REQUIRED: {
    meaning:
      "No rotation opens: a key for key agreement or encapsulation needs configured dependents.",
    cause:
      "After a rotation, callers that keep the old public key derive another shared secret, without an error.",
    remedy: "Name the callers as `dependents` of the managed key; each acknowledges a new version.",
  },
  GRANT_HOLDS_OLD_VERSION: {
    meaning:
      "An AWS service holds a grant on the old version for one of its resources, and may need it.",
    cause:
      "An EBS volume, an RDS instance or a similar resource is encrypted under the old version.",
    remedy:
      "Re-encrypt or delete the resource; its service then retires the grant. Where nothing needs the grant, `approve` the evidence and accept the grant's id.",
  },
  DRAIN_NOT_WATCHED: {
    meaning:
      "No canary event arrived through CloudTrail and EventBridge for a day: keyturn would miss an attempt to use a disabled key.",
    cause:
      "No trail logs KMS's read-only events, the rules are disabled, or CloudTrail delivers its events with a delay.",
    remedy:
      "Verify that a trail of the Region logs management events, including read-only ones, and does not exclude AWS KMS. Verify that the rules of this deployment are enabled. Or deploy without monitoring: watchDrain: false.",
  },
  APPROVAL_REQUIRED: {
    meaning:
      "keyturn needs an approval before its next call. Every deletion needs one; DisableKey needs one if the policy says so.",
    cause: "The evidence is complete, and no operator has approved this call on this evidence.",
    remedy:
      "Read the evidence (`npx keyturn status <alias>`). Before a deletion, ask the owners of the data. Then run the printed command.",
  },
  ACKNOWLEDGEMENT_AWAITED: {
    meaning: "A new version is usable, and waits for its dependents to acknowledge it.",
    cause: "The configuration names dependents, and not all of them have acknowledged.",
    remedy:
      "Each named dependent sends the request `acknowledge`, or an operator sends it for them: `npx keyturn acknowledge`.",
  },
  USAGE_UNKNOWN: {
    meaning:
      "KMS does not know when the old version was last used; keyturn does not treat this as unused.",
    cause: "GetKeyLastUsage did not answer, or did not state since when KMS tracks the key.",
    remedy: "Wait until KMS returns an answer, or set the policy's drain.evidence to advisory.",
  },
  ORIGINATED_AFTER_ACTIVATION: {
    meaning:
      "The old version was used to encrypt, encapsulate, sign or MAC after the alias had moved.",
    cause:
      "A caller uses the key's id or ARN, or an AWS service resolved the alias to the key when a resource was configured.",
    remedy:
      "Find the caller that names the key by id, and have it use the alias; or `approve` this evidence. KMS reports only the last use: after a later Decrypt or Verify this finding closes, although the caller may still encrypt or sign.",
  },
  GUARDRAIL: {
    meaning: "A key policy forbids disabling or deleting a key this soon after its last use.",
    cause:
      "The key policy has the condition kms:TrailingDaysWithoutKeyUsage, and the key was used recently.",
    remedy: "Nothing: keyturn waits until the earliest date that the condition allows.",
  },
  DRAIN_PROLONGED: {
    meaning: "The old version is still in use, long after its minimum time in drain.",
    cause: "Callers still read data that the old version protects and that was not re-encrypted.",
    remedy:
      "Find the callers and re-encrypt the data that the version protects, or set the policy to retain old versions.",
  },
  PAUSED: {
    meaning:
      "An operator paused this managed key. keyturn makes only two kinds of changes. It restores a version that is needed. It cancels a scheduled deletion if keyturn 0.1.0 scheduled it without an approval, or if KMS refused a caller that may need the version and no operator accepted the refusal.",
    cause: "The request `pause`.",
    remedy: "Send the request `resume` when the reason no longer applies.",
  },
  HELD_AFTER_ROLLBACK: {
    meaning: "A version was rolled back: no new rotation opens until an operator resumes.",
    cause: "The request `rollback`.",
    remedy: "Correct the cause of the rollback, then send the request `resume`.",
  },
  REQUEST_REJECTED: {
    meaning: "A request was malformed or not possible; keyturn rejected it without any effect.",
    cause: "A field was wrong, or the record was no longer in the state that the request assumed.",
    remedy: "Read the reason, and send another request. This notice ends after a week.",
  },
  UNENROLLED: {
    meaning: "This managed key was un-enrolled, and the configuration still names it.",
    cause: "The request `un-enrol`, with the configuration left as it was.",
    remedy: "Remove it from the configuration; or send the request `resume` to enrol it again.",
  },
  NOT_ENROLLED_BY_TAG: {
    meaning: "A key has the tag keyturn:policy, and keyturn cannot enrol it by this tag.",
    cause:
      "No alias points at it, or several do, its alias matches no pattern, or there is no such policy.",
    remedy:
      "Correct the reported cause, name the managed key in the configuration, let taggedAliases match its alias, or remove the tag.",
  },
  ALIAS_ONLY_NOT_ENFORCED: {
    meaning:
      "The policy sets `originate: alias-only`, and the key policy of this version lacks the statement `KeyturnAliasOnly`: callers can still originate with it by id.",
    cause:
      "The version was created before keyturn managed the key, or before the policy set `alias-only`.",
    remedy:
      "Nothing: the next version gets this statement. Until then, `originate: observe` applies to this version (docs/policies.md).",
  },
  EVIDENCE_OVERRIDDEN: {
    meaning:
      "An operator approved revoking a compromised version although it is, or may be, in use.",
    cause: "The request `approve` with `override`.",
    remedy:
      "Help the callers that still need it. keyturn does not delete it, and a use attempt does not restore it.",
  },
  ...changeTexts,
  ...noticeTexts,
  ...refusalTexts,
};

/** These report a hold, which has the effect; the finding has none. */
export const holdFindings: FindingCode[] = ["PAUSED", "HELD_AFTER_ROLLBACK"];
