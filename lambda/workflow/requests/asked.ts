/**
 * How a request changes the record. One transition fulfils or rejects it and keeps its id: no
 * request is lost, and none is fulfilled twice. Nothing here calls KMS: the ordinary decisions
 * follow afterwards.
 */
import { decideApproval } from "./approval.ts";
import { fulfil, reject, type WellFormedRequest } from "./fulfil.ts";
import { otherTable } from "../safety/lineage.ts";
import { sameHome } from "../model/policy.ts";
import { decideReconcile } from "./reconcile.ts";
import {
  rotationBeforeActivation,
  rotationOut,
  withRotation,
  withVersion,
  without,
} from "../model/record.ts";
import { rollBack } from "./rollback.ts";
import { isHeld } from "../safety/holds.ts";
import type { Decision, ManagedKey, Request, Scene, Hold } from "../model/types.ts";

type Of<Kind extends Request["kind"]> = Extract<Request, { kind: Kind }>;

export function decideRequest(scene: Scene, request: Request): Decision {
  if (request.kind === "malformed") return reject(scene, request, request.why);
  const why = whyMovedOn(scene, request) ?? whyNotNow(scene, request);
  if (why !== undefined) return reject(scene, request, why);
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
    case "accept-policy":
      return acceptPolicy(scene, request);
    case "reconcile":
      return decideReconcile(scene, request);
    case "enrol":
      return enrol(scene, request);
    case "un-enrol":
      return unEnrol(scene, request);
  }
}

/** Why a plan no longer applies: the record or the configuration changed since. */
function whyMovedOn({ record, context }: Scene, { ifHead }: WellFormedRequest): string | undefined {
  if (ifHead === undefined) return undefined;
  if (ifHead !== context.head) {
    return `the plan names the head ${ifHead}; line ${record.revision} has another hash`;
  }
  const { home } = context;
  return home === undefined || sameHome(record, home)
    ? undefined
    : "the configuration has changed since the plan";
}

/** Obstacles that do not depend on the request's content. */
function whyNotNow({ record, context }: Scene, { kind }: WellFormedRequest): string | undefined {
  const always = kind === "pause" || kind === "resume";
  if (record.unenrolment !== undefined) {
    return kind === "resume" || kind === "enrol" ? undefined : "the managed key is un-enrolled";
  }
  if (always || kind === "reconcile") {
    return kind === "reconcile" && context.home === undefined
      ? "the alias is not configured"
      : undefined;
  }
  if (kind === "un-enrol") return undefined;
  if (otherTable(record, context) !== undefined || isBehind(record)) {
    return "the record is behind KMS: reconcile first";
  }
  if (context.home === undefined) return "the alias is not configured";
  if (kind === "enrol" || record.enrolledAtMs !== undefined) return undefined;
  return "the managed key is not enrolled";
}

function isBehind({ findings }: ManagedKey): boolean {
  return findings.some(({ code }) => code === "STATE_BEHIND_KMS");
}

function rotate(scene: Scene, request: Of<"rotate">): Decision {
  const { record, context } = scene;
  const busy = rotationBeforeActivation(record);
  if (busy !== undefined) {
    return reject(scene, request, `a rotation to version ${busy.to} is already open`);
  }
  if (record.wanted !== undefined) return reject(scene, request, "a rotation is already requested");
  const wanted = { urgent: false, by: request.by, atMs: context.nowMs };
  return fulfil(scene, request, { ...record, wanted }, "rotation-requested");
}

function compromised(scene: Scene, request: Of<"compromised">): Decision {
  const { record, context } = scene;
  const { version: number, by } = request;
  const version = record.versions.find((one) => one.number === number);
  if (version === undefined) return reject(scene, request, `there is no version ${number}`);
  const busy = rotationBeforeActivation(record);
  const rotation = rotationOut(record, number) ?? (busy?.from === number ? busy : undefined);
  if (rotation !== undefined && ["active", "draining"].includes(version.state)) {
    return fulfil(scene, request, withRotation(record, { ...rotation, urgent: true }), "expedited");
  }
  if (version.state !== "active") {
    const why = `version ${number} is ${version.state}, neither active nor draining`;
    return reject(scene, request, why);
  }
  const wanted = { urgent: true, by, atMs: context.nowMs };
  return fulfil(scene, request, { ...record, wanted }, "rotation-requested");
}

function rollback(scene: Scene, request: Of<"rollback">): Decision {
  const { record, context } = scene;
  const done = rollBack(record, request.version, context);
  if ("refused" in done) return reject(scene, request, done.refused);
  const { by, reason, version } = request;
  const hold = { kind: "rollback", atMs: context.nowMs, by, version, reason } as const;
  const reactivating = done.next.versions.find(({ state }) => state === "reactivating");
  // The rollback also reactivates a version that a use attempt restored: its hold ends.
  const answered = (one: Hold): boolean =>
    one.kind === "rollback" || (one.kind === "restored" && one.version === reactivating?.number);
  const holds = [...record.holds.filter((one) => !answered(one)), hold];
  const next = without({ ...done.next, holds }, "wanted");
  return fulfil(scene, request, next, done.entry.event, done.entry);
}

function pause(scene: Scene, request: Of<"pause">): Decision {
  const { record, context } = scene;
  if (isHeld(record, "pause")) return reject(scene, request, "the managed key is already paused");
  const { by, reason } = request;
  const holds = [...record.holds, { kind: "pause", atMs: context.nowMs, by, reason } as const];
  return fulfil(scene, request, { ...record, holds }, "paused");
}

/** Ends every hold; enrols an un-enrolled managed key again if it is configured. */
function resume(scene: Scene, request: Of<"resume">): Decision {
  const { record } = scene;
  if (record.unenrolment !== undefined) return enrolAnew(scene, request);
  if (record.holds.length === 0) return reject(scene, request, "the managed key has no hold");
  return fulfil(scene, request, { ...record, holds: [] }, "resumed");
}

function enrolAnew(scene: Scene, request: Of<"resume" | "enrol">): Decision {
  const { record, context } = scene;
  if (record.unenrolment?.endedAtMs === undefined) {
    return reject(scene, request, "un-enrolment is not complete");
  }
  if (context.home === undefined) {
    return reject(scene, request, "the alias is not configured");
  }
  const anew = without(record, "unenrolment", "enrolledAtMs", "taggedAtMs", "reconciledAtMs");
  return fulfil(scene, request, { ...anew, holds: [] }, "re-enrolled");
}

/** Reading the request created the record: this records the requester. */
function enrol(scene: Scene, request: Of<"enrol">): Decision {
  const { record, context } = scene;
  const { name } = context.home?.policy ?? record.policy;
  if (name !== request.policy) return reject(scene, request, `the policy is ${name}`);
  if (record.unenrolment !== undefined) return enrolAnew(scene, request);
  if (record.enrolledAtMs !== undefined) {
    return reject(scene, request, "the managed key is already enrolled");
  }
  return fulfil(scene, request, record, "enrol-requested", { detail: { policy: name } });
}

function acknowledge(scene: Scene, request: Of<"acknowledge">): Decision {
  const { record, context } = scene;
  const { version, dependent } = request;
  const busy = rotationBeforeActivation(record);
  if (busy === undefined || busy.direction === "back" || busy.to !== version) {
    return reject(scene, request, `no open rotation leads to version ${version}`);
  }
  if (busy.step === "generate") {
    return reject(scene, request, `version ${version} does not exist yet`);
  }
  if (![...busy.dependents, ...record.dependents].includes(dependent)) {
    return reject(scene, request, `${dependent} is not a dependent`);
  }
  const acknowledgedAtMs = { ...busy.acknowledgedAtMs, [dependent]: context.nowMs };
  const next = withRotation(record, { ...busy, acknowledgedAtMs });
  return fulfil(scene, request, next, "acknowledged");
}

/** The request names the policy that the operator read: a later change is reported again. */
function acceptPolicy(scene: Scene, request: Of<"accept-policy">): Decision {
  const { record } = scene;
  const { version: number, policy } = request;
  const version = record.versions.find((one) => one.number === number);
  if (version === undefined) return reject(scene, request, `there is no version ${number}`);
  if (version.policyChangedTo !== policy) {
    return reject(scene, request, `version ${number} has another key policy, or an accepted one`);
  }
  const accepted = { ...without(version, "policyChangedTo"), policyHash: policy };
  const next = withVersion(record, accepted);
  return fulfil(scene, request, next, "policy-accepted", { detail: { policyHash: policy } });
}

/** Closes all rotations and leaves every key as it is; later decisions remove the tags. */
function unEnrol(scene: Scene, request: Of<"un-enrol">): Decision {
  const { record, context } = scene;
  if (request.confirm !== record.alias) {
    return reject(scene, request, `confirm is ${request.confirm}, not ${record.alias}`);
  }
  const restoring = record.rotations.some(
    ({ restored }) => restored !== undefined && restored.enabledAtMs === undefined,
  );
  if (restoring) {
    return reject(scene, request, "a restore must complete first");
  }
  if (record.rotations.some(({ intent }) => intent.unansweredEpoch !== undefined)) {
    return reject(scene, request, "an unanswered CreateKey may still create a key: retry later");
  }
  const next: ManagedKey = {
    ...without(record, "wanted", "proposal", "suspectedAtMs", "reconciledAtMs"),
    rotations: [],
    closed: [...record.closed, ...record.rotations],
    holds: [],
    unenrolment: { by: request.by, atMs: context.nowMs },
  };
  return fulfil(scene, request, next, "un-enrol-requested");
}
