/**
 * The permissions of the function's role: no cryptographic operation on any key, no change to a key
 * of another owner, and in mode `plan` no change to any key. They take effect only on keys whose
 * key policy delegates to IAM.
 */
import type * as events from "aws-cdk-lib/aws-events";
import * as iam from "aws-cdk-lib/aws-iam";
import type { Configuration, Policy } from "../lambda/configuration/configuration.ts";
import { tableDefinition } from "../lambda/record/table-definition.ts";
import { provenQuietDays } from "../lambda/workflow/model/policy.ts";
import { tagNames } from "../lambda/workflow/model/tag-names.ts";

/**
 * The most characters of alias ARNs in one statement, for CDK to spread the statements over the
 * role's managed policies, and in all of them: nine or ten policies of 6,144 characters.
 */
const statementCharactersMax = 5_000;
const aliasCharactersMax = 40_000;
/** The rest of an ARN around the alias name, with quotes and comma. */
const arnCharacters = 55;

/** AWS services as principals: ARNs of customers' roles end otherwise. */
const serviceNames = ["*.amazonaws.com", "*.amazonaws.com.cn", "*.amazonaws.eu"];

export type PermissionsProps = {
  configuration: Configuration;
  discovery: "tagging" | "walk";
  /** Patterns of ARNs in the stack's account and Region: `key/*` and `alias/<name>`. */
  keyArn: string;
  aliasArn: (alias: string) => string;
  role: iam.IRole;
  /** A pattern of the ARNs of the role's sessions. */
  sessionArn: string;
};

export type Conditions = Record<string, Record<string, unknown>>;

/** The KMS statements, the broad ones last. */
export function kmsStatements(props: PermissionsProps): iam.PolicyStatement[] {
  // Mode `plan` needs no right to change keys; the role proves that it makes no change.
  return props.configuration.mode === "plan" ? reads(props) : [...changes(props), ...reads(props)];
}

function changes(props: PermissionsProps): iam.PolicyStatement[] {
  return [
    ...creation(props),
    ...active(props),
    ...finish(props),
    allow("CopyGrants", ["kms:CreateGrant"], [props.keyArn], {
      ...ownKey(props),
      // A grant to the role itself or its sessions would give it forbidden rights.
      StringNotLike: {
        "kms:GranteePrincipal": [props.role.roleArn, props.sessionArn, ...serviceNames],
      },
      // A grant of an AWS service is the service's to make.
      Null: { "kms:GranteeServicePrincipal": "true" },
    }),
  ];
}

function reads(props: PermissionsProps): iam.PolicyStatement[] {
  return [
    allow("LookAtOwnUse", ["kms:GetKeyLastUsage"], [props.keyArn], ownKey(props)),
    // A public key is no secret; keyturn archives it to keep signatures verifiable.
    allow("ArchivePublicKeys", ["kms:GetPublicKey"], [props.keyArn], ownKey(props)),
    allow(
      "LookAtKeys",
      [
        ...["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus"],
        ...["kms:ListGrants", "kms:ListResourceTags"],
      ],
      [props.keyArn],
    ),
    // These have no resource: IAM accepts only the asterisk.
    allow(
      "LookForKeys",
      ["kms:ListAliases", props.discovery === "walk" ? "kms:ListKeys" : "tag:GetResources"],
      ["*"],
    ),
  ];
}

export function tableStatements(tableArn: string): iam.PolicyStatement[] {
  const items = ["BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"];
  const index = `${tableArn}/index/${tableDefinition.dueIndex.name}`;
  return [
    allow(
      "KeepState",
      items.map((action) => `dynamodb:${action}`),
      [tableArn],
    ),
    allow("FindWhatIsDue", ["dynamodb:Query"], [index]),
    // Its id distinguishes the table from a restored one with the same name.
    allow("KnowTheTable", ["dynamodb:DescribeTable"], [tableArn]),
  ];
}

/** The rights for `npx keyturn` without its requests. */
export function stateReading(tableArn: string): { actions: string[]; resourceArns: string[] } {
  return {
    actions: ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"],
    resourceArns: [tableArn, `${tableArn}/index/${tableDefinition.dueIndex.name}`],
  };
}

/** An operator's rights: `request#<alias>` is the partition of that managed key's requests. */
export function requestWriting(aliases: string[]): { actions: string[]; conditions: Conditions } {
  const partitions = (aliases.length === 0 ? ["*"] : aliases).map((alias) => `request#${alias}`);
  return { actions: ["dynamodb:PutItem"], conditions: onPartitions(partitions) };
}

/** Only requests for items of these partitions; patterns, with `*` for any characters. */
export function onPartitions(partitions: string[]): Conditions {
  return {
    "ForAllValues:StringLike": { "dynamodb:LeadingKeys": partitions },
    // ForAllValues is also true for a request that names no item.
    Null: { "dynamodb:LeadingKeys": "false" },
  };
}

export function eventStatements(eventBus: events.IEventBus): iam.PolicyStatement[] {
  return [
    allow("TellDependents", ["events:PutEvents"], [eventBus.eventBusArn], {
      StringEquals: { "events:source": "keyturn" },
    }),
  ];
}

function creation({ configuration, keyArn }: PermissionsProps): iam.PolicyStatement[] {
  const ownerInRequest = `aws:RequestTag/${tagNames.owner}`;
  const ownerOfKey = `aws:ResourceTag/${tagNames.owner}`;
  const { owner } = configuration;
  const ourTagsAlone = {
    "ForAllValues:StringLike": { "aws:TagKeys": "keyturn:*" },
    // ForAllValues is also true for a request without tags.
    Null: { "aws:TagKeys": "false" },
  };
  return [
    allow("CreateOwn", ["kms:CreateKey"], ["*"], {
      StringEquals: { [ownerInRequest]: owner },
      BoolIfExists: { "kms:BypassPolicyLockoutSafetyCheck": "false" },
    }),
    // Creation and enrolment: an unowned key becomes ours, one of another owner never.
    allow("TakeOwnership", ["kms:TagResource"], [keyArn], {
      StringEquals: { [ownerInRequest]: owner },
      StringEqualsIfExists: { [ownerOfKey]: owner },
    }),
    allow("LabelOwn", ["kms:TagResource"], [keyArn], {
      StringEquals: { [ownerOfKey]: owner },
      StringEqualsIfExists: { [ownerInRequest]: owner },
      ...ourTagsAlone,
    }),
    // A rollback removes the drain label, un-enrolling removes all tags of keyturn but keyturn:alias.
    allow("UnlabelOwn", ["kms:UntagResource"], [keyArn], {
      StringEquals: { [ownerOfKey]: owner },
      ...ourTagsAlone,
    }),
  ];
}

/** Whether the role's policies can name each managed alias; otherwise they have `alias/*`. */
export function canListAliases(configuration: Configuration): boolean {
  const names = movable(configuration);
  return names.join("").length + names.length * arnCharacters <= aliasCharactersMax;
}

/** Names of managed aliases, and patterns of those that tags may enrol. */
function movable({ managedKeys, taggedAliases }: Configuration): string[] {
  return [...managedKeys.flatMap(({ aliases }) => aliases), ...taggedAliases];
}

/** UpdateAlias needs permission on the alias, on its old key and on its new key. */
function active(props: PermissionsProps): iam.PolicyStatement[] {
  const { configuration, aliasArn, keyArn } = props;
  const groups: string[][] = [];
  let room = 0;
  for (const alias of movable(configuration)) {
    const characters = alias.length + arnCharacters;
    if (characters > room) {
      groups.push([]);
      room = statementCharactersMax;
    }
    groups.at(-1)?.push(aliasArn(alias));
    room -= characters;
  }
  const listed = canListAliases(configuration) ? groups : [[aliasArn("alias/*")]];
  const actions = ["kms:UpdateAlias", "kms:EnableKey", "kms:CancelKeyDeletion"];
  return [
    ...listed.map((arns, index) => allow(`MoveAliases${index + 1}`, ["kms:UpdateAlias"], arns)),
    allow("ServeWithOwn", actions, [keyArn], ownKey(props)),
  ];
}

/**
 * Only keys with the drain label, and only after the shortest quiet period of the policies;
 * deletion with the shortest window. KMS counts an extra key, which was never used, as quiet since
 * its creation, and so does keyturn.
 */
function finish(props: PermissionsProps): iam.PolicyStatement[] {
  const retired = {
    ...ownKey(props),
    Null: { [`aws:ResourceTag/${tagNames.retired}`]: "false" },
  };
  const policies = Object.values(props.configuration.policies);
  if (policies.length === 0) return [];
  const disable = allow("DisableRetired", ["kms:DisableKey"], [props.keyArn], {
    ...retired,
    ...atLeast(floorOf(policies)),
  });
  const deleting = policies.filter(({ retire }) => retire === "delete");
  // Without a policy that deletes, the role cannot delete.
  if (deleting.length === 0) return [disable];
  const windowDays = Math.min(...deleting.map(({ deletionWindowDays }) => deletionWindowDays));
  const schedule = allow("DeleteRetired", ["kms:ScheduleKeyDeletion"], [props.keyArn], {
    ...retired,
    ...atLeast({ "kms:ScheduleKeyDeletionPendingWindowInDays": windowDays, ...floorOf(deleting) }),
  });
  return [disable, schedule];
}

function floorOf(policies: Policy[]): Record<string, number> {
  const quietDays = Math.min(...policies.map(provenQuietDays));
  return quietDays > 0 ? { "kms:TrailingDaysWithoutKeyUsage": quietDays } : {};
}

function atLeast(floors: Record<string, number>): Conditions {
  const texts: Record<string, string> = {};
  for (const [key, days] of Object.entries(floors)) texts[key] = String(days);
  return Object.keys(floors).length === 0 ? {} : { NumericGreaterThanEquals: texts };
}

function ownKey({ configuration }: PermissionsProps): Conditions {
  return { StringEquals: { [`aws:ResourceTag/${tagNames.owner}`]: configuration.owner } };
}

export function allow(
  sid: string,
  actions: string[],
  resources: string[],
  conditions: Conditions = {},
): iam.PolicyStatement {
  return new iam.PolicyStatement({ sid, actions, resources, conditions });
}
