/** Supplies the omitted fields of a request from the record that the operator reads; pure. */
import { exitCodes, Failure } from "../terminal/failure.ts";
import { rotationBeforeActivation, activeVersion } from "../../lambda/workflow/model/record.ts";
import { requiredApproval } from "../../lambda/workflow/requests/required-approval.ts";
import type { ManagedKey } from "../../lambda/workflow/model/types.ts";

export type Fields = Record<string, string | number | boolean | string[] | undefined>;

/** `shown`: a commitment that the operator did not type. The command prints it first. */
export type Supplied = { fields: Fields; shown?: string };

/** Throws a Failure if the record has no fitting value. */
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
    case "accept-policy": {
      const given = fields["version"];
      const changed = record.versions.find(
        ({ number, policyChangedTo }) =>
          policyChangedTo !== undefined && (given === undefined || number === given),
      );
      const policy = fields["policy"] ?? changed?.policyChangedTo;
      return { fields: { version: given ?? changed?.number, policy } };
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

function evidenceOnRecord(record: ManagedKey, fields: Fields): Supplied {
  const { alias } = record;
  const waiting = record.findings.flatMap((finding) => {
    const version = record.versions.find(({ keyId }) => keyId === finding.subject)?.number;
    const required = requiredApproval(finding);
    const fits = fields["version"] === undefined || fields["version"] === version;
    return required !== undefined && fits
      ? [{ ...required, version, observed: finding.observed }]
      : [];
  });
  const [only, ...others] = waiting;
  if (only === undefined) {
    const message = `no version of ${alias} waits for approval`;
    throw new Failure(exitCodes.attention, message, `npx keyturn status ${alias}`);
  }
  if (others.length > 0) {
    const numbers = waiting.map(({ version }) => version).join(" and ");
    const message = `versions ${numbers} of ${alias} wait for approval: name one with --version`;
    throw new Failure(
      exitCodes.usage,
      message,
      `npx keyturn approve ${alias} --version ${only.version}`,
    );
  }
  const { version, evidence, observed, of } = only;
  const needs = only.accepts.length === 0 ? undefined : only.accepts;
  const accepts = fields["accepts"] ?? needs;
  const all = {
    ...(of === "delete" ? { of } : {}),
    ...fields,
    version,
    evidence,
    ...(accepts === undefined ? {} : { accepts }),
  };
  return { fields: all, shown: observed };
}
