/** Which part of the report answers which control, and which controls will still report a finding. */
import { dayMs } from "../../lambda/workflow/model/limits.ts";
import { markup, table, type Markup, type Part } from "./html.ts";
import type { KeyReport, Report } from "./model.ts";
import type { Summary } from "./summary.ts";

type Control = { name: string; asks: string; answer: Part; note: Part };

/** NIST SP 800-57 Part 1 Rev. 5, Table 1: the longest originator-usage period that it suggests. */
function suggestedMs(usage: string | undefined): number {
  const years = usage === "SIGN_VERIFY" ? 3 : 2;
  return years * 365 * dayMs;
}

function activeOf({ versions, active }: KeyReport) {
  return versions.findLast(({ number }) => number === active);
}

function link(id: string, text: string): Markup {
  return markup`<a href="#${id}">${text}</a>`;
}

export function controls(report: Report, summary: Summary): Markup {
  const rows = [...pci(report, summary), nist(report), ...aws(report)].map(
    ({ name, asks, answer, note }) => [{ head: name }, asks, answer, note],
  );
  return table(
    {
      caption: "Controls, in our summary; the texts of the standards decide",
      columns: [
        "Control",
        { title: "Requirement", class: "words" },
        { title: "Evidence here", class: "words" },
        { title: "Limits", class: "words" },
      ],
      rows,
      none: "",
    },
    "Controls",
  );
}

function pci({ keys }: Report, { overdue, activated, revoked }: Summary): Control[] {
  const observed = keys.filter(({ policy }) => policy.originate === "observe").length;
  const late = keys.reduce(
    (sum, { exceptions }) => sum + exceptions.filter(({ what }) => what === "OVERDUE").length,
    0,
  );
  return [
    {
      name: "PCI DSS v4.0.1, 3.7.4",
      asks: "A cryptoperiod is defined for each type of key, and keys are changed at its end.",
      answer: markup`The policy of each key is in the ${link("inventory", "inventory")}. The key changes
      are in the ${link("timelines", "timelines")} and ${link("rotations", "rotations")}:
      ${activated} in this period.`,
      note: `Overdue now: ${overdue} keys. Overdue times in this period: ${late}. The exceptions list each one.`,
    },
    {
      name: "PCI DSS v4.0.1, 3.7.5",
      asks: "Keys are retired, replaced or destroyed at the end of their cryptoperiod, when they are weakened, or when they may be compromised. Retired or replaced keys are not used for encryption.",
      answer: markup`The ${link("timelines", "timelines")} show each retired version, and mark the
      compromised ones. The ${link("evidence", "evidence of drain")} shows its last use at each
      reading. ${revoked} versions were revoked in this period.`,
      note: `${observed} of ${keys.length} keys have a policy with originate: observe. This policy does not prevent encryption under a retired version until the version is disabled; the last use shows such an encryption. KMS reports only the last operation: a later Decrypt can hide an earlier Encrypt. With originate: alias-only, the key policy denies encryption.`,
    },
  ];
}

function nist({ keys }: Report): Control {
  const long = keys.filter(
    (key) => key.policy.cryptoperiodMs > suggestedMs(activeOf(key)?.shape?.usage),
  );
  return {
    name: "NIST SP 800-57 Part 1 Rev. 5",
    asks: "Each key has a cryptoperiod (originator-usage period, then recipient-usage period) and defined states. It protects no new information after its originator-usage period.",
    answer: markup`The ${link("timelines", "timelines")} show the states with their names from section 7.
    Below each timeline, a table compares the cryptoperiod of each version with its active time.`,
    note: `keyturn's cryptoperiod is the originator-usage period, and its drain the recipient-usage period. ${long.length} of ${keys.length} policies in use are longer than Table 1 suggests (2 years; 3 for private signature keys). A disabled KMS key processes nothing, which is stricter than NIST's "deactivated".`,
  };
}

function aws({ keys }: Report): Control[] {
  const flagged = keys.filter((key) => {
    const shape = activeOf(key)?.shape;
    return shape?.spec === "SYMMETRIC_DEFAULT" && shape.origin === "AWS_KMS";
  });
  const pending = keys.flatMap(({ versions }) =>
    versions.filter(({ phase }) => phase === "pending-deletion"),
  );
  const symmetric = `The check reads only the automatic rotation of the backing key. It therefore flags symmetric keys that are rotated by alias: up to ${flagged.length} of the ${keys.length} keys here. keyturn neither enables nor reads automatic rotation.`;
  return [
    {
      name: "CIS AWS Foundations 3.6 (v3.0.0, v5.0.0)",
      asks: "Automatic rotation is enabled for customer-created symmetric keys.",
      answer: markup`The ${link("timelines", "timelines")} show that each key is replaced at the end of
      its cryptoperiod by other means.`,
      note: `${symmetric} Asymmetric keys are exempt. The control is 3.8 in v1.4.0 and 2.8 in v1.2.0. Enable automatic rotation as well, or record an exception with this report.`,
    },
    {
      name: "Security Hub KMS.4",
      asks: "KMS keys have automatic rotation enabled (Config rule cmk-backing-key-rotation-enabled).",
      answer: markup`As for CIS 3.6.`,
      note: `${symmetric} Security Hub maps KMS.4 to PCI DSS 3.7.4, among others. A failed KMS.4 does not mean that 3.7.4 fails.`,
    },
    {
      name: "Security Hub KMS.3",
      asks: "KMS keys are not deleted unintentionally. The control fails for every key that is pending deletion.",
      answer: markup`The ${link("evidence", "evidence of drain")} shows the policy, the evidence and the
      approval of each version that is pending deletion.`,
      note: `Each version that is pending deletion has a Critical finding: ${pending.length} now${pending.length === 0 ? "" : `: ${pending.map(({ keyId }) => keyId).join(", ")}`}. These deletions are intended: suppress the finding for these keys.`,
    },
  ];
}
