/** Refused uses as the table has them, and whether more would arrive; pure. */
import type { AppliedConfiguration } from "../../lambda/ports.ts";
import type {
  ManagedKey,
  Refusals,
  RefusalsWatch,
  RefusedOn,
} from "../../lambda/workflow/model/types.ts";
import { isRetiring } from "../../lambda/workflow/model/record.ts";
import { refusalsGapMs } from "../../lambda/workflow/revoke/collected.ts";

export type KnownRefusals = {
  refusals: Refusals | undefined;
  watch: RefusalsWatch | undefined;
  configuration: AppliedConfiguration | undefined;
};

/** The table of an older version. */
export const nothingKnown: KnownRefusals = {
  refusals: undefined,
  watch: undefined,
  configuration: undefined,
};

/** Undefined where the table does not show it: an older version stored no setting, and no canary arrived. */
export function isCollected({
  configuration,
  watch,
}: Omit<KnownRefusals, "refusals">): boolean | undefined {
  const setting = configuration?.refusalsWatch;
  if (setting !== undefined) return setting === "cloudtrail";
  return watch === undefined ? undefined : true;
}

/** A run sends a canary a day while a rotation retires a version: whether none arrived for too long. */
export function isUncollected(
  { rotations, versions }: Pick<ManagedKey, "rotations" | "versions">,
  watch: RefusalsWatch | undefined,
  nowMs: number,
): boolean {
  if (watch !== undefined && nowMs - watch.heardAtMs <= refusalsGapMs) return false;
  return rotations.filter(isRetiring).some(({ from, stepSinceMs }) => {
    const old = versions.find(({ number }) => number === from);
    return old !== undefined && nowMs > (old.retiredAtMs ?? stepSinceMs) + refusalsGapMs;
  });
}

/** Only KMS knows whether the key policy alone explains a refusal: the prediction excuses none. */
export function withoutExcuses({ on, ...rest }: Refusals): Refusals {
  const withoutExcuse = ({ uses, ...others }: RefusedOn): RefusedOn => {
    const plain = Object.entries(uses).map(([name, { byKeyPolicy: _, ...use }]) => [name, use]);
    return { ...others, uses: Object.fromEntries(plain) as RefusedOn["uses"] };
  };
  const subjects = Object.entries(on).map(([subject, of]) => [subject, withoutExcuse(of)]);
  return { ...rest, on: Object.fromEntries(subjects) as Refusals["on"] };
}
