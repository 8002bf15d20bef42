/** The histories to interrupt: from enrolment until the first version is out of use. */
import { dayMs } from "../fixtures.ts";
import type { Deployment } from "./deployment.ts";
import type { FirstVersion, History } from "./history.ts";

const grantee = "arn:aws:iam::000000000000:role/orders";

const orders: FirstVersion = {
  alias: "alias/orders",
  aliases: ["alias/orders-eu"],
  input: { Description: "orders at rest", Tags: [{ TagKey: "team", TagValue: "shop" }] },
  grants: [
    { GranteePrincipal: grantee, Operations: ["Encrypt", "Decrypt"] },
    {
      Name: "reporting",
      GranteePrincipal: grantee,
      RetiringPrincipal: grantee,
      Operations: ["Decrypt"],
      Constraints: { EncryptionContextSubset: { tenant: "a" } },
    },
  ],
};

const invoices: FirstVersion = {
  alias: "alias/invoices",
  input: { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" },
};

const tokens: FirstVersion = {
  alias: "alias/tokens",
  input: { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" },
};

/**
 * Opened on day 54, drained on day 84, soaked on day 98, deleted on day 105; the next on day 108.
 */
function shortPolicy(retire: "retain" | "disable" | "delete") {
  return {
    cryptoperiod: "60d",
    lead: "6d",
    drain: { atLeast: "30d", quietFor: "14d" },
    soak: "14d",
    deletionWindowDays: 7,
    retire,
  } as const;
}

function historyOf(name: string, keys: [FirstVersion, "retain" | "disable" | "delete"][]): History {
  return {
    name,
    firstVersions: keys.map(([first]) => first),
    horizonMs: 106.5 * dayMs,
    tagsFoundAfterMs: 0,
    document: {
      owner: "acme",
      policies: Object.fromEntries(keys.map(([, retire]) => [retire, shortPolicy(retire)])),
      managedKeys: keys.map(([{ alias, aliases = [] }, policy]) => ({ alias, aliases, policy })),
    },
  };
}

export const oneKey = historyOf("one key", [[orders, "delete"]]);

/** All keys are due at the same times: a run that dies leaves several of them half done. */
export const severalKeys = historyOf("several keys", [
  [orders, "delete"],
  [invoices, "disable"],
  [tokens, "retain"],
]);

/** A lookup misses the new key: the run must find the excess key later, and quarantine it. */
export const keyFoundLate: History = {
  ...historyOf("key found late", [[orders, "delete"]]),
  tagsFoundAfterMs: dayMs,
};

/** Makes the keys that exist before keyturn. */
export function makeFirstVersions(deployment: Deployment): void {
  for (const { alias, input, aliases = [], grants = [] } of deployment.history.firstVersions) {
    const { KeyMetadata } = deployment.ask<{ KeyMetadata: { KeyId: string } }>("CreateKey", input);
    const { KeyId } = KeyMetadata;
    for (const AliasName of [alias, ...aliases]) {
      deployment.ask("CreateAlias", { AliasName, TargetKeyId: KeyId });
    }
    for (const grant of grants) deployment.ask("CreateGrant", { KeyId, ...grant });
  }
}
