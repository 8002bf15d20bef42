/** Prints the story: the fleet, the timeline as it happens, and the proof. */
import { makeFleet, type Member, type Retire } from "./fleet.ts";
import type { Options } from "./options.ts";
import { proofJson, proofTable } from "./proof-table.ts";
import { narrateStory } from "./story.ts";
import { choosePaint, entryJson, entryLine, type Paint } from "./timeline.ts";

type HistoryOptions = Extract<Options, { kind: "history" }>;

export async function show(options: HistoryOptions): Promise<number> {
  const paint = choosePaint(process.env, process.stdout.isTTY);
  // An exit, unlike a signal, removes the temporary files.
  process.once("SIGINT", () => process.exit(130));
  if (options.json) {
    const proof = await narrateStory(options, (entry) => console.log(entryJson(entry)));
    console.log(proofJson(proof));
    return proof.ok ? 0 : 1;
  }
  for (const line of opening(options, paint)) console.log(line);
  const proof = await narrateStory(options, (entry) => console.log(entryLine(entry, paint)));
  console.log("");
  for (const line of proofTable(proof, paint)) console.log(line);
  return proof.ok ? 0 : 1;
}

const ends: Record<Retire, string> = {
  retain: "old versions are retained",
  disable: "old versions are disabled",
  delete: "old versions are disabled, then deleted",
};

function opening({ keys, days }: HistoryOptions, paint: Paint): string[] {
  const fleet = makeFleet(keys);
  const many = keys === 1 ? "one KMS key" : `${keys} KMS keys`;
  const title = `keyturn rotates ${many} for ${days} simulated days, in an AWS embedded in this process.`;
  const plot =
    "An application uses them throughout and loses no data, while a run is killed, two runs " +
    "overlap,\nand an operator moves an alias by hand. In the second act, a version is rolled " +
    "back, a use attempt\nrestores a disabled version, and mode plan reports the next call.";
  const shown = fleet.slice(0, 12).map(fleetLine);
  const others = fleet.length > shown.length ? [`  … and ${fleet.length - shown.length} more`] : [];
  return [paint("bold", title), plot, "", ...shown, ...others, ""];
}

function fleetLine({ aliases, spec, use, retire }: Member): string {
  const columns = [aliases.join(", ").padEnd(29), spec.padEnd(17), use.padEnd(8), ends[retire]];
  return `  ${columns.join("  ")}`;
}
