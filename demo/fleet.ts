/** The demo's fleet: keys of every kind, and three policies that differ in `retire`. */
import type { CreateKeyCommandInput } from "@aws-sdk/client-kms";
import type { ConfigurationDocument, Policy } from "../lambda/configuration/configuration.ts";

export const dayMs = 86_400_000;
export const minuteMs = 60_000;

export type Retire = Policy["retire"];

/** The application's use of an alias. */
export type Use = "encrypt" | "data-key" | "sign" | "mac";

type Kind = {
  name: string;
  spec: NonNullable<CreateKeyCommandInput["KeySpec"]>;
  usage: NonNullable<CreateKeyCommandInput["KeyUsage"]>;
  use: Use;
  algorithm: string;
  retire: Retire;
};

export type Member = Kind & {
  alias: string;
  /** All aliases that move together, its own alias first. */
  aliases: string[];
  /** The age of its first version at the start of the story. */
  ageMs: number;
};

const kinds: Kind[] = [
  {
    name: "orders",
    spec: "SYMMETRIC_DEFAULT",
    usage: "ENCRYPT_DECRYPT",
    use: "encrypt",
    algorithm: "SYMMETRIC_DEFAULT",
    retire: "delete",
  },
  {
    name: "webhooks",
    spec: "HMAC_256",
    usage: "GENERATE_VERIFY_MAC",
    use: "mac",
    algorithm: "HMAC_SHA_256",
    retire: "disable",
  },
  {
    name: "archive",
    spec: "SYMMETRIC_DEFAULT",
    usage: "ENCRYPT_DECRYPT",
    use: "data-key",
    algorithm: "SYMMETRIC_DEFAULT",
    retire: "retain",
  },
  {
    name: "releases",
    spec: "RSA_2048",
    usage: "SIGN_VERIFY",
    use: "sign",
    algorithm: "RSASSA_PSS_SHA_256",
    retire: "disable",
  },
  {
    name: "tokens",
    spec: "ECC_NIST_P256",
    usage: "SIGN_VERIFY",
    use: "sign",
    algorithm: "ECDSA_SHA_256",
    retire: "delete",
  },
  {
    name: "contracts",
    spec: "ML_DSA_65",
    usage: "SIGN_VERIFY",
    use: "sign",
    algorithm: "ML_DSA_SHAKE_256",
    retire: "retain",
  },
  {
    name: "mailbox",
    spec: "RSA_2048",
    usage: "ENCRYPT_DECRYPT",
    use: "encrypt",
    algorithm: "RSAES_OAEP_SHA_256",
    retire: "disable",
  },
];

/** Keys of one cohort have the same creation time and rotate together. The first two are alone. */
const firstCohorts = [2, 0, 3, 1, 2, 3];
const cohortsOfTheRest = { from: 4, count: 36 };

export function makeFleet(count: number): Member[] {
  return Array.from({ length: count }, (_, index) => memberOf(index));
}

function memberOf(index: number): Member {
  const kind = kinds[index % kinds.length];
  if (kind === undefined) throw new Error(`no kind of key for ${index}`);
  const round = Math.floor(index / kinds.length);
  const alias = `alias/${kind.name}${round === 0 ? "" : `-${round + 1}`}`;
  const aliases = index === 0 ? [alias, `${alias}-eu`] : [alias];
  return { ...kind, alias, aliases, ageMs: ageOf(cohortOf(index)) };
}

function cohortOf(index: number): number {
  const { from, count } = cohortsOfTheRest;
  return firstCohorts[index] ?? from + ((index - firstCohorts.length) % count);
}

/**
 * Cohorts are weeks apart, and each has its own time of day: the short waits of one cohort's
 * rotation end before those of another begin. No events of two cohorts coincide.
 */
function ageOf(cohort: number): number {
  const days = 1 + ((cohort * 7) % 28);
  const timeOfDayMs = 6 * 60 * minuteMs + cohort * 25 * minuteMs;
  return days * dayMs - timeOfDayMs;
}

/** The age of the oldest first version at the start of the story, rounded up. */
export const oldestAgeMs = 29 * dayMs;

const cryptoperiodDays = 90;
const leadDays = 7;

/** The day of the story on which the first rotation falls due. */
export function firstRotationDay(fleet: Member[]): number {
  const oldestMs = Math.max(...fleet.map(({ ageMs }) => ageMs));
  return Math.ceil(cryptoperiodDays - leadDays - oldestMs / dayMs);
}

export function documentOf(fleet: Member[]): ConfigurationDocument {
  const policyOf = (retire: Retire) => ({
    cryptoperiod: `${cryptoperiodDays}d`,
    lead: `${leadDays}d`,
    propagation: "15m",
    drain: { atLeast: "30d", quietFor: "14d" },
    retire,
    soak: "7d",
    deletionWindowDays: 7,
  });
  return {
    owner: "keyturn-demo",
    policies: {
      "quarterly-retain": policyOf("retain"),
      "quarterly-disable": policyOf("disable"),
      "quarterly-delete": policyOf("delete"),
    },
    managedKeys: fleet.map(({ alias, aliases, retire }) => ({
      alias,
      policy: `quarterly-${retire}`,
      aliases: aliases.slice(1),
    })),
  };
}
