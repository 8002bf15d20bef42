/** Grants. Source: "Grants in AWS KMS" in the AWS KMS Developer Guide and the operations' pages. */
import { AwsError } from "../http/aws-error.ts";
import { flag, list, map, oneOf, structure, text, type Read } from "../http/shape.ts";
import {
  grantTokenShape,
  grantTokensShape,
  keyIdShape,
  pageShapes,
  principalShape,
  servicePrincipalShape,
  sourceArnShape,
} from "./common-shapes.ts";
import {
  checkConstraints,
  checkGrantMembers,
  checkGrantPrincipal,
  checkGrantable,
  grantOperationNames,
} from "./grant-rules.ts";
import { openKey } from "./open-key.ts";
import { operation } from "./operation.ts";
import { pageOf } from "./pages.ts";
import { isPrincipal } from "./principals.ts";
import { findKey } from "./resolve.ts";
import type { Call, Grant, KmsKey } from "./types.ts";
import { checkGrantTokens, endDryRun } from "./use-key.ts";

const maxGrantsPerKey = 50_000;
const grantIdShape = text({ min: 1, max: 128 });

const createInput = structure(
  {
    KeyId: keyIdShape,
    Operations: list(oneOf(...grantOperationNames)),
  },
  {
    GranteePrincipal: principalShape,
    GranteeServicePrincipal: servicePrincipalShape,
    RetiringPrincipal: principalShape,
    RetiringServicePrincipal: servicePrincipalShape,
    Constraints: structure(
      {},
      { EncryptionContextSubset: map(), EncryptionContextEquals: map(), SourceArn: sourceArnShape },
    ),
    GrantTokens: grantTokensShape,
    Name: text({ min: 1, max: 256, pattern: /^[a-zA-Z0-9:/_-]+$/ }),
    DryRun: flag(),
  },
);

type CreateGrantInput = Read<typeof createInput>;

const listInput = structure(
  { KeyId: keyIdShape },
  {
    GrantId: grantIdShape,
    GranteePrincipal: principalShape,
    GranteeServicePrincipal: servicePrincipalShape,
    ...pageShapes(100),
  },
);

const retireInput = structure(
  {},
  { GrantToken: grantTokenShape, KeyId: keyIdShape, GrantId: grantIdShape, DryRun: flag() },
);

export const grantOperations = {
  CreateGrant: operation(createInput, createGrant),

  ListGrants: operation(listInput, (call, input) => {
    const key = openKey(call, input.KeyId);
    if (input.GrantId !== undefined) checkGrantId(input.GrantId);
    const grants = [...key.grants.values()]
      .filter((grant) => input.GrantId === undefined || grant.grantId === input.GrantId)
      .filter((grant) => isOf(grant.grantee, input.GranteePrincipal))
      .filter((grant) => isOf(grant.grantee, input.GranteeServicePrincipal));
    const scope = `grants ${key.keyId}`;
    const { items, rest } = pageOf(byId(grants), (grant) => grant.grantId, input, {
      scope,
      defaultLimit: 50,
    });
    return { Grants: items.map((grant) => grantEntry(call, key, grant)), ...rest };
  }),

  ListRetirableGrants: operation(
    structure(
      {},
      {
        RetiringPrincipal: principalShape,
        RetiringServicePrincipal: servicePrincipalShape,
        ...pageShapes(100),
      },
    ),
    (call, input) => {
      const principal = input.RetiringPrincipal ?? input.RetiringServicePrincipal;
      if (principal === undefined) {
        const message = "Specify either RetiringPrincipal or RetiringServicePrincipal";
        throw new AwsError("ValidationException", message);
      }
      const keyOf = new Map<Grant, KmsKey>();
      for (const key of call.world.keys.values()) {
        for (const grant of key.grants.values()) {
          if (grant.retiring === principal) keyOf.set(grant, key);
        }
      }
      const { items, rest } = pageOf(byId([...keyOf.keys()]), (grant) => grant.grantId, input, {
        scope: `retirable ${principal}`,
        defaultLimit: 50,
      });
      const entries = items.map((grant) => grantEntry(call, keyOf.get(grant) as KmsKey, grant));
      return { Grants: entries, ...rest };
    },
  ),

  RetireGrant: operation(retireInput, retireGrant),

  RevokeGrant: operation(
    structure({ KeyId: keyIdShape, GrantId: grantIdShape }, { DryRun: flag() }),
    (call, input) => {
      const key = openKey(call, input.KeyId, { values: { "kms:GrantIsForAWSResource": "false" } });
      const grant = grantOf(key, input.GrantId);
      endDryRun(input);
      key.grants.delete(grant.grantId);
    },
  ),
};

function isOf(grantee: string, wanted: string | undefined): boolean {
  return wanted === undefined || wanted === grantee;
}

function createGrant(call: Call, input: CreateGrantInput) {
  checkGrantTokens(call, input.GrantTokens);
  checkGrantMembers(input);
  checkGrantPrincipal(call.world, input.GranteePrincipal ?? input.GranteeServicePrincipal);
  checkGrantPrincipal(call.world, input.RetiringPrincipal ?? input.RetiringServicePrincipal);
  const { Operations: operations, Constraints: constraints } = input;
  const grant = { operations, ...(constraints === undefined ? {} : { constraints }) };
  const key = openKey(call, input.KeyId, { values: conditionValues(input), grant });
  checkGrantable(key, input.Operations, input.Constraints);
  checkConstraints(input.Constraints);
  if (key.grants.size >= maxGrantsPerKey) {
    const message = `${key.arn} already has ${maxGrantsPerKey} grants`;
    throw new AwsError("LimitExceededException", message);
  }
  endDryRun(input);
  const wanted = newGrant(call, input);
  const made = twinOf(key, wanted) ?? wanted;
  key.grants.set(made.grantId, made);
  const token = Buffer.from(call.world.random.bytes(48)).toString("base64");
  call.world.grantTokens.set(token, { keyId: key.keyId, grantId: made.grantId });
  return { GrantId: made.grantId, GrantToken: token };
}

function newGrant(call: Call, input: CreateGrantInput): Grant {
  return {
    grantId: call.world.random.hex(64),
    ...(input.Name === undefined ? {} : { name: input.Name }),
    ...granteeOf(input),
    ...retiringOf(input),
    operations: [...new Set(input.Operations)],
    ...(input.Constraints === undefined ? {} : { constraints: input.Constraints }),
    createdAtMs: call.nowMs,
  };
}

function granteeOf({ GranteePrincipal, GranteeServicePrincipal = "" }: CreateGrantInput) {
  if (GranteePrincipal !== undefined) return { grantee: GranteePrincipal };
  return { grantee: GranteeServicePrincipal, granteeIsService: true as const };
}

function retiringOf({ RetiringPrincipal, RetiringServicePrincipal }: CreateGrantInput) {
  if (RetiringPrincipal !== undefined) return { retiring: RetiringPrincipal };
  if (RetiringServicePrincipal === undefined) return {};
  return { retiring: RetiringServicePrincipal, retiringIsService: true as const };
}

/** "When the name is present, you can retry a CreateGrant request with identical parameters." */
function twinOf(key: KmsKey, wanted: Grant): Grant | undefined {
  if (wanted.name === undefined) return undefined;
  const essence = ({ grantId: _, createdAtMs: __, ...rest }: Grant) =>
    JSON.stringify({ ...rest, operations: [...rest.operations].sort() });
  return [...key.grants.values()].find((grant) => essence(grant) === essence(wanted));
}

function conditionValues(input: CreateGrantInput) {
  const { EncryptionContextEquals: equals } = input.Constraints ?? {};
  const kind = equals === undefined ? "EncryptionContextSubset" : "EncryptionContextEquals";
  return {
    "kms:GranteePrincipal": input.GranteePrincipal,
    "kms:GranteeServicePrincipal": input.GranteeServicePrincipal,
    "kms:GrantConstraintSourceArn": input.Constraints?.SourceArn,
    "kms:RetiringPrincipal": input.RetiringPrincipal,
    "kms:GrantOperations": input.Operations,
    "kms:GrantIsForAWSResource": "false",
    "kms:GrantConstraintType": input.Constraints === undefined ? undefined : kind,
  };
}

function retireGrant(call: Call, input: Read<typeof retireInput>): void {
  const { GrantToken: token, KeyId: keyId, GrantId: grantId } = input;
  const byIds = keyId !== undefined && grantId !== undefined;
  if ((token === undefined) !== byIds || (token !== undefined && keyId !== undefined)) {
    const message = "Grant token OR (grant ID, key ID) must be specified";
    throw new AwsError("ValidationException", message);
  }
  const named = token === undefined ? undefined : call.world.grantTokens.get(token);
  if (token !== undefined && named === undefined) {
    throw new AwsError("InvalidGrantTokenException", "The grant token is not valid");
  }
  const key = findKey(call, named?.keyId ?? keyId ?? "");
  const grant = grantOf(key, named?.grantId ?? grantId ?? "");
  checkMayRetire(call, key, grant);
  endDryRun(input);
  key.grants.delete(grant.grantId);
}

/**
 * "Permission to retire a grant is determined primarily by the grant." The guide lets the grantee retire it only if it
 * includes RetireGrant; KMS itself always did (LocalStack's AWS-validated test_retire_grant_with_grant_token).
 */
function checkMayRetire(call: Call, key: KmsKey, grant: Grant): void {
  const { caller, world } = call;
  const allowed =
    caller.principalArn === `arn:aws:iam::${world.account}:root` ||
    (grant.retiring !== undefined && isPrincipal(caller, grant.retiring)) ||
    isPrincipal(caller, grant.grantee);
  if (allowed) return;
  const who = `User: ${caller.principalArn} is not authorized to perform`;
  throw new AwsError("AccessDeniedException", `${who}: kms:RetireGrant on resource: ${key.arn}`);
}

function grantOf(key: KmsKey, grantId: string): Grant {
  const grant = key.grants.get(grantId);
  if (grant !== undefined) return grant;
  checkGrantId(grantId);
  throw new AwsError("NotFoundException", `Grant ID ${grantId} not found`);
}

function checkGrantId(grantId: string): void {
  if (/^[0-9a-f]{64}$/.test(grantId)) return;
  throw new AwsError("InvalidGrantIdException", `Grant ID ${grantId} is not valid`);
}

function grantEntry(call: Call, key: KmsKey, grant: Grant) {
  const { unknownPrincipals } = call.world;
  const shown = (principal: string) => unknownPrincipals.get(principal) ?? principal;
  return {
    KeyId: key.arn,
    GrantId: grant.grantId,
    ...(grant.name === undefined ? {} : { Name: grant.name }),
    CreationDate: new Date(grant.createdAtMs),
    [grant.granteeIsService === true ? "GranteeServicePrincipal" : "GranteePrincipal"]: shown(
      grant.grantee,
    ),
    ...(grant.retiring === undefined
      ? {}
      : {
          [grant.retiringIsService === true ? "RetiringServicePrincipal" : "RetiringPrincipal"]:
            shown(grant.retiring),
        }),
    IssuingAccount: `arn:aws:iam::${call.world.account}:root`,
    Operations: grant.operations,
    ...(grant.constraints === undefined ? {} : { Constraints: grant.constraints }),
  };
}

function byId(grants: Grant[]): Grant[] {
  return grants.sort((a, b) => (a.grantId < b.grantId ? -1 : 1));
}
