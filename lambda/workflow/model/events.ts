/** The events of a managed key: they name its journal lines and its EventBridge events. */

export type EventName = keyof typeof eventCatalogue;

export const eventCatalogue = {
  found:
    "The alias points at a key, which becomes version 1. The line has the other accounts that may use the key, the number of its grants, and the AWS services that hold grants.",
  tagged: "KMS accepted keyturn's tags on version 1.",
  enrolled: "keyturn observed its tags on version 1, and manages the key from now on.",
  "public-key-archived": "The public key of an Enabled version is on record.",
  configured: "The configuration of the managed key changed.",
  opened: "A rotation begins; the record describes the key that keyturn will create.",
  abandoned: "The key policy changed before CreateKey: the rotation begins again.",
  generated: "KMS created the key of the new version.",
  adopted:
    "keyturn found the key of a CreateKey without an answer: this key becomes the new version.",
  "not-found": "A CreateKey without an answer created no key that keyturn can find.",
  granted: "KMS accepted CreateGrant for a copy of a grant of the old version.",
  propagating: "The new version is Enabled and has the grants; the propagation wait begins.",
  distributed: "The new version is usable for all callers.",
  moved: "KMS accepted the move of one alias.",
  activated:
    "keyturn observed every alias on the new version, which is now active; the old one drains.",
  labelled: "The old version, or an excess key, has the label keyturn:retired.",
  drained: "The old version is proved unused.",
  "evidence-read": "The last use of the old version changed since the last read.",
  "not-revoked": "The policy now retains old versions: keyturn does not revoke this one.",
  "stack-reported":
    "The old version, which is about to be disabled or deleted, is a resource of a CloudFormation stack: a finding reports that for a day.",
  "watch-tested":
    "keyturn made the canary call. The arrival of its event proves that use attempts reach the function.",
  disabled: "The old version is disabled.",
  soaking:
    "A second read, five minutes after DisableKey, shows no alias on the version: the soak begins.",
  unused: "The disabled version was not used in the hour before it was disabled.",
  "restore-started": "Something needs a disabled version: keyturn restores it.",
  "re-enabled": "KMS accepted EnableKey for a disabled version.",
  "drain-restarted": "A restored version drains again.",
  lapsed: "A call without an answer had no effect.",
  "deletion-scheduled": "KMS has a date for the deletion of the old version.",
  completed: "The rotation is complete: the old version is retained, disabled or deleted.",
  cleared:
    "Only earlier versions of keyturn wrote this event: the audit had suspected a moved alias, and keyturn observed that every alias points where the record says.",
  "extra-found": "The audit found an excess key of a rotation.",
  quarantined: "keyturn disabled an excess key.",
  "rotation-requested": "An operator requested a rotation: it opens as soon as possible.",
  expedited:
    "An operator declared a version compromised: keyturn shortens the waits of its rotation.",
  "rolled-back": "An operator requested a rollback: the previous version becomes active again.",
  cancelled: "keyturn cancelled a rotation before any alias had moved.",
  "deletion-cancelled": "KMS accepted CancelKeyDeletion for a version.",
  unlabelled: "KMS removed the label keyturn:retired from a version that becomes active again.",
  reactivated: "keyturn observed every alias on the previous version, which is active again.",
  paused: "An operator paused the managed key.",
  resumed: "An operator resumed the managed key.",
  approved:
    "An operator approved one call on the evidence of a version (DisableKey or the deletion), or overrode the evidence.",
  acknowledged: "A dependent acknowledged the new version.",
  "policy-accepted": "An operator accepted the key policy that an external actor put on a version.",
  "request-rejected": "keyturn rejected a malformed or impossible request.",
  "reconcile-proposed":
    "The record has a proposal for the reconciliation; keyturn has not applied it.",
  reconciled: "keyturn rebuilt the record from the observed state of KMS.",
  "enrol-requested": "An operator requested enrolment of the key behind the alias.",
  "un-enrol-requested": "An operator requested un-enrolment of the managed key.",
  untagged: "KMS accepted UntagResource for keyturn's tags on a key.",
  "un-enrolled":
    "KMS removed keyturn's tags from every key that is not pending deletion. The tag keyturn:alias remains, and every key and alias stays as it is.",
  "re-enrolled": "An operator requested enrolment of an un-enrolled managed key.",
  "call-planned": "Mode plan: keyturn reports the call that it would make in mode act.",
  "findings-opened": "Findings opened, and others may have closed.",
  "findings-closed": "Findings closed.",
} as const;
