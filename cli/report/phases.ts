/** The phases of a version's life, in keyturn's words and in those of NIST SP 800-57 Part 1. */

export type PhaseKind = keyof typeof phaseTexts;

export type PhaseText = {
  /** Inside a bar; `short` where there is little room. */
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
    meaning: "the key is made; nobody is pointed at it",
  },
  active: {
    label: "active",
    short: "act",
    nist: "active",
    meaning: "the alias points at it: it encrypts, signs, makes MACs, and processes",
  },
  draining: {
    label: "draining",
    short: "dr",
    nist: "deactivated (processing only)",
    meaning:
      "the alias left it: it decrypts and verifies what is there, and has to be proved quiet",
  },
  retained: {
    label: "retained",
    short: "ret",
    nist: "deactivated (processing only)",
    meaning: "as draining, and kept so: the policy retains old versions, or somebody needs it",
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
    meaning: "KMS refuses every use, and deletes it on the date; until then that can be cancelled",
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
    meaning: "a rollback: it is enabled, and the aliases move back to it",
  },
  released: {
    label: "not managed",
    short: "–",
    nist: "not known",
    meaning: "un-enrolled: what became of it since, keyturn does not know",
  },
  unknown: {
    label: "not known",
    short: "?",
    nist: "not known",
    meaning: "the table does not say: it was restored, and the record rebuilt from KMS",
  },
} as const satisfies Record<string, PhaseText>;

export type Phase = {
  kind: PhaseKind;
  /** Undefined: not known. */
  fromMs: number | undefined;
  /** Undefined: it lasts. */
  toMs: number | undefined;
  /** What is to be known of its beginning. */
  note?: string;
};

/** Out of service: it can neither originate nor process. */
export const outOfUse: readonly PhaseKind[] = ["disabled", "pending-deletion", "destroyed"];
