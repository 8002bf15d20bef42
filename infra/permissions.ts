/**
 * What the function's role may do: nothing cryptographic on any key, no change to a key of another
 * owner, and in the mode `plan` no change to any key. A key policy that delegates to IAM is what
 * makes these statements count at all.
 */
import type * as events from "aws-cdk-lib/aws-events";
import * as iam from "aws-cdk-lib/aws-iam";
import type { Configuration, Policy } from "../lambda/config.ts";
import { tableDefinition } from "../lambda/table-definition.ts";
import { tagNames } from "../lambda/workflow/tag-names.ts";

const dayMs = 86_400_000;
/**
 * How many characters of alias ARNs one statement holds, so that CDK can spread the statements over
 * the managed policies of the role, and how many fit all of them: nine or ten of 6,144 characters.
 */
const statementCharactersMax = 5_000;
const aliasCharactersMax = 40_000;
/** An ARN around the alias name, with quotes and comma. */
const arnCharacters = 55;

export type PermissionsProps = {
  configuration: Configuration;
  discovery: "tagging" | "walk";
  /** Patterns of ARNs in the stack's account and Region: `key/*` and `alias/<name>`. */
  keyArn: string;
  aliasArn: (alias: string) => string;
  role: iam.IRole;
};

type Conditions = Record<string, Record<string, unknown>>;

/** The KMS statements, the wide ones last. */
export function kmsStatements(props: PermissionsProps): iam.PolicyStatement[] {
  // What only says what it would do needs no right to do it; the role is the proof.
  return props.configuration.mode === "plan" ? looks(props) : [...changes(props), ...looks(props)];
}

function changes(props: PermissionsProps): iam.PolicyStatement[] {
  return [
    ...creation(props),
    ...serving(props),
    ...ending(props),
    allow("CopyGrants", ["kms:CreateGrant"], [props.keyArn], {
      ...ownKey(props),
      // A grant to itself would give the role every cryptographic right it must not have.
      StringNotEquals: { "kms:GranteePrincipal": props.role.roleArn },
    }),
  ];
}

function looks(props: PermissionsProps): iam.PolicyStatement[] {
  return [
    allow("LookAtOwnUse", ["kms:GetKeyLastUsage"], [props.keyArn], ownKey(props)),
    allow(
      "LookAtKeys",
      ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants", "kms:ListResourceTags"],
      [props.keyArn],
    ),
    // These know no resource: IAM accepts nothing but the asterisk.
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
    // Its id tells the table from one that was restored under the same name.
    allow("KnowTheTable", ["dynamodb:DescribeTable"], [tableArn]),
  ];
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
    // ForAllValues holds of a request without tags too.
    Null: { "aws:TagKeys": "false" },
  };
  return [
    allow("CreateOwn", ["kms:CreateKey"], ["*"], {
      StringEquals: { [ownerInRequest]: owner },
      BoolIfExists: { "kms:BypassPolicyLockoutSafetyCheck": "false" },
    }),
    // Creation and enrolment: a key that nobody owns yet becomes ours, one of another owner never.
    allow("TakeOwnership", ["kms:TagResource"], [keyArn], {
      StringEquals: { [ownerInRequest]: owner },
      StringEqualsIfExists: { [ownerOfKey]: owner },
    }),
    allow("LabelOwn", ["kms:TagResource"], [keyArn], {
      StringEquals: { [ownerOfKey]: owner },
      StringEqualsIfExists: { [ownerInRequest]: owner },
      ...ourTagsAlone,
    }),
    // A rollback takes the label of the drain off, un-enrolling all that keyturn ever set.
    allow("UnlabelOwn", ["kms:UntagResource"], [keyArn], {
      StringEquals: { [ownerOfKey]: owner },
      ...ourTagsAlone,
    }),
  ];
}

/** Whether the role's policies can name each managed alias; beyond that, they say `alias/*`. */
export function canListAliases(configuration: Configuration): boolean {
  const names = configuration.managedKeys.flatMap(({ aliases }) => aliases);
  return names.join("").length + names.length * arnCharacters <= aliasCharactersMax;
}

/** UpdateAlias is asked of the alias, the key it leaves and the key it goes to. */
function serving(props: PermissionsProps): iam.PolicyStatement[] {
  const { configuration, aliasArn, keyArn } = props;
  const groups: string[][] = [];
  let room = 0;
  for (const alias of configuration.managedKeys.flatMap(({ aliases }) => aliases)) {
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
 * Only what carries the label of the drain, and to delete it, only after the shortest silence and
 * with the shortest window that a policy asks. DisableKey has no such floor: it must also reach a
 * key that was made in excess, hours after its creation.
 */
function ending(props: PermissionsProps): iam.PolicyStatement[] {
  const retired = {
    ...ownKey(props),
    Null: { [`aws:ResourceTag/${tagNames.retired}`]: "false" },
  };
  const disable = allow("DisableRetired", ["kms:DisableKey"], [props.keyArn], retired);
  const deleting = Object.values(props.configuration.policies).filter((policy) => {
    return policy.retire === "delete";
  });
  // Where no policy deletes, nothing can.
  if (deleting.length === 0) return [disable];
  const windowDays = Math.min(...deleting.map((policy) => policy.deletionWindowDays));
  const quietDays = Math.min(...deleting.map(provenQuietDays));
  const schedule = allow("DeleteRetired", ["kms:ScheduleKeyDeletion"], [props.keyArn], {
    ...retired,
    NumericGreaterThanEquals: {
      "kms:ScheduleKeyDeletionPendingWindowInDays": String(windowDays),
      ...(quietDays > 0 ? { "kms:TrailingDaysWithoutKeyUsage": String(quietDays) } : {}),
    },
  });
  return [disable, schedule];
}

/** In whole days, as KMS counts them; none where a policy goes on without evidence. */
function provenQuietDays({ drain }: Policy): number {
  return drain.evidence === "required" ? Math.floor(drain.quietForMs / dayMs) : 0;
}

function ownKey({ configuration }: PermissionsProps): Conditions {
  return { StringEquals: { [`aws:ResourceTag/${tagNames.owner}`]: configuration.owner } };
}

function allow(
  sid: string,
  actions: string[],
  resources: string[],
  conditions: Conditions = {},
): iam.PolicyStatement {
  return new iam.PolicyStatement({ sid, actions, resources, conditions });
}
