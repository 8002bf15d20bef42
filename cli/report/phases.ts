/** The phases of a version, in the terms of keyturn and of NIST SP 800-57 Part 1. */

export type PhaseKind = keyof typeof phaseTexts;

export type PhaseText = {
  /** The text in a bar; `short` for a narrow one. */
  label: string;
  short: string;
  nist: string;
  meaning: string;
};

export const phaseTexts = {
  "pre-active": {
    label: "pre-active",
    short: "pre",
    nist: "pre-activation",
    meaning: "the key exists; no alias points at it",
  },
  active: {
    label: "active",
    short: "act",
    nist: "active",
    meaning:
      "the alias points at it: it originates (encrypts, signs, generates MACs) and processes",
  },
  draining: {
    label: "draining",
    short: "dr",
    nist: "deactivated (processing only)",
    meaning: "no alias points at it: it only decrypts and verifies, until it is proved unused",
  },
  retained: {
    label: "retained",
    short: "ret",
    nist: "deactivated (processing only)",
    meaning:
      "like draining, but without an end: the policy retains old versions, or the version is needed",
  },
  disabled: {
    label: "disabled",
    short: "dis",
    nist: "suspended (disabled in KMS)",
    meaning: "KMS refuses every use; it can be enabled again",
  },
  "pending-deletion": {
    label: "deletion scheduled",
    short: "del",
    nist: "destruction scheduled",
    meaning:
      "KMS refuses every use, and deletes the key on its deletion date; until then the deletion can be cancelled",
  },
  destroyed: {
    label: "destroyed",
    short: "×",
    nist: "destroyed",
    meaning: "KMS no longer has the key",
  },
  reactivating: {
    label: "reactivating",
    short: "back",
    nist: "deactivated, being reactivated",
    meaning: "a rollback enables it and moves the aliases back to it",
  },
  released: {
    label: "not managed",
    short: "–",
    nist: "not known",
    meaning: "un-enrolled: keyturn does not know its later states",
  },
  unknown: {
    label: "not known",
    short: "?",
    nist: "not known",
    meaning:
      "the table was restored, and keyturn rebuilt the record from KMS: the states in between are lost",
  },
} as const satisfies Record<string, PhaseText>;

export type Phase = {
  kind: PhaseKind;
  /** Undefined: not known. */
  fromMs: number | undefined;
  /** Undefined: the present phase. */
  toMs: number | undefined;
  /** A note about its start. */
  note?: string;
};

/** The key can neither originate nor process. */
export const outOfUse: readonly PhaseKind[] = ["disabled", "pending-deletion", "destroyed"];
