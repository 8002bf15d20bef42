import { describe, expect, test } from "vitest";
import { decideActiveVersion } from "../../lambda/workflow/active-version.ts";
import {
  archive,
  failsSilently,
  isAsymmetric,
  retiredAs,
  whyKept,
} from "../../lambda/workflow/safety/public-keys.ts";
import type { KeyShape } from "../../lambda/workflow/model/types.ts";
import { aPolicy, minuteMs } from "../fixtures.ts";
import { decide } from "../../lambda/workflow/workflow.ts";
import { calls, changes, nextOf, readsOf, spoken, waits } from "./decided.ts";
import { absent, aRecord, aScene, aVersion, denied, nowMs, present, retiredAtMs } from "./scene.ts";

const version = aVersion(1, { publicKey: undefined });

function denying(changedAgoMs: number, more: Parameters<typeof aRecord>[0] = {}) {
  const authorizationChangedAtMs = nowMs - changedAgoMs;
  const record = aRecord({ versions: [version], authorizationChangedAtMs, ...more });
  return aScene({ record, observed: { "public-key": { "key-1": denied } } });
}

describe("the public key of an Enabled version", () => {
  test("is archived in the journal", () => {
    const setting = aScene({ observed: { "public-key": { "key-1": present("a public key") } } });
    const archived = archive(setting, version);
    expect(archived).toMatchObject(
      changes("public-key-archived", {
        version: 1,
        keyId: "key-1",
        spec: "RSA_2048",
        publicKey: "a public key",
      }),
    );
    expect(nextOf(archived).versions).toEqual([aVersion(1, { publicKey: "a public key" })]);
  });

  test("is read once, and not where it is archived", () => {
    const observed = aScene({ observed: { "public-key": { "key-1": absent } } }).observed;
    const asked = (of: typeof version) =>
      readsOf((some) => archive({ ...aScene(), observed: some }, of), observed);
    expect(asked(version)).toEqual(["public-key key-1"]);
    expect(asked(aVersion(1))).toEqual([]);
  });

  test.each<KeyShape["spec"]>(["SYMMETRIC_DEFAULT", "HMAC_256"])(
    "does not exist for a key of the spec %s",
    (spec) => {
      expect(archive(aScene(), { ...version, shape: { ...version.shape, spec } })).toBeUndefined();
    },
  );

  test("is archived at once where KMS shows it, whatever changed lately", () => {
    const shown = { "public-key": { "key-1": present("a public key") } };
    const { record } = denying(minuteMs);
    expect(archive(aScene({ record, observed: shown }), version)).toMatchObject(
      changes("public-key-archived"),
    );
  });

  test("is read again once the tags have reached authorization", () => {
    const untilMs = nowMs + 9 * minuteMs;
    expect(spoken(archive(denying(minuteMs), version))).toMatchObject(waits(untilMs));
    expect(archive(denying(10 * minuteMs), version)).toBeUndefined();
  });

  test("does not delay the restore of a version that is out of use", () => {
    const label = "r1";
    const old = aVersion(1, { state: "disabled", retiredAtMs, label });
    const active = aVersion(2, { publicKey: undefined });
    const authorizationChangedAtMs = nowMs - 6 * minuteMs;
    const { record, observed, context } = aScene({
      record: { versions: [old, active], authorizationChangedAtMs },
      observed: {
        aliases: { "key-1": present(["alias/b"]) },
        "public-key": { "key-2": denied },
      },
    });
    expect(decideActiveVersion({ record, observed, context })).toMatchObject({ kind: "wait" });
    expect(decide(record, observed, context).decision).toMatchObject(
      calls("EnableKey", { keyId: "key-1" }, { kind: "active" }),
    );
  });
});

const shaped = (spec: KeyShape["spec"], usage: KeyShape["usage"], publicKey?: string) =>
  aVersion(1, { shape: { ...version.shape, spec, usage }, publicKey });
const archived = "its public key";

describe("a retired version whose policy deletes", () => {
  test.each<[what: string, of: typeof version]>([
    ["decrypts what a public key encrypted", shaped("RSA_2048", "ENCRYPT_DECRYPT", archived)],
    ["agrees on secrets", shaped("ECC_NIST_P256", "KEY_AGREEMENT", archived)],
    ["signs, with a public key that nobody archived", shaped("RSA_2048", "SIGN_VERIFY")],
  ])("stays disabled where it %s", (_what, of) => {
    expect(retiredAs(aPolicy({ retire: "delete" }), of)).toBe("disable");
    expect(whyKept(of)).toMatch(/public key/);
    expect(retiredAs(aPolicy({ retire: "retain" }), of)).toBe("retain");
  });

  test.each<[what: string, of: typeof version]>([
    ["signs, with an archived public key", shaped("RSA_2048", "SIGN_VERIFY", archived)],
    ["is symmetric", shaped("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")],
    ["authenticates messages", shaped("HMAC_256", "GENERATE_VERIFY_MAC")],
  ])("may be deleted where it %s", (_what, of) => {
    expect(retiredAs(aPolicy({ retire: "delete" }), of)).toBe("delete");
    expect(whyKept(of)).toBeUndefined();
  });
});

test.each<[KeyShape["usage"], silently: boolean]>([
  ["KEY_AGREEMENT", true],
  ["ENCAPSULATE_DECAPSULATE", true],
  ["SIGN_VERIFY", false],
  ["ENCRYPT_DECRYPT", false],
])("a caller with the old public key of a key for %s fails silently: %s", (usage, silently) => {
  expect(failsSilently({ ...version.shape, usage })).toBe(silently);
});

test("only a key pair has a public key", () => {
  const pairs = (["RSA_2048", "SYMMETRIC_DEFAULT", "HMAC_512"] as const).filter((spec) =>
    isAsymmetric({ ...version.shape, spec }),
  );
  expect(pairs).toEqual(["RSA_2048"]);
});
