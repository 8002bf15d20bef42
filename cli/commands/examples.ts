/** The examples at the end of each command's help, to paste. */

const orders = "alias/orders";

const examples: Record<string, string[]> = {
  keyturn: ["keyturn status --table keyturn", "keyturn doctor --json", `keyturn pause ${orders}`],
  status: [
    "keyturn status --findings",
    "keyturn status --watch",
    `keyturn status ${orders}`,
    `keyturn status ${orders} --watch 30`,
    "keyturn status --json",
  ],
  doctor: ["keyturn doctor", "keyturn doctor --json"],
  history: [`keyturn history ${orders}`, `keyturn history ${orders} --last 20 --json`],
  verify: ["keyturn verify", `keyturn verify ${orders} --anchor 41:<64 hexadecimal digits>`],
  report: [
    "keyturn report --out evidence",
    "keyturn report --out 2027 --from 2027-01-01 --to 2027-12-31",
  ],
  explain: ["keyturn explain", "keyturn explain ALIAS_MOVED"],
  plan: [
    "keyturn plan",
    `keyturn plan ${orders} --until 90d`,
    `keyturn plan ${orders} --until 2027-06-30 --out orders.plan.json`,
  ],
  apply: ["keyturn apply orders.plan.json --reason 'in the maintenance window'"],
  enrol: ["keyturn enrol alias/team-blue/orders --policy quarterly"],
  rotate: [
    `keyturn rotate ${orders} --reason 'an operator left'`,
    `keyturn rotate ${orders} --compromised --version 3 --by ada`,
  ],
  rollback: [`keyturn rollback ${orders} --version 3 --reason 'search cannot read it'`],
  pause: [`keyturn pause ${orders} --reason 'an audit'`],
  resume: [`keyturn resume ${orders}`],
  acknowledge: [`keyturn acknowledge ${orders} --version 2 --dependent billing`],
  approve: [
    `keyturn approve ${orders} --version 2 --evidence <the hash in the finding>`,
    `keyturn approve ${orders} --version 2 --override --confirm ${orders}`,
  ],
  reconcile: [`keyturn reconcile ${orders}`, `keyturn reconcile ${orders} --proposal 12`],
  unenrol: [`keyturn unenrol ${orders} --confirm ${orders}`],
};

/** Empty for a command without examples. */
export function examplesOf(command: string): string {
  const lines = examples[command] ?? [];
  if (lines.length === 0) return "";
  const title = lines.length === 1 ? "Example:" : "Examples:";
  return `\n${title}\n${lines.map((line) => `  ${line}`).join("\n")}`;
}
