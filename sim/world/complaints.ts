/** What applications and resources report of KMS, passed on to the checkers and the trace. */
import type { Checker } from "../checkers/checker.ts";
import type { Complaints } from "./application.ts";
import type { Wants } from "./resources.ts";

type World = {
  nowMs: () => number;
  uses: Map<string, number[]>;
  checkers: () => Checker[];
  trace: (line: () => string) => void;
};

export function complaintsOf({ nowMs, uses, checkers, trace }: World): Complaints & Wants {
  const need = (resource: { keyId: string }, isMet: boolean): void => {
    if (!isMet) trace(() => `a resource needs ${resource.keyId}, and KMS refuses`);
    for (const checker of checkers()) checker.onNeed?.(resource, isMet);
  };
  return {
    outage: (alias, error) => {
      trace(() => `${alias}: cannot encrypt: ${error.message}`);
      for (const checker of checkers()) checker.onOutage?.(alias, error);
    },
    unreadable: (alias, { keyId }, error) => {
      trace(() => `${alias}: cannot decrypt under ${keyId}: ${error.message}`);
      for (const checker of checkers()) checker.onUnreadable?.(alias, keyId);
    },
    used: (keyId) => {
      const known = uses.get(keyId);
      if (known === undefined) uses.set(keyId, [nowMs()]);
      else known.push(nowMs());
      for (const checker of checkers()) checker.onUse?.(keyId);
    },
    failed: (resource) => need(resource, false),
    worked: (resource) => need(resource, true),
  };
}
