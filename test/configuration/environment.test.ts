import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { ConfigurationError } from "../../lambda/configuration/configuration.ts";
import { readEnvironment } from "../../lambda/configuration/environment.ts";

describe("readEnvironment", () => {
  const folder = mkdtempSync(join(tmpdir(), "keyturn-"));
  const path = join(folder, "config.json");
  writeFileSync(path, '{ "owner": "acme", "policies": { "quarterly": {} } }');
  const variables = { KEYTURN_TABLE: "keyturn-state", KEYTURN_CONFIG: path };
  afterAll(() => rmSync(folder, { recursive: true }));

  it("requires the table, and has defaults for the rest", () => {
    expect(readEnvironment(variables)).toMatchObject({
      tableName: "keyturn-state",
      eventBusName: "default",
      discovery: "tagging",
      quotaShare: 0.4,
      configuration: { owner: "acme", managedKeys: [] },
    });
  });

  it("uses the set values", () => {
    const set = { ...variables, KEYTURN_EVENT_BUS: "keys", KEYTURN_DISCOVERY: "walk" };
    expect(readEnvironment({ ...set, KEYTURN_QUOTA_SHARE: "1" })).toMatchObject({
      eventBusName: "keys",
      discovery: "walk",
      quotaShare: 1,
    });
  });

  it("reports every invalid variable", () => {
    const wrong = { KEYTURN_DISCOVERY: "tags", KEYTURN_EVENT_BUS: "a b", KEYTURN_TABLE: "" };
    expect(() => readEnvironment(wrong)).toThrow(
      expect.objectContaining({
        problems: [
          expect.objectContaining({ path: "KEYTURN_TABLE", got: "nothing" }),
          expect.objectContaining({ path: "KEYTURN_EVENT_BUS", got: '"a b"' }),
          expect.objectContaining({ path: "KEYTURN_DISCOVERY", got: '"tags"' }),
        ],
      }),
    );
  });

  it.each(["0", "0.0", "1.1", "-0.5", "half", "40%"])("rejects the quota share %s", (share) => {
    const wrong = { ...variables, KEYTURN_QUOTA_SHARE: share };
    expect(() => readEnvironment(wrong)).toThrow(/KEYTURN_QUOTA_SHARE: got .*a number above 0/);
  });

  it("reports the file that it could not read", () => {
    const missing = { ...variables, KEYTURN_CONFIG: join(folder, "missing.json") };
    expect(() => readEnvironment(missing)).toThrow(/KEYTURN_CONFIG: got ENOENT.*missing\.json/);
  });

  it("rejects a malformed configuration as such", () => {
    const malformed = join(folder, "malformed.json");
    writeFileSync(malformed, '{ "owner": "acme", "policies": { "q": { "soak": "1w" } } }');
    const error = expect.objectContaining({ code: "CONFIGURATION_INVALID" }) as ConfigurationError;
    expect(() => readEnvironment({ ...variables, KEYTURN_CONFIG: malformed })).toThrow(error);
  });
});
