/** Grants as KMS has them since May 2026, and as it may have them later: no emulator has either yet. */
import { describe, expect, test } from "vitest";
import type { Grant } from "../../lambda/workflow/model/types.ts";
import { aTwinLab, aWireLab, absentKeyId, timesCalled, type TwinLab } from "./sides.ts";

const app = "arn:aws:iam::000000000000:role/app";
const SourceArn = "arn:aws:dynamodb:us-east-1:000000000000:table/t";

const sides: [side: string, open: () => Promise<TwinLab>][] = [
  ["the SDK adapter, over the wire", () => aWireLab()],
  ["the twin", () => Promise.resolve(aTwinLab())],
];

async function grantsOn({ keys }: TwinLab, keyId: string): Promise<Grant[]> {
  const observation = await keys.grantsOf(keyId);
  return observation.kind === "observed" ? observation.value : [];
}

describe.each(sides)("the grants of a key, through %s,", (_side, open) => {
  test("of a service have the members of a service", async () => {
    const lab = await open();
    const keyId = lab.aKey();
    const { GrantId: grantId } = lab.ask<{ GrantId: string }>("CreateGrant", {
      KeyId: keyId,
      GranteeServicePrincipal: "dynamodb.amazonaws.com",
      RetiringServicePrincipal: "dynamodb.amazonaws.com",
      Operations: ["Decrypt"],
      Constraints: { SourceArn },
    });
    expect(await grantsOn(lab, keyId)).toStrictEqual([
      {
        grantId,
        grantee: "dynamodb.amazonaws.com",
        granteeIsService: true,
        operations: ["Decrypt"],
        retiring: "dynamodb.amazonaws.com",
        retiringIsService: true,
        constraints: { sourceArn: SourceArn },
      },
    ]);
  });

  test("keep their source when keyturn makes them", async () => {
    const lab = await open();
    const keyId = lab.aKey();
    const grant = { grantee: app, operations: ["Decrypt"], constraints: { sourceArn: SourceArn } };
    await lab.keys.change({ kind: "CreateGrant", keyId, grant }, lab.guard());
    expect(await grantsOn(lab, keyId)).toMatchObject([grant]);
  });

  test("have every constraint that KMS returns, also one that no code knows", async () => {
    const lab = await open();
    const keyId = lab.aKey();
    const later = { SourceVpc: { Ids: ["vpc-1"] }, EncryptionContextSubset: { tenant: "a" } };
    lab.kms.world.keys.get(keyId)?.grants.set("g", {
      grantId: "g",
      grantee: app,
      operations: ["Decrypt"],
      constraints: later,
      createdAtMs: 0,
    });
    expect(await grantsOn(lab, keyId)).toStrictEqual([
      {
        grantId: "g",
        grantee: app,
        operations: ["Decrypt"],
        constraints: { encryptionContextSubset: { tenant: "a" } },
        notUnderstood: { "Constraints.SourceVpc": '{"Ids":["vpc-1"]}' },
      },
    ]);
  });

  test("are absent where the key is", async () => {
    const { keys } = await open();
    expect(await keys.grantsOf(absentKeyId)).toEqual({ kind: "absent" });
  });

  test("show a deleted role by its id, and none can be made for it", async () => {
    const lab = await open();
    const keyId = lab.aKey();
    const grant = { grantee: app, operations: ["Decrypt"] };
    await lab.keys.change({ kind: "CreateGrant", keyId, grant }, lab.guard());
    lab.kms.world.unknownPrincipals.set(app, "AROAEXAMPLEID12345678");
    expect(await grantsOn(lab, keyId)).toMatchObject([{ grantee: "AROAEXAMPLEID12345678" }]);
    const outcome = await lab.keys.change({ kind: "CreateGrant", keyId, grant }, lab.guard());
    expect(outcome).toMatchObject({ kind: "refused", refusal: "UnknownPrincipal" });
  });
});

test("a page of grants whose answer is lost is read again", async () => {
  const lab = await aWireLab();
  const keyId = lab.aKey();
  for (let index = 0; index < 205; index++) {
    const Name = `g${index}`;
    lab.ask("CreateGrant", { KeyId: keyId, GranteePrincipal: app, Operations: ["Decrypt"], Name });
  }
  let page = 0;
  lab.aws.fault = () => (++page === 2 ? { kind: "lost" } : undefined);
  const names = (await grantsOn(lab, keyId)).map(({ name }) => name);
  expect(new Set(names).size).toBe(205);
  expect(names).toHaveLength(205);
  expect(timesCalled(lab.aws, "ListGrants")).toBe(4);
});
