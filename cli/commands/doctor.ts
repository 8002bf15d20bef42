/** `keyturn doctor`: is the service itself well? */
import { diagnose } from "../diagnosis.ts";
import { exitCodes, type ExitCode } from "../failure.ts";
import type { Session } from "../session.ts";

export const doctorSchema = "keyturn/doctor/1";

export async function doctor({ state, talk, nowMs, json, tableName }: Session): Promise<ExitCode> {
  const [records, audit, tagSearch, heardAtMs] = await Promise.all([
    state.managedKeys((record) => record),
    state.chore("audit"),
    state.chore("tag-search"),
    state.heardAtMs(),
  ]);
  const checks = diagnose({ nowMs, tableName, records, audit, tagSearch, heardAtMs });
  const isWell = checks.every(({ verdict }) => verdict === "ok");
  const code = isWell ? exitCodes.ok : exitCodes.attention;
  if (json) {
    talk.json({ schema: doctorSchema, nowMs, managedKeys: records.length, checks });
    return code;
  }
  for (const { name, verdict, seen, next } of checks) {
    const mark = verdict === "ok" ? talk.styled("green", "ok   ") : talk.styled("red", "LOOK ");
    talk.line(`${mark} ${name}: ${seen}`);
    if (next !== undefined) talk.line(`      next: ${next}`);
  }
  talk.note(`${records.length} managed keys in ${tableName}`);
  return code;
}
