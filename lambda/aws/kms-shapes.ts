/** Converts between the SDK's shapes and ours; pure. */
import type {
  CreateGrantCommandInput,
  CreateKeyCommandInput,
  GetKeyLastUsageCommandOutput,
  GrantListEntry,
  KeyMetadata,
  Tag,
} from "@aws-sdk/client-kms";
import { canonicalJson } from "../record/canonical.ts";
import type { Call, Grant, Key, KeyState, LastUse, Tags } from "../workflow/model/types.ts";

export function keyOf(metadata: KeyMetadata | undefined): Key {
  if (metadata?.KeyId === undefined) throw new Error("KMS returned no key id");
  const { CustomKeyStoreId, DeletionDate } = metadata;
  return {
    keyId: metadata.KeyId,
    arn: metadata.Arn ?? metadata.KeyId,
    state: metadata.KeyState as KeyState,
    managedBy: metadata.KeyManager === "AWS" ? "AWS" : "CUSTOMER",
    description: metadata.Description ?? "",
    createdAtMs: metadata.CreationDate?.getTime() ?? 0,
    spec: metadata.KeySpec ?? "unknown",
    usage: metadata.KeyUsage ?? "unknown",
    origin: metadata.Origin ?? "unknown",
    multiRegion: metadata.MultiRegion ?? false,
    ...(CustomKeyStoreId === undefined ? {} : { customKeyStoreId: CustomKeyStoreId }),
    ...(DeletionDate === undefined ? {} : { deletionAtMs: DeletionDate.getTime() }),
  };
}

export function createKeyInput(call: Extract<Call, { kind: "CreateKey" }>): CreateKeyCommandInput {
  const { shape } = call;
  return {
    KeySpec: shape.spec as NonNullable<CreateKeyCommandInput["KeySpec"]>,
    KeyUsage: shape.usage as NonNullable<CreateKeyCommandInput["KeyUsage"]>,
    Origin: shape.origin as NonNullable<CreateKeyCommandInput["Origin"]>,
    MultiRegion: shape.multiRegion,
    ...(shape.customKeyStoreId === undefined ? {} : { CustomKeyStoreId: shape.customKeyStoreId }),
    Policy: call.policy,
    Description: call.description,
    Tags: tagList(call.tags),
  };
}

export function tagList(tags: Tags): Tag[] {
  return Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
}

/** A grant of ListGrants. KMS may return members and constraints that the SDK does not know yet. */
export type GrantEntry = Omit<GrantListEntry, "CreationDate" | "Constraints"> & {
  CreationDate?: unknown;
  Constraints?: GrantListEntry["Constraints"] & Record<string, unknown>;
};

export function grantOf(entry: GrantEntry): Grant {
  const { KeyId: _, CreationDate: __, IssuingAccount: ___, ...members } = entry;
  const { GrantId, Name, Operations, Constraints, ...parties } = members;
  const { GranteePrincipal, GranteeServicePrincipal: service, ...retired } = parties;
  const { RetiringPrincipal, RetiringServicePrincipal: retiringService, ...unknown } = retired;
  const { EncryptionContextEquals, EncryptionContextSubset, SourceArn, ...others } =
    Constraints ?? {};
  const constraints = {
    ...(EncryptionContextEquals ? { encryptionContextEquals: EncryptionContextEquals } : {}),
    ...(EncryptionContextSubset ? { encryptionContextSubset: EncryptionContextSubset } : {}),
    ...(SourceArn ? { sourceArn: SourceArn } : {}),
  };
  const grantee = GranteePrincipal ?? service;
  const notUnderstood = {
    ...(grantee === undefined ? { GranteePrincipal: "none" } : {}),
    ...named("", unknown),
    ...named("Constraints.", others),
  };
  return {
    grantId: GrantId ?? "",
    grantee: grantee ?? "",
    ...(!GranteePrincipal && service ? { granteeIsService: true as const } : {}),
    operations: Operations ?? [],
    ...(Name ? { name: Name } : {}),
    ...(RetiringPrincipal ? { retiring: RetiringPrincipal } : {}),
    ...(!RetiringPrincipal && retiringService
      ? { retiring: retiringService, retiringIsService: true as const }
      : {}),
    ...(Object.keys(constraints).length === 0 ? {} : { constraints }),
    ...(Object.keys(notUnderstood).length === 0 ? {} : { notUnderstood }),
  };
}

/** Members with a value, by name, each in canonical JSON. */
function named(prefix: string, members: object): Record<string, string> {
  const given = Object.entries(members).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  return Object.fromEntries(
    given.map(([name, value]) => [`${prefix}${name}`, canonicalJson(value)]),
  );
}

export function createGrantInput(
  call: Extract<Call, { kind: "CreateGrant" }>,
): CreateGrantCommandInput {
  const { name, grantee, retiring, operations, constraints } = call.grant;
  const { encryptionContextEquals: equals, encryptionContextSubset: subset } = constraints ?? {};
  const sourceArn = constraints?.sourceArn;
  return {
    KeyId: call.keyId,
    GranteePrincipal: grantee,
    Operations: operations as NonNullable<CreateGrantCommandInput["Operations"]>,
    ...(name === undefined ? {} : { Name: name }),
    ...(retiring === undefined ? {} : { RetiringPrincipal: retiring }),
    ...(constraints === undefined
      ? {}
      : {
          Constraints: {
            ...(equals === undefined ? {} : { EncryptionContextEquals: equals }),
            ...(subset === undefined ? {} : { EncryptionContextSubset: subset }),
            ...(sourceArn === undefined ? {} : { SourceArn: sourceArn }),
          },
        }),
  };
}

/**
 * No recorded use is evidence from the later of creation and the start of tracking. Earlier use of an
 * older key is unknown (API reference, GetKeyLastUsage).
 */
export function lastUseFrom(output: Omit<GetKeyLastUsageCommandOutput, "$metadata">): LastUse {
  const { KeyLastUsage: last, TrackingStartDate: tracked, KeyCreationDate: created } = output;
  if (last?.Timestamp !== undefined) {
    return {
      kind: "used",
      atMs: last.Timestamp.getTime(),
      operation: last.Operation ?? "unknown",
      ...(last.CloudTrailEventId === undefined ? {} : { eventId: last.CloudTrailEventId }),
    };
  }
  if (tracked === undefined || created === undefined) {
    return { kind: "unknown", why: "KMS reports no tracking start for this key" };
  }
  return { kind: "never", sinceMs: Math.max(tracked.getTime(), created.getTime()) };
}
