/** An operator who approves of each deletion that a finding asks for, once, with what it names. */
import type { Finding } from "../lambda/workflow/model/findings.ts";
import { requiredApproval } from "../lambda/workflow/requests/required-approval.ts";
import type { Version } from "../lambda/workflow/model/types.ts";

type Approval = {
  kind: "approve";
  version: number;
  of: "delete";
  evidence: string;
  accepts: string[];
};

export class Approver {
  readonly #given = new Set<string>();

  /** The requests for what is new among these findings. */
  requests(versions: Pick<Version, "number" | "keyId">[], findings: Finding[]): Approval[] {
    return findings.flatMap((finding) => {
      const { subject, sinceMs } = finding;
      const version = versions.find(({ keyId }) => keyId === subject)?.number;
      const required = requiredApproval(finding);
      if (required?.of !== "delete" || version === undefined) return [];
      const { of, evidence, accepts } = required;
      const name = `${subject} ${evidence} ${sinceMs}`;
      if (this.#given.has(name)) return [];
      this.#given.add(name);
      return [{ kind: "approve", version, of, evidence, accepts }];
    });
  }
}
