/** The examples at the end of each command's help, to paste. */

const orders = "alias/orders";

const examples: Record<string, string[]> = {
  keyturn: [
    "npx keyturn status --table keyturn",
    "npx keyturn doctor --json",
    `npx keyturn pause ${orders}`,
  ],
  status: [
    "npx keyturn status --findings",
    "npx keyturn status --watch",
    `npx keyturn status ${orders}`,
    `npx keyturn status ${orders} --watch 30`,
    "npx keyturn status --json",
  ],
  doctor: ["npx keyturn doctor", "npx keyturn doctor --json"],
  history: [`npx keyturn history ${orders}`, `npx keyturn history ${orders} --last 20 --json`],
  verify: [
    "npx keyturn verify",
    `npx keyturn verify ${orders} --anchor 41:<64 hexadecimal digits>`,
  ],
  report: [
    "npx keyturn report --out evidence",
    "npx keyturn report --out 2027 --from 2027-01-01 --to 2027-12-31",
  ],
  explain: ["npx keyturn explain", "npx keyturn explain ALIAS_MOVED"],
  plan: [
    "npx keyturn plan",
    `npx keyturn plan ${orders} --until 90d`,
    `npx keyturn plan ${orders} --until 2027-06-30 --out orders.plan.json`,
  ],
  apply: ["npx keyturn apply orders.plan.json --reason 'in the maintenance window'"],
  enrol: ["npx keyturn enrol alias/team-blue/orders --policy quarterly"],
  rotate: [
    `npx keyturn rotate ${orders} --reason 'an operator left'`,
    `npx keyturn rotate ${orders} --compromised --version 3 --by ada`,
  ],
  rollback: [`npx keyturn rollback ${orders} --version 3 --reason 'search cannot read it'`],
  pause: [`npx keyturn pause ${orders} --reason 'an audit'`],
  resume: [`npx keyturn resume ${orders}`],
  acknowledge: [`npx keyturn acknowledge ${orders} --version 2 --dependent billing`],
  approve: [
    `npx keyturn approve ${orders} --version 2 --evidence <the hash in the finding>`,
    `npx keyturn approve ${orders} --version 2 --override --confirm ${orders}`,
  ],
  reconcile: [`npx keyturn reconcile ${orders}`, `npx keyturn reconcile ${orders} --proposal 12`],
  unenrol: [`npx keyturn unenrol ${orders} --confirm ${orders}`],
};

/** Empty for a command without examples. */
export function examplesOf(command: string): string {
  const lines = examples[command] ?? [];
  if (lines.length === 0) return "";
  const title = lines.length === 1 ? "Example:" : "Examples:";
  return `\n${title}\n${lines.map((line) => `  ${line}`).join("\n")}`;
}
