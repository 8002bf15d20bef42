import { describe, expect, test } from "vitest";
import { decideActiveVersion } from "../../lambda/workflow/active-version.ts";
import { archive } from "../../lambda/workflow/safety/public-keys.ts";
import { minuteMs } from "../fixtures.ts";
import { changes, waits } from "./decided.ts";
import { aRecord, aScene, aVersion, denied, nowMs, present } from "./scene.ts";

const version = aVersion(1, { publicKey: undefined });

function denying(changedAgoMs: number, more: Parameters<typeof aRecord>[0] = {}) {
  const authorizationChangedAtMs = nowMs - changedAgoMs;
  const record = aRecord({ versions: [version], authorizationChangedAtMs, ...more });
  return aScene({ record, observed: { "public-key": { "key-1": denied } } });
}

describe("the public key of an Enabled version", () => {
  test("is archived in the journal", () => {
    const setting = aScene({ observed: { "public-key": { "key-1": present("a public key") } } });
    expect(archive(setting, version)).toMatchObject(
      changes("public-key-archived", { publicKey: "a public key" }),
    );
  });

  test("is read again once the tags have reached authorization", () => {
    const untilMs = nowMs + 9 * minuteMs;
    expect(archive(denying(minuteMs), version)).toMatchObject(waits(untilMs));
    expect(archive(denying(10 * minuteMs), version)).toBeUndefined();
  });

  test("keeps nobody waiting whose version is out of use", () => {
    const suspected = denying(minuteMs, { suspectedAtMs: nowMs - minuteMs });
    expect(decideActiveVersion(suspected)).toMatchObject(changes("cleared"));
  });
});
