/**
 * What a request makes of the record. Each is honoured or refused in one transition that remembers its
 * id, so that none is lost and none is done twice. Nothing here touches KMS: what follows from a
 * request is decided afterwards like everything else.
 */
import { decideApproval } from "./approval.ts";
import { honour, refuse, type Asked } from "./honour.ts";
import { otherTable } from "../safety/lineage.ts";
import { sameHome } from "../model/policy.ts";
import { decideReconcile } from "./reconcile.ts";
import { rotationBeforeActivation, rotationOut, withRotation, without } from "../model/record.ts";
import { rollBack } from "./rollback.ts";
import { isStopped } from "../safety/holds.ts";
import type { Decision, ManagedKey, Request, Scene, Stop } from "../model/types.ts";

type Of<Kind extends Request["kind"]> = Extract<Request, { kind: Kind }>;

export function decideRequest(scene: Scene, request: Request): Decision {
  if (request.kind === "malformed") return refuse(scene, request, request.why);
  const why = whyMovedOn(scene, request) ?? whyNotNow(scene, request);
  if (why !== undefined) return refuse(scene, request, why);
  switch (request.kind) {
    case "rotate":
      return rotate(scene, request);
    case "compromised":
      return compromised(scene, request);
    case "rollback":
      return rollback(scene, request);
    case "pause":
      return pause(scene, request);
    case "resume":
      return resume(scene, request);
    case "approve":
      return decideApproval(scene, request);
    case "acknowledge":
      return acknowledge(scene, request);
    case "reconcile":
      return decideReconcile(scene, request);
    case "enrol":
      return enrol(scene, request);
    case "un-enrol":
      return unEnrol(scene, request);
  }
}

/** What was planned on another record, or under another configuration, is not done. */
function whyMovedOn({ record, moment }: Scene, { ifHead }: Asked): string | undefined {
  if (ifHead === undefined) return undefined;
  if (ifHead !== moment.head) {
    return `it was planned when the journal ended in ${ifHead}: line ${record.revision} has another hash`;
  }
  const { home } = moment;
  return home === undefined || sameHome(record, home)
    ? undefined
    : "the configuration has changed since it was planned";
}

/** What stands against a request whatever it says. */
function whyNotNow({ record, moment }: Scene, { kind }: Asked): string | undefined {
  const always = kind === "pause" || kind === "resume";
  if (record.unenrolment !== undefined) {
    return kind === "resume" || kind === "enrol" ? undefined : "it is un-enrolled";
  }
  if (always || kind === "reconcile") {
    return kind === "reconcile" && moment.home === undefined
      ? "the configuration does not name it"
      : undefined;
  }
  if (kind === "un-enrol") return undefined;
  if (otherTable(record, moment) !== undefined || isBehind(record)) {
    return "the record is behind KMS: reconcile first";
  }
  if (moment.home === undefined) return "the configuration does not name it";
  if (kind === "enrol" || record.enrolledAtMs !== undefined) return undefined;
  return "it is not enrolled yet";
}

function isBehind({ findings }: ManagedKey): boolean {
  return findings.some(({ code }) => code === "STATE_BEHIND_KMS");
}

function rotate(scene: Scene, request: Of<"rotate">): Decision {
  const { record, moment } = scene;
  const busy = rotationBeforeActivation(record);
  if (busy !== undefined) {
    return refuse(scene, request, `version ${busy.to} is about to serve already`);
  }
  if (record.wanted !== undefined) return refuse(scene, request, "a rotation is asked for already");
  const wanted = { urgent: false, by: request.by, atMs: moment.nowMs };
  return honour(scene, request, { ...record, wanted }, "wanted");
}

function compromised(scene: Scene, request: Of<"compromised">): Decision {
  const { record, moment } = scene;
  const { version: number, by } = request;
  const version = record.versions.find((one) => one.number === number);
  if (version === undefined) return refuse(scene, request, `there is no version ${number}`);
  const busy = rotationBeforeActivation(record);
  const rotation = rotationOut(record, number) ?? (busy?.from === number ? busy : undefined);
  if (rotation !== undefined && ["serving", "draining"].includes(version.standing)) {
    return honour(scene, request, withRotation(record, { ...rotation, urgent: true }), "hurried");
  }
  if (version.standing !== "serving") {
    const why = `version ${number} is ${version.standing}: it neither serves nor drains`;
    return refuse(scene, request, why);
  }
  const wanted = { urgent: true, by, atMs: moment.nowMs };
  return honour(scene, request, { ...record, wanted }, "wanted");
}

function rollback(scene: Scene, request: Of<"rollback">): Decision {
  const { record, moment } = scene;
  const done = rollBack(record, request.version, moment);
  if ("refused" in done) return refuse(scene, request, done.refused);
  const { by, reason, version } = request;
  const stop = { kind: "rollback", atMs: moment.nowMs, by, version, seen: reason } as const;
  const returning = done.next.versions.find(({ standing }) => standing === "returning");
  // A version that somebody asked for while it was out of use is what they get.
  const answered = (one: Stop): boolean =>
    one.kind === "rollback" || (one.kind === "attempt" && one.version === returning?.number);
  const stops = [...record.stops.filter((one) => !answered(one)), stop];
  const next = without({ ...done.next, stops }, "wanted");
  return honour(scene, request, next, done.entry.event, done.entry);
}

function pause(scene: Scene, request: Of<"pause">): Decision {
  const { record, moment } = scene;
  if (isStopped(record, "pause")) return refuse(scene, request, "it is paused already");
  const { by, reason: seen } = request;
  const stops = [...record.stops, { kind: "pause", atMs: moment.nowMs, by, seen } as const];
  return honour(scene, request, { ...record, stops }, "paused");
}

/** Ends every stop; a managed key that was un-enrolled, and is named, begins anew. */
function resume(scene: Scene, request: Of<"resume">): Decision {
  const { record } = scene;
  if (record.unenrolment !== undefined) return enrolAnew(scene, request);
  if (record.stops.length === 0) return refuse(scene, request, "nothing holds it");
  return honour(scene, request, { ...record, stops: [] }, "resumed");
}

function enrolAnew(scene: Scene, request: Of<"resume" | "enrol">): Decision {
  const { record, moment } = scene;
  if (record.unenrolment?.endedAtMs === undefined) {
    return refuse(scene, request, "it is still being un-enrolled");
  }
  if (moment.home === undefined) {
    return refuse(scene, request, "the configuration does not name it");
  }
  const anew = without(record, "unenrolment", "enrolledAtMs", "taggedAtMs", "reconciledAtMs");
  return honour(scene, request, { ...anew, stops: [] }, "enrolled-anew");
}

/** The record was made when this was first read: here it is remembered who asked. */
function enrol(scene: Scene, request: Of<"enrol">): Decision {
  const { record, moment } = scene;
  const { name } = moment.home?.policy ?? record.policy;
  if (name !== request.policy) return refuse(scene, request, `its policy is ${name}`);
  if (record.unenrolment !== undefined) return enrolAnew(scene, request);
  if (record.enrolledAtMs !== undefined) return refuse(scene, request, "it is enrolled already");
  return honour(scene, request, record, "enrol-asked", { detail: { policy: name } });
}

function acknowledge(scene: Scene, request: Of<"acknowledge">): Decision {
  const { record, moment } = scene;
  const { version, dependent } = request;
  const busy = rotationBeforeActivation(record);
  if (busy === undefined || busy.direction === "back" || busy.to !== version) {
    return refuse(scene, request, `version ${version} is not about to serve`);
  }
  if (busy.step === "generate") {
    return refuse(scene, request, `version ${version} does not exist yet`);
  }
  if (![...busy.dependents, ...record.dependents].includes(dependent)) {
    return refuse(scene, request, `${dependent} is not a dependent of it`);
  }
  const acknowledgedAtMs = { ...busy.acknowledgedAtMs, [dependent]: moment.nowMs };
  const next = withRotation(record, { ...busy, acknowledgedAtMs });
  return honour(scene, request, next, "acknowledged");
}

/** The tags are taken off afterwards; what was open ends here, and every key stays as it is. */
function unEnrol(scene: Scene, request: Of<"un-enrol">): Decision {
  const { record, moment } = scene;
  if (request.confirm !== record.alias) {
    return refuse(scene, request, `confirm says ${request.confirm}, not ${record.alias}`);
  }
  const givingBack = record.rotations.some(
    ({ restored }) => restored !== undefined && restored.enabledAtMs === undefined,
  );
  if (givingBack) {
    return refuse(scene, request, "a version is being given back: that comes first");
  }
  if (record.rotations.some(({ intent }) => intent.unansweredEpoch !== undefined)) {
    return refuse(scene, request, "a CreateKey without an answer may still make a key: ask later");
  }
  const next: ManagedKey = {
    ...without(record, "wanted", "proposal", "suspectedAtMs", "reconciledAtMs"),
    rotations: [],
    closed: [...record.closed, ...record.rotations],
    stops: [],
    unenrolment: { by: request.by, atMs: moment.nowMs },
  };
  return honour(scene, request, next, "un-enrol-asked");
}
