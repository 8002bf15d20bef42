/** What stands above the tables: how to read them, and how far they may be believed. */
import { markup, type Markup } from "./html.ts";
import type { Report } from "./model.ts";
import { day } from "./wording.ts";

export const exceptions = markup`<p>
  Findings that are open, or that held something up in the period; times overdue; evidence that a
  person overrode; versions that were needed after all and came back. Refused requests are among
  <a href="#decisions">who asked</a>.
</p>`;

export const controls = markup`<p>
  This report is evidence for these controls, and no statement of compliance. Two scanners will
  object to rotation by alias; the last column says why.
</p>`;

export const inventory = markup`<p>
  One line for each managed key: a stable alias, and the KMS key behind it. All versions, with their
  key ids, are under their <a href="#timelines">timelines</a>.
</p>`;

export function timelines({ period, madeAtMs }: Report): Markup {
  const beyond =
    period.toMs < madeAtMs
      ? " The period is over: what came after it is in the tables, and not in the pictures."
      : "";
  return markup`<p>
    All timelines have the same axis. Each bar is one version, a KMS key of its own; its phases are
    told by pattern and label as well as by colour, and stand in the table under it.${beyond}
  </p>`;
}

export const rotations = markup`<p>
  keyturn itself makes every change in KMS, with its function's role; CloudTrail has each call. A
  rollback is a rotation on the way back. A "way out" is of a version that leaves without having
  been replaced: one that was cancelled before it served, or that came back and drains anew.
</p>`;

export const decisions = markup`<p>
  People ask by writing a request into the state table. The name is what
  <strong>they wrote</strong>: keyturn does not know who they are. CloudTrail's data events of the
  table, where they are on, say which principal wrote the item.
</p>`;

export const evidence = markup`<p>
  The evidence is what GetKeyLastUsage says: the <strong>last</strong> cryptographic operation of a
  key, when it was, with up to an hour of lag, which is taken off the quiet time. It says nothing of
  the operations before the last one. Under <code>originate: observe</code>, a later Decrypt can
  therefore hide an earlier Encrypt; under <code>alias-only</code> the key's own policy refuses to
  originate. The hash is over the key id and KMS's answer; an approval is bound to it.
</p>`;

export function integrity({ tableName }: Report): Markup {
  return markup`<p>
    Each line of a journal carries the SHA-256 of the line before it. A line that was changed,
    dropped or moved is found here. Whoever can write the table can write the whole chain anew,
    though: so keep this report elsewhere, and hold the heads in it against the table later (<code>keyturn verify ALIAS --anchor LINE:HEAD --table ${tableName}</code>), or against the log lines and events, which have the head of their time.
  </p>`;
}

const deleteKey = `aws cloudtrail lookup-events --lookup-attributes AttributeKey=ResourceName,AttributeValue=ARN --query "Events[?EventName=='DeleteKey']"`;

export function limits({ keys, period }: Report): Markup {
  const firsts = keys.flatMap(({ journal }) => journal.firstAtMs ?? []);
  const earliestMs = firsts.reduce((least, one) => Math.min(least, one), Infinity);
  const before =
    earliestMs > period.fromMs && Number.isFinite(earliestMs)
      ? markup` The earliest line of any journal here is of ${day(earliestMs)}: of the time before, in
        this period, there is nothing but the dates when KMS created the keys.`
      : undefined;
  return markup`<ul>
    <li>What was before a key was enrolled, or is not in the table any longer.${before}</li>
    <li>
      What happened between a backup of the table and its restore: such times are "not known".
    </li>
    <li>
      Who made keyturn's calls, and KMS's own record of a deletion. Look up DeleteKey by the ARN of
      the version within 90 days, and in the archive of the trail after that: <br><code>${deleteKey}</code>
    </li>
    <li>
      What became of a version after it was un-enrolled, and what somebody did to a key by hand that
      keyturn has not looked at since.
    </li>
    <li>
      The ciphertext: keyturn moves keys, and cannot tell what was encrypted under a version or
      whether it was re-encrypted.
    </li>
    <li>Any use of a key but the last, and uses that KMS does not count as one.</li>
    <li>Keys that keyturn does not manage.</li>
  </ul>`;
}

export const files = markup`<p>
  The same facts for programs: <code>report.json</code> (schema <code>keyturn/report/2</code>,
  moments in milliseconds since 1970), and as CSV. A cell that a spreadsheet would take for a
  formula has an apostrophe before it.
</p>`;
