/** Makes the timeline from keyturn's events: one line for each step. */
import type { JournalEntry } from "../lambda/ports.ts";
import type { EventName } from "../lambda/workflow/model/events.ts";
import { effects, type FindingCode } from "../lambda/workflow/model/findings.ts";
import type { Retire } from "./fleet.ts";
import { counted, type Entry } from "./timeline.ts";

/** Facts from a rotation's earlier events that a later line shows. */
type Rotation = { overdueAtMs?: number; grants: number; propagatingAtMs?: number };

type Words = Pick<Entry, "what"> & Partial<Pick<Entry, "why" | "step" | "incident">>;

/** Shown within another line, or of no interest to the reader. */
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
  "approved",
  "public-key-archived",
] satisfies EventName[];

export class Narrator {
  readonly #versions = new Map<string, string>();
  readonly #rotations = new Map<string, Rotation>();
  readonly #retire: Map<string, Retire>;

  constructor(retire: Map<string, Retire>) {
    this.#retire = retire;
  }

  /** The version name of a KMS key. The timeline prints no key ids. */
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
        return {
          what: "enrolled; the key behind the alias is v1",
          why: "the configuration names it",
        };
      case "generated":
        return {
          step: "generate",
          what: `creates ${version}, configured like ${before(version)}`,
          ...due(rotation, before(version)),
        };
      case "adopted":
        return {
          step: "generate",
          what: `finds the killed run's key by its tags and adopts it as ${version}`,
          why: "it matches the recorded intent; no second key is created",
          incident: true,
        };
      case "distributed":
        return { step: "distribute", what: `${version} is ready`, why: readiness(rotation, line) };
      case "activated":
        return {
          step: "activate",
          what: `${version} is active; ${before(version)} now only decrypts or verifies`,
          why: "observed, moved the alias, observed again",
        };
      case "drained":
        return {
          step: "drain",
          what: `${version} is proved unused`,
          why: `last use ${describeUse(detail.lastUse)}`,
        };
      case "disabled":
        return {
          step: "revoke",
          what: `disables ${version}`,
          why: "no alias points at it; evidence read again",
        };
      case "deletion-scheduled":
        return {
          step: "revoke",
          what: `schedules the deletion of ${version} for ${day(Number(detail.deletionAtMs))}`,
          why: "no use attempt in the soak; the deletion can be cancelled until then",
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
        return {
          what: `${version} stays enabled and only decrypts or verifies`,
          why: "policy: retain",
        };
      case "delete":
        return { what: `${version} is deleted`, why: "its waiting period is over; policy: delete" };
      case "disable":
      case undefined:
        return { what: `${version} stays disabled`, why: "the soak is over; policy: disable" };
    }
  }

  #findings({ event, detail, reason }: JournalEntry): Words {
    const [opened, closed] = [codesOf(detail.opened), codesOf(detail.closed)];
    if (event === "findings-closed") {
      return { what: `closes ${closed.join()}: its cause no longer exists`, incident: true };
    }
    const halts = opened.some((code) => effects[code] === "halt");
    const reports = `${halts ? "halts with" : "reports"} ${opened.join()}`;
    const state = this.plain(reason);
    const why = halts
      ? "keyturn does not overwrite an external change; an operator must correct it"
      : "the key is not halted";
    const deletion = /^to delete (v\d+): (last use .*)$/.exec(state);
    if (deletion === null) return { what: `${reports}: ${state}`, why, incident: true };
    const [, version, lastUse = ""] = deletion;
    const what = `${reports} for the deletion of ${version}; ${why}`;
    return { what, why: lastUse, incident: true };
  }

  /** Replaces key ids with version names, and leaves out what only a command reads. */
  plain(text: string): string {
    const brief = text.replaceAll(/; KMS cannot show [^;]*; evidence [0-9a-f]{64}/g, "");
    const named = brief.replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (keyId) =>
      this.versionName(keyId),
    );
    const once = named.replaceAll(/version (\d+), v\1\b/g, "v$1");
    return once.replaceAll(/v(\d+) \(version \1, /g, "v$1 (");
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
  return `observed Enabled twice, ${minutes} minutes apart${copied}`;
}

/** "Sign at 2027-03-12T08:00:00Z" as "Sign on 2027-03-12". */
function describeUse(text: string | number | undefined): string {
  return String(text ?? "unknown")
    .replace(/T[\d:]+Z/, "")
    .replace(" at ", " on ");
}

function day(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}
