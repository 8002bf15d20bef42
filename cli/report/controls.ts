/** Which part of the report answers which control, and where a control will object all the same. */
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
      caption: "Controls in short words of our own: the standards' texts decide",
      columns: [
        "Control",
        { title: "What it asks", class: "words" },
        { title: "What answers it here", class: "words" },
        { title: "What to know", class: "words" },
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
      answer: markup`The policy of each key in the ${link("inventory", "inventory")}; that keys are
      changed, in the ${link("timelines", "timelines")} and ${link("rotations", "rotations")}:
      ${activated} times in this period.`,
      note: `Overdue now: ${overdue} keys; periods overdue in this time: ${late}. Each is among the exceptions.`,
    },
    {
      name: "PCI DSS v4.0.1, 3.7.5",
      asks: "Keys are retired, replaced or destroyed when their time is over, when they are weakened, or when they may be compromised; retired or replaced keys are not used for encryption.",
      answer: markup`Each retired version in the ${link("timelines", "timelines")}; its last use at
      each reading in ${link("evidence", "evidence of drain")}: ${revoked} versions put out of use
      in this period. Compromised versions are marked.`,
      note: `${observed} of ${keys.length} keys have a policy with originate: observe: nothing stops encryption under a retired version before it is disabled; it is found by its last use. KMS tells only the last operation, so a later Decrypt can hide an earlier Encrypt. With originate: alias-only the key's own policy refuses it.`,
    },
  ];
}

function nist({ keys }: Report): Control {
  const long = keys.filter(
    (key) => key.policy.cryptoperiodMs > suggestedMs(activeOf(key)?.shape?.usage),
  );
  return {
    name: "NIST SP 800-57 Part 1 Rev. 5",
    asks: "Each key has a cryptoperiod (originator usage, then recipient usage), passes through defined states, and protects nothing new after its originator-usage period.",
    answer: markup`States under their names of section 7 in the ${link("timelines", "timelines")}; the
    cryptoperiod of each version against its time in service, under each timeline.`,
    note: `Originator usage is keyturn's cryptoperiod, recipient usage its drain. Longer than Table 1 suggests (2 years; 3 for private signature keys): ${long.length} of ${keys.length} policies in use. A disabled KMS key processes nothing, which is stricter than NIST's "deactivated".`,
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
  const symmetric = `It looks at the automatic rotation of the backing key, and at nothing else. A symmetric key that is rotated by its alias is flagged: up to ${flagged.length} of the ${keys.length} keys here. keyturn neither switches automatic rotation on nor looks at it.`;
  return [
    {
      name: "CIS AWS Foundations 3.6 (v3.0.0, v5.0.0)",
      asks: "Automatic rotation is enabled for symmetric keys that customers created.",
      answer: markup`That each key is replaced at the end of its cryptoperiod, by another means: the
      ${link("timelines", "timelines")}.`,
      note: `${symmetric} Asymmetric keys are exempt. It is 3.8 in v1.4.0, 2.8 in v1.2.0. Enable automatic rotation as well, or record the exception with this report.`,
    },
    {
      name: "Security Hub KMS.4",
      asks: "KMS keys have automatic rotation enabled (Config rule cmk-backing-key-rotation-enabled).",
      answer: markup`As for CIS 3.6.`,
      note: `${symmetric} Security Hub maps KMS.4 to PCI DSS 3.7.4, among others: that it fails there does not say that 3.7.4 fails.`,
    },
    {
      name: "Security Hub KMS.3",
      asks: "KMS keys are not deleted unintentionally: it fails for every key scheduled for deletion.",
      answer: markup`Which versions are pending deletion, by which policy, on what evidence and by
      whose approval: ${link("evidence", "evidence of drain")}.`,
      note: `It is a Critical finding for each version that is pending deletion, ${pending.length} now${pending.length === 0 ? "" : `: ${pending.map(({ keyId }) => keyId).join(", ")}`}. They are intended; suppress the finding for the keys that are named here.`,
    },
  ];
}
