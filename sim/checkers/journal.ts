/** I6: revisions grow by one, and each has exactly one line, chained to the previous one. */
import { hashOf } from "../../lambda/record/journal.ts";
import type { Checker, Facts } from "./checker.ts";

export function journal({ violated }: Pick<Facts, "violated">): Checker {
  const wrong = (what: string): void => violated("I6 every transition has its line", what);
  return {
    onWrite(before, after) {
      const { alias, revision, epoch } = after.record;
      const was = before?.record.revision ?? 0;
      if (epoch < (before?.record.epoch ?? 0)) wrong(`${alias}: its epoch decreased`);
      if (revision === was) {
        if (before !== undefined && before.journalHead !== after.journalHead) {
          wrong(`${alias}: a line without a transition, at revision ${revision}`);
        }
        return;
      }
      if (revision !== was + 1) return wrong(`${alias}: from revision ${was} to ${revision}`);
      const line = after.outbox.at(-1);
      if (line?.revision !== revision) return wrong(`${alias}: no line for revision ${revision}`);
      const { hash, ...unhashed } = line;
      const isChained = line.previousHash === (before?.journalHead ?? line.previousHash);
      if (!isChained || hash !== after.journalHead || hash !== hashOf(unhashed)) {
        wrong(`${alias}: the line for revision ${revision} is not chained to the previous one`);
      }
    },
  };
}
