/** The texts above the tables: how to read them, and their limits. */
import { markup, type Markup } from "./html.ts";
import type { Report } from "./model.ts";
import type { RefusalsView } from "../status/refusals.ts";
import { at, day } from "./wording.ts";

export const exceptions = markup`<p>
  Open findings, and findings that held something in the period; callers that a rotation locked out;
  overdue times; overridden evidence;
  restored versions. Rejected requests are in the section <a href="#decisions">requests and approvals</a>.
</p>`;

export const controls = markup`<p>
  This report is evidence for these controls, not a statement of compliance. Two scanners report
  findings for rotation by alias; the last column explains why.
</p>`;

export const inventory = markup`<p>
  Each row is a managed key: a stable alias and the KMS key behind it. All versions, with their
  key ids, are below their <a href="#timelines">timelines</a>.
</p>`;

export function timelines({ period, madeAtMs }: Report): Markup {
  const beyond =
    period.toMs < madeAtMs
      ? " The period is over. The tables show later phases; the timelines do not."
      : "";
  return markup`<p>
    All timelines have the same axis. Each bar is one version, which is one KMS key. Pattern, label and
    colour show its phases; the table below has the same facts.${beyond}
  </p>`;
}

export const rotations = markup`<p>
  keyturn makes every change in KMS with the role of its function; CloudTrail has each call. A
  rollback is a rotation back to the previous version. A "way out" is the retirement of a version
  without a replacement: it was cancelled before it was active, or it was restored and drains again.
</p>`;

export const decisions = markup`<p>
  An operator writes a request to the state table. The name is <strong>as given</strong> in the
  request: keyturn does not verify it. CloudTrail data events of the table, if they are enabled, show
  which principal wrote the item.
</p>`;

export const evidence = markup`<p>
  The evidence is the answer of GetKeyLastUsage: the <strong>last</strong> cryptographic operation of
  a key and its time. It has up to an hour of lag, which keyturn subtracts from the unused time. It
  does not show the operations before the last one. Under <code>originate: observe</code>, a later
  Decrypt can therefore hide an earlier Encrypt; under <code>alias-only</code>, the key policy denies
  originating. The hash covers the key id and KMS's answer; an approval is bound to it.
</p>`;

/** One watch covers the whole table. */
export function refusals({ keys }: Report): Markup {
  const watches = keys.map((key) => key.refusals);
  const [{ isCollected, heardAtMs, unattributed = 0 } = {}] = watches;
  const sinceMs = watches.reduce<number | undefined>(earlier, undefined);
  const since =
    isCollected === false
      ? "This deployment does not collect them."
      : sinceMs === undefined || heardAtMs === undefined
        ? "The table has no proof yet that they are collected."
        : `keyturn has collected them since ${at(sinceMs)}; the last proof is of ${at(heardAtMs)}.`;
  return markup`<p>
    CloudTrail reports calls that KMS refused: because the caller may not use a version, or because it
    named the alias for data of another version. keyturn deletes no version that a refused caller may
    need until an operator accepts the refusal. ${since} Events that name no key: ${unattributed}.
  </p>`;
}

function earlier(least: number | undefined, { collectedSinceMs }: RefusalsView) {
  if (collectedSinceMs === undefined) return least;
  return Math.min(least ?? collectedSinceMs, collectedSinceMs);
}

export function integrity({ tableName }: Report): Markup {
  return markup`<p>
    Each line of a journal has the SHA-256 of the line before it. This check finds a line that was
    changed, dropped or moved. A principal that can write the table can rewrite the whole chain. Store
    this report outside the account, and compare its heads with the table later (<code>npx keyturn verify ALIAS --anchor LINE:HEAD --table ${tableName}</code>), or with the log lines and events, which also have heads.
  </p>`;
}

const deleteKey = `aws cloudtrail lookup-events --lookup-attributes AttributeKey=ResourceName,AttributeValue=ARN --query "Events[?EventName=='DeleteKey']"`;

export function limits({ keys, period }: Report): Markup {
  const firsts = keys.flatMap(({ journal }) => journal.firstAtMs ?? []);
  const earliestMs = firsts.reduce((least, one) => Math.min(least, one), Infinity);
  const before =
    earliestMs > period.fromMs && Number.isFinite(earliestMs)
      ? markup` The earliest journal line here is of ${day(earliestMs)}. For the earlier part of this
        period, the report has only the creation dates of the keys.`
      : undefined;
  return markup`<ul>
    <li>The time before the enrolment of a key, and data that the table no longer has.${before}</li>
    <li>
      The time between a backup of the table and its restore: the report shows it as "not known".
    </li>
    <li>
      The caller of keyturn's calls, and KMS's own record of a deletion. For 90 days, look up DeleteKey
      by the ARN of the version; after that, use the archive of the trail: <br><code>${deleteKey}</code>
    </li>
    <li>
      The states of a version after its un-enrolment, and external changes of a key that keyturn has
      not observed since.
    </li>
    <li>
      The ciphertext: keyturn replaces keys. It does not know what a version encrypted, or whether
      that was re-encrypted.
    </li>
    <li>Any use of a key before the last one, and uses that KMS does not report.</li>
    <li>
      Refused callers of other accounts, whose refusals AWS logs there, and callers that a VPC endpoint
      policy refuses, which AWS does not log. CloudTrail may lose an event.
    </li>
    <li>Keys that keyturn does not manage.</li>
  </ul>`;
}

export const files = markup`<p>
  The same facts for programs: <code>report.json</code> (schema <code>keyturn/report/2</code>,
  times in milliseconds since 1970), and as CSV. A cell that a spreadsheet would run as a formula
  starts with an apostrophe.
</p>`;
