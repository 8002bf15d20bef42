/** The proof as a short table, or as one line of JSON. */
import { sum, type Check, type Proof } from "./proof.ts";
import type { Paint } from "./timeline.ts";

const labelWidth = "KMS calls, keyturn changes".length;

export function proofJson(proof: Proof): string {
  return JSON.stringify({ kind: "proof", ...proof });
}

export function proofTable(proof: Proof, paint: Paint): string[] {
  const { items, findings, runs, calls } = proof;
  const row = (label: string, value: string | number): string =>
    `  ${label.padEnd(labelWidth)}  ${value}`;
  const others = Object.entries(calls.others).map(([who, counts]) =>
    row(`KMS calls, ${who}`, operations(counts)),
  );
  const failed = proof.proofs.filter(({ ok }) => !ok).length;
  return [
    paint("bold", `Proof, after ${proof.days} days`),
    row("rotations completed", proof.rotations),
    row("items produced, readable", `${items.produced}, ${items.readable}`),
    row("orphans adopted", proof.orphansAdopted),
    row("findings opened, closed", `${findings.raised}, ${findings.putRight}`),
    row("keys by state", list(proof.keysByState)),
    row("runs", list({ worked: runs.worked, killed: runs.killed, "claim held": runs.left })),
    row("KMS calls, keyturn changes", operations(calls.keyturn.changing)),
    row("KMS calls, keyturn reads", operations(calls.keyturn.reads)),
    ...others,
    "",
    ...proof.proofs.map((check) => checkLine(check, paint)),
    "",
    failed === 0
      ? paint("green", `All ${proof.proofs.length} proofs hold.`)
      : paint("red", `${failed} of ${proof.proofs.length} proofs FAILED.`),
  ];
}

function checkLine({ name, ok, detail }: Check, paint: Paint): string {
  const verdict = ok ? paint("green", "ok    ") : paint("red", "FAILED");
  return `  ${verdict}  ${name}: ${detail}`;
}

/** The sum, then each operation. */
function operations(counts: Record<string, number>): string {
  return `${sum(counts)}: ${list(counts)}`;
}

function list(counts: Record<string, number>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");
}
