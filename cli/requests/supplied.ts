/** What a request leaves out, out of the record that the operator sees; pure. */
import { exitCodes, Failure } from "../terminal/failure.ts";
import { rotationBeforeActivation, activeVersion } from "../../lambda/workflow/model/record.ts";
import type { Finding } from "../../lambda/workflow/model/findings.ts";
import type { ManagedKey } from "../../lambda/workflow/model/types.ts";

export type Fields = Record<string, string | number | boolean | undefined>;

/** `shown`: what the operator binds themselves to without having typed it, and has to be shown. */
export type Supplied = { fields: Fields; shown?: string };

/** Throws a Failure where there is nothing in the record that could be meant. */
export function supplied(record: ManagedKey, kind: string, fields: Fields): Supplied {
  switch (kind) {
    case "rollback": {
      const newest = rotationBeforeActivation(record)?.to ?? activeVersion(record)?.number;
      return { fields: { ...fields, version: fields["version"] ?? newest } };
    }
    case "acknowledge": {
      const coming = rotationBeforeActivation(record)?.to;
      return { fields: { ...fields, version: fields["version"] ?? coming } };
    }
    case "compromised": {
      const active = activeVersion(record)?.number;
      return { fields: { ...fields, version: fields["version"] ?? active } };
    }
    case "approve":
      return isWhole(fields) ? { fields } : evidenceOnRecord(record, fields);
    default:
      return { fields };
  }
}

function isWhole({ override, evidence, version }: Fields): boolean {
  return override === true || (evidence !== undefined && version !== undefined);
}

const wantApproval: Finding["code"][] = ["APPROVAL_REQUIRED", "ORIGINATED_AFTER_ACTIVATION"];

/** The hash is in the words of the finding, as the person sees them. */
const hashPattern = /evidence ([0-9a-f]{64})$/;

function evidenceOnRecord(record: ManagedKey, fields: Fields): Supplied {
  const { alias } = record;
  const waiting = record.findings.flatMap(({ code, subject, observed }) => {
    const version = record.versions.find(({ keyId }) => keyId === subject)?.number;
    const [, evidence] = hashPattern.exec(observed) ?? [];
    const fits = fields["version"] === undefined || fields["version"] === version;
    return wantApproval.includes(code) && fits ? [{ version, evidence, observed }] : [];
  });
  const [only, ...others] = waiting;
  if (only === undefined) {
    const message = `nothing of ${alias} waits for an approval`;
    throw new Failure(exitCodes.attention, message, `keyturn status ${alias}`);
  }
  if (others.length > 0) {
    const numbers = waiting.map(({ version }) => version).join(" and ");
    const message = `versions ${numbers} of ${alias} wait for an approval: which is meant?`;
    throw new Failure(
      exitCodes.usage,
      message,
      `keyturn approve ${alias} --version ${only.version}`,
    );
  }
  const { version, evidence, observed } = only;
  return { fields: { ...fields, version, evidence }, shown: observed };
}
