/** Callers that KMS refuses since a move, or that name the alias for data of another version. */
import type { FindingCode } from "../../lambda/workflow/model/findings.ts";
import type { Account } from "../infra/account.ts";
import { refused } from "./trail.ts";
import { encrypt, orders, type Situation } from "./situation.ts";

const reader = "arn:aws:iam::000000000000:role/the reader";
/** A principal with each character that a shell or a list could misread. */
const odd = "arn:aws:iam::000000000000:role/it's | 100%; a,b";
const onlyByAlias = {
  Condition: { "ForAnyValue:StringEquals": { "kms:ResourceAliases": orders } },
};

function watched(named: string, more: Pick<Situation, "happens"> & Partial<Situation>): Situation {
  return { is: named, watchRefusals: true, command: "shows", ...more };
}

/** From day 8 on, version 2 is active, and KMS refuses the caller. */
function refusedOnOld(operation: string, callers = [reader]): Situation["happens"] {
  return async (account, first) => {
    const CiphertextBlob = encrypt(account, first);
    await account.passDays(9);
    const Plaintext = Buffer.from("a");
    const input = operation === "Decrypt" ? { CiphertextBlob } : { KeyId: first, Plaintext };
    for (const caller of callers) refused(account, caller, onlyByAlias, operation, input);
    await account.passDays(1);
  };
}

/** Version 2 is active by then. */
async function lockedOut(account: Account, first: string, days = 9): Promise<void> {
  await account.passDays(days);
  const Resource = `arn:aws:kms:us-east-1:000000000000:key/${first}`;
  const Plaintext = Buffer.from("a");
  refused(account, reader, { Resource }, "Encrypt", { KeyId: orders, Plaintext });
  await account.passDays(0.1);
}

export const refusedSituations = {
  REFUSED_USE: [
    watched("a reader that is allowed by the alias", { happens: refusedOnOld("Decrypt") }),
    watched("more readers than keep an id", {
      happens: refusedOnOld(
        "Decrypt",
        Array.from({ length: 25 }, (_, at) => `arn:aws:iam::000000000000:role/reader-${at}`),
      ),
    }),
  ],
  ORIGINATION_REFUSED: [
    watched("a writer that names the old key", { happens: refusedOnOld("Encrypt") }),
  ],
  REFUSED_SINCE_ACTIVATION: [
    watched("a writer that is allowed by the key ARN of version 1", {
      happens: (account, first) => lockedOut(account, first),
      command: "changes",
    }),
    watched("such a writer, where version 1 is compromised", {
      happens: async (account, first) => {
        await account.passDays(1);
        await account.request(orders, { kind: "compromised", version: 1 });
        await lockedOut(account, first, 0.5);
      },
    }),
  ],
  READ_BY_ALIAS: [
    watched("a reader that names the alias for old data", {
      happens: async (account, first) => {
        const CiphertextBlob = encrypt(account, first);
        await account.passDays(9);
        refused(account, reader, {}, "Decrypt", { CiphertextBlob, KeyId: orders });
        await account.passDays(1);
      },
    }),
  ],
  REFUSALS_NOT_WATCHED: [
    watched("a trail that is off before a deletion", {
      happens: async (account) => {
        await account.passDays(9);
        if (account.trail !== undefined) account.trail.isOn = false;
        await account.passDays(5);
      },
    }),
    watched("a trail that is off while a deletion is scheduled", {
      happens: async (account) => {
        await account.passDays(13);
        if (account.trail !== undefined) account.trail.isOn = false;
        await account.passDays(4);
      },
    }),
    watched("a trail that is on again for an hour", {
      happens: async (account) => {
        await account.passDays(9);
        if (account.trail !== undefined) account.trail.isOn = false;
        await account.passDays(5);
        if (account.trail !== undefined) account.trail.isOn = true;
        await account.passDays(0.2);
      },
    }),
  ],
  /** The command accepts each of them by its id. */
  APPROVAL_REQUIRED: [
    watched("a deletion that would lose data of refused readers", {
      happens: async (account, first) => {
        account.approves = false;
        await refusedOnOld("Decrypt", [reader, odd])(account, first);
        await account.passDays(4);
      },
      command: "changes",
    }),
  ],
} satisfies Partial<Record<FindingCode, Situation[]>>;
