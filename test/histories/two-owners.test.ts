import { describe, expect, test } from "vitest";
import type { Call, Step } from "../../lambda/workflow/model/types.ts";
import { SimRandom } from "../../embedded-aws/random.ts";
import type { CopiedDeployment } from "./copied-deployment.ts";
import { noAnswer, onCall } from "../faults.ts";
import { dayMs, hourMs } from "../fixtures.ts";
import { isRead } from "./plan-histories.ts";
import { interleave, orders, TwoDeployments } from "./two-deployments.ts";
import { isFull } from "../sizes.ts";

const throttled = { kind: "refused", refusal: "Throttled", message: "Rate exceeded" };

const races = isFull ? 30 : 8;

function changesBy(one: CopiedDeployment): string[] {
  return one.calls.filter((operation) => !isRead(operation));
}

describe("two deployments that are configured with one alias, from the start", () => {
  test.each(["acme", "globex"] as const)(
    "the key belongs to %s, whose run was first",
    async (name) => {
      const two = new TwoDeployments();
      const first = await two.begin();
      const [winner, loser] = name === "acme" ? two.both : [two.globex, two.acme];
      await two.tick(winner);
      await two.passDays(40, [loser, winner]);
      expect(await winner.stateOf(first)).toBe("deleted");
      expect(await winner.findings()).toEqual([]);
      expect(await loser.findings()).toEqual(["OTHER_OWNER"]);
      expect(changesBy(loser)).toEqual([]);
      expect(two.wrongs).toEqual([]);
    },
  );

  test("and run at once, call by call: the later tag wins, and only its owner continues", async () => {
    for (let seed = 0; seed < races; seed++) {
      const { two, winner, loser } = await race(seed);
      await two.passDays(25);
      expect(await winner.findings()).toEqual([]);
      expect((await winner.record()).versions.length).toBeGreaterThan(1);
      expect((await loser.findings()).join()).toMatch(/OTHER_OWNER|ALIAS_MOVED/);
      expect(changesBy(loser).filter((operation) => operation !== "TagResource")).toEqual([]);
      expect(two.wrongs).toEqual([]);
    }
  });

  // A deployment that read its own tags before the other's landed finds out when it reads them again.
  test("and run at once: the other deployment reports it within a day", async () => {
    for (let seed = 0; seed < races; seed++) {
      const { two, loser } = await race(seed);
      await two.passDays(1);
      expect(await loser.findings()).toEqual(["OTHER_OWNER"]);
    }
  });
});

async function race(
  seed: number,
): Promise<{ two: TwoDeployments; winner: CopiedDeployment; loser: CopiedDeployment }> {
  const two = new TwoDeployments();
  const first = await two.begin();
  const random = new SimRandom(seed);
  await interleave(two, random);
  const [winner, loser] =
    two.ownerOf(first) === "acme" ? two.both : ([two.globex, two.acme] as const);
  return { two, winner, loser };
}

/** Acme alone, with its first rotation open; then its fault ends. */
const stages: Record<string, (two: TwoDeployments) => Promise<void>> = {
  "in generate": (two) => stuckAt(two, "CreateKey"),
  "in distribute": async (two) => {
    await two.passDays(18, [two.acme]);
    await two.tick(two.acme);
  },
  "in activate": (two) => stuckAt(two, "UpdateAlias"),
  "in drain": (two) => two.passDays(20, [two.acme]),
  "in soak": (two) => two.passDays(22, [two.acme]),
};

const steps: Record<string, Step> = {
  "in generate": "generate",
  "in distribute": "distribute",
  "in activate": "activate",
  "in drain": "drain",
  "in soak": "revoke",
};

async function stuckAt(two: TwoDeployments, kind: Call["kind"]): Promise<void> {
  onCall(two.acme, kind, () => Promise.resolve(throttled));
  await two.passDays(19, [two.acme]);
  two.acme.intercept = undefined;
}

/** The later events of acme's managed key. */
const afterwards: Record<string, (two: TwoDeployments, first: string) => Promise<unknown> | void> =
  {
    nothing: () => undefined,
    "a rollback": ({ acme }) => void acme.request("rollback", { version: 2 }),
    "a request that declares it compromised": ({ acme }) =>
      void acme.request("compromised", { version: 1 }),
    "an un-enrolment": ({ acme }) => void acme.request("un-enrol", { confirm: orders }),
    "an alias on the old version": ({ acme }, TargetKeyId) =>
      acme.ask("UpdateAlias", { AliasName: orders, TargetKeyId }),
    "a grant on the old version": ({ acme }, KeyId) => {
      const GranteePrincipal = "arn:aws:iam::000000000000:role/app";
      const grant = { KeyId, GranteePrincipal, Operations: ["Decrypt"] };
      return acme.ask("CreateGrant", grant).catch(() => undefined);
    },
    "a reconciliation": async (two) => {
      two.acme.request("reconcile");
      await two.tick(two.acme);
      const { proposal } = await two.acme.record();
      two.acme.request("reconcile", { proposal: proposal?.revision });
    },
    "a use of the old version": async (two, KeyId) => {
      await two.acme.ask("Encrypt", { KeyId, Plaintext: Buffer.from("a") }).catch(() => undefined);
      for (const one of two.both) if (one.attempts.length > 0) await two.deliver(one);
    },
  };

describe("globex tags as its own a key of acme's rotation", () => {
  const cases = Object.keys(stages).flatMap((stage) =>
    Object.keys(afterwards).map((then) => [stage, then]),
  );
  test.each(cases)("%s, followed by %s: acme does not change it any more", async (stage, then) => {
    for (const which of [0, 1]) {
      const two = new TwoDeployments();
      const first = await two.begin();
      await stages[stage]?.(two);
      const { versions, rotations } = await two.acme.record();
      expect(rotations.map(({ step }) => step)).toEqual([steps[stage]]);
      const taken = versions[which]?.keyId ?? first;
      await two.giveTo("globex", taken);
      const before = await two.acme.stateOf(taken);
      await afterwards[then]?.(two, first);
      await two.passDays(3, [two.acme]);
      expect(await two.acme.stateOf(taken)).toBe(before);
      expect(two.ownerOf(taken)).toBe("globex");
      await two.passDays(7);
      two.acme.request("resume");
      await two.passDays(7);
      expect([...two.wrongs, ...two.unlucky]).toEqual([]);
      expect([...two.acme.errors, ...two.globex.errors]).toEqual([]);
    }
  });

  // The read before UpdateAlias is of the tags of the new version alone.
  test("behind the alias: acme does not move the alias", async () => {
    const two = new TwoDeployments();
    const first = await two.begin();
    await stages["in activate"]?.(two);
    await two.giveTo("globex", first);
    await two.passDays(3, [two.acme]);
    expect(await two.acme.targetOf(orders)).toBe(first);
  });

  test("that acme is about to restore: it stays Disabled", async () => {
    const two = new TwoDeployments();
    const first = await two.begin();
    await stages["in soak"]?.(two);
    onCall(two.acme, "EnableKey", () => Promise.resolve(throttled));
    await two.acme.ask("UpdateAlias", { AliasName: orders, TargetKeyId: first });
    await two.passDays(3, [two.acme]);
    two.acme.intercept = undefined;
    expect(two.acme.history()).toContain("restore-started");
    await two.giveTo("globex", first);
    await two.passDays(3, [two.acme]);
    expect(await two.acme.stateOf(first)).toBe("Disabled");
    expect(await two.acme.findings()).toContain("OTHER_OWNER");
  });

  test("that acme disabled in a closed rotation, and moves an alias to it: it stays Disabled", async () => {
    const two = new TwoDeployments({ policy: { retire: "disable" } });
    const first = await two.begin();
    await two.passDays(27, [two.acme]);
    expect((await two.acme.record()).rotations).toEqual([]);
    await two.giveTo("globex", first);
    await two.acme.ask("UpdateAlias", { AliasName: orders, TargetKeyId: first });
    await two.passDays(8, [two.acme]);
    expect(await two.acme.stateOf(first)).toBe("Disabled");
    expect(await two.acme.findings()).toContain("OTHER_OWNER");
  });

  test("that is in excess: acme does not disable it", async () => {
    const two = new TwoDeployments();
    await two.begin();
    await two.passDays(17, [two.acme]);
    const extra = await madeInExcess(two);
    await two.giveTo("globex", extra);
    await two.passDays(2);
    expect(await two.acme.stateOf(extra)).toBe("Enabled");
    expect(await two.acme.findings()).toEqual(["EXTRA_NOT_QUARANTINED"]);
    expect(two.wrongs).toEqual([]);
  });
});

/** The answer to the first CreateKey is lost, and the tag search does not find its key for a while. */
async function madeInExcess(two: TwoDeployments): Promise<string> {
  const { acme } = two;
  let made = 0;
  acme.intercept = async (_port, method, input, proceed) => {
    if (method === "keysTagged" && made < 2) return [];
    const answer = await proceed();
    if (method !== "change" || (input[0] as Call).kind !== "CreateKey") return answer;
    return ++made === 1 ? noAnswer : answer;
  };
  for (let hours = 0; hours < 72; hours++) {
    await two.passDays(1 / 24, [acme]);
    const [extra] = (await acme.record()).extras;
    if (extra !== undefined) return extra.keyId;
  }
  throw new Error("an excess key was expected");
}

describe("two deployments that run at once, while operators re-tag keys, move the alias and write requests", () => {
  test("neither changes a key that it read as the other's, or did not read", async () => {
    const histories = Number(process.env.TWO_OWNERS_HISTORIES ?? (isFull ? 150 : 30));
    for (let seed = 0; seed < histories; seed++) {
      const two = new TwoDeployments();
      await two.begin();
      await shortHistory(two, new SimRandom(seed));
      expect([seed, ...two.wrongs]).toEqual([seed]);
    }
  });
});

async function shortHistory(two: TwoDeployments, random: SimRandom): Promise<void> {
  for (let round = 0; round < 14; round++) {
    if (random.next() < 0.4) await changeAtRandom(two, random);
    await interleave(two, random, () => changeAtRandom(two, random));
    for (const one of two.both) {
      if (one.attempts.length > 0 && random.next() < 0.7) await two.deliver(one);
    }
    const dueInMs = (await two.nextDueMs(two.both)) - two.clock.nowMs();
    const ms = random.next() < 0.7 ? Math.max(0, dueInMs) : random.next() * 3 * dayMs;
    two.clock.advance(Math.min(ms, 20 * dayMs) + hourMs * random.next());
  }
}

async function changeAtRandom(two: TwoDeployments, random: SimRandom): Promise<void> {
  const pick = <T>(some: T[]): T => some[Math.floor(random.next() * some.length)] as T;
  const KeyId = pick([...two.kms.world.keys.keys()]);
  const one = pick(two.both);
  const { lastNumber = 1, proposal } = (await one.table.read(orders))?.record ?? {};
  const version = pick([lastNumber, Math.max(lastNumber - 1, 1)]);
  const requests: [string, Record<string, unknown>?][] = [
    ["rotate"],
    ["rollback", { version }],
    ["compromised", { version }],
    ["resume"],
    ["approve", { version, override: true, confirm: orders }],
    ["un-enrol", { confirm: orders }],
    ["reconcile", { proposal: proposal?.revision }],
  ];
  const what = random.next();
  if (what < 0.5) return two.giveTo(pick(["acme", "globex", "acme", "globex", undefined]), KeyId);
  if (what > 0.7) return void one.request(...pick(requests));
  const [operation, input] =
    what < 0.55
      ? ["UpdateAlias", { AliasName: orders, TargetKeyId: KeyId }]
      : ["Encrypt", { KeyId, Plaintext: Buffer.from("a") }];
  await one.ask(operation, input).catch(() => undefined);
}
