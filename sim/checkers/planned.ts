/** A planned request applies to the record that the operator had read, or not at all. */
import type { Checker, Facts } from "./checker.ts";

export function planned({ violated, plans }: Pick<Facts, "violated" | "plans">): Checker {
  return {
    onWrite(before, after) {
      if (before === undefined || before.record.revision === after.record.revision) return;
      const line = after.outbox.at(-1);
      const plan = plans.get(String(line?.detail.request));
      if (line === undefined || plan === undefined || line.event === "request-rejected") return;
      if (before.journalHead === plan.head) return;
      const { alias, event, revision } = line;
      const what = `${alias}: ${event}, line ${revision}, was planned at line ${plan.revision}`;
      violated("a plan applies unchanged, or not", what);
    },
  };
}
