/** An operator who approves of each deletion that a finding asks for, once, with what it names. */
import type { Finding } from "../lambda/workflow/model/findings.ts";
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
    return findings.flatMap(({ code, subject, observed, sinceMs }) => {
      const version = versions.find(({ keyId }) => keyId === subject)?.number;
      const [, evidence] = /; evidence ([0-9a-f]{64})$/.exec(observed) ?? [];
      const asks = code === "APPROVAL_REQUIRED" && observed.startsWith("to delete ");
      if (!asks || version === undefined || evidence === undefined) return [];
      const name = `${subject} ${evidence} ${sinceMs}`;
      if (this.#given.has(name)) return [];
      this.#given.add(name);
      const accepts = observed.match(/\bgrant:[0-9a-zA-Z]+/g) ?? [];
      return [{ kind: "approve", version, of: "delete", evidence, accepts }];
    });
  }
}
