/** Makes the timeline out of what keyturn tells its dependents: one line for each step. */
import type { JournalEntry } from "../lambda/ports.ts";
import type { EventName } from "../lambda/workflow/model/events.ts";
import { effects, type FindingCode } from "../lambda/workflow/model/findings.ts";
import type { Retire } from "./fleet.ts";
import { counted, type Entry } from "./timeline.ts";

/** What a rotation said of itself earlier, and is told with a later line. */
type Rotation = { overdueAtMs?: number; grants: number; propagatingAtMs?: number };

type Words = Pick<Entry, "what"> & Partial<Pick<Entry, "why" | "step" | "incident">>;

/** Told with another line, or of no interest to somebody who watches. */
const silent: string[] = [
  "configured",
  "found",
  "tagged",
  "opened",
  "propagating",
  "granted",
  "moved",
  "labelled",
  "evidence-read",
  "soaking",
  "unused",
  "cleared",
] satisfies EventName[];

export class Narrator {
  readonly #versions = new Map<string, string>();
  readonly #rotations = new Map<string, Rotation>();
  readonly #retire: Map<string, Retire>;

  constructor(retire: Map<string, Retire>) {
    this.#retire = retire;
  }

  /** The name of the version that a KMS key is: what a person can follow; ids are not printed. */
  versionName(keyId: string): string {
    return this.#versions.get(keyId) ?? "another key";
  }

  narrate(line: JournalEntry): Entry | undefined {
    const words = this.#words(line);
    if (words === undefined) return undefined;
    const { atMs, alias } = line;
    return { atMs, who: "keyturn", aliases: [alias], ...words };
  }

  #words(line: JournalEntry): Words | undefined {
    const { event, detail, reason, step } = line;
    this.#remember(line);
    const rotation = this.#rotations.get(line.rotationId ?? "") ?? { grants: 0 };
    const version = `v${detail.version ?? "?"}`;
    switch (event) {
      case "enrolled":
        return { what: "enrolled; the key it points at is v1", why: "the configuration names it" };
      case "generated":
        return {
          step: "generate",
          what: `${version} is made, like ${before(version)}`,
          ...due(rotation, before(version)),
        };
      case "adopted":
        return {
          step: "generate",
          what: `the key that the killed run made is found by its tags, and adopted as ${version}`,
          why: "it is what the intent says, so no second one is made",
          incident: true,
        };
      case "distributed":
        return { step: "distribute", what: `${version} is usable`, why: readiness(rotation, line) };
      case "activated":
        return {
          step: "activate",
          what: `${version} serves; ${before(version)} only processes from now on`,
          why: "looked, moved the alias, looked again",
        };
      case "drained":
        return {
          step: "drain",
          what: `${version} is proved quiet`,
          why: `last use ${describeUse(detail.lastUse)}`,
        };
      case "disabled":
        return {
          step: "revoke",
          what: `${version} is disabled`,
          why: "no alias on it, evidence read again",
        };
      case "deletion-scheduled":
        return {
          step: "revoke",
          what: `${version} is to be deleted on ${day(Number(detail.deletionAtMs))}`,
          why: "soaked, and nobody missed it; until then it can be cancelled",
        };
      case "completed":
        return { step: step ?? "revoke", ...this.#completed(line, version) };
      case "findings-opened":
      case "findings-closed":
        return this.#findings(line);
      default:
        if (silent.includes(event)) return undefined;
        return { ...(step && { step }), what: event, why: this.plain(reason), incident: true };
    }
  }

  #remember({ event, atMs, detail, rotationId }: JournalEntry): void {
    const { keyId, version } = detail;
    if (event === "enrolled") this.#versions.set(String(keyId), "v1");
    if (event === "generated" || event === "adopted") {
      this.#versions.set(String(keyId), `v${version}`);
    }
    if (rotationId === undefined) return;
    const known = this.#rotations.get(rotationId) ?? { grants: 0 };
    if (event === "opened") known.overdueAtMs = Number(detail.overdueAtMs);
    if (event === "propagating") known.propagatingAtMs = atMs;
    if (event === "granted") known.grants += 1;
    this.#rotations.set(rotationId, known);
  }

  #completed({ alias }: JournalEntry, version: string): Words {
    switch (this.#retire.get(alias)) {
      case "retain":
        return { what: `${version} stays enabled, to process`, why: "the policy retains" };
      case "delete":
        return { what: `${version} is gone`, why: "KMS has deleted it; the policy deletes" };
      case "disable":
      case undefined:
        return { what: `${version} stays disabled`, why: "soaked; the policy disables" };
    }
  }

  #findings({ event, detail, reason }: JournalEntry): Words {
    const [came, went] = [codesOf(detail.came), codesOf(detail.went)];
    if (event === "findings-closed") {
      return { what: `sees it right again, and goes on: ${went.join()} is over`, incident: true };
    }
    const halts = came.some((code) => effects[code] === "halt");
    return {
      what: `${halts ? "halts" : "notes"}: ${came.join()}, ${this.plain(reason)}`,
      why: halts ? "it never overwrites what somebody did; a person must look" : "nothing halts",
      incident: true,
    };
  }

  /** Key ids as the versions they are. */
  plain(text: string): string {
    return text.replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (keyId) =>
      this.versionName(keyId),
    );
  }
}

/** The findings that an event names: "CODE subject, CODE subject". */
export function codesOf(list: string | number | undefined): FindingCode[] {
  return [...String(list ?? "").matchAll(/(?:^|, )([A-Z_]+) /g)].map(
    (match) => match[1] as FindingCode,
  );
}

function before(version: string): string {
  return `v${Number(version.slice(1)) - 1}`;
}

function due({ overdueAtMs }: Rotation, active: string): { why?: string } {
  if (overdueAtMs === undefined) return {};
  return { why: `the cryptoperiod of ${active} ends on ${day(overdueAtMs)}` };
}

function readiness({ propagatingAtMs, grants }: Rotation, { atMs }: JournalEntry): string {
  const minutes = Math.round((atMs - (propagatingAtMs ?? atMs)) / 60_000);
  const copied = grants === 0 ? "" : `; ${counted(grants, "grant")} copied`;
  return `Enabled on two looks, ${minutes} minutes apart${copied}`;
}

/** "Sign at 2027-03-12T08:00:00Z" to the day. */
function describeUse(text: string | number | undefined): string {
  return String(text ?? "unknown")
    .replace(/T[\d:]+Z/, "")
    .replace(" at ", " on ");
}

function day(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}
