/**
 * Key policies that certainly leave keyturn's role out: CreateKey would refuse them, or keyturn could not manage the new
 * key. Whether a policy admits the role may depend on its name, its IAM policy, or a condition: KMS decides these cases.
 * Sources: AWS KMS Developer Guide, "Default key policy"; API reference, CreateKey ("the key policy must allow the
 * calling principal to make a subsequent PutKeyPolicy request"); IAM User Guide, "IAM JSON policy elements".
 */
import {
  awsPrincipals,
  conditionKeysOf,
  isFields,
  listed,
  readDocument,
  statementsOf,
  type Fields,
} from "../model/policy-document.ts";

/**
 * What the key policy must leave to the role before the old version is retired: KMS's own check of CreateKey, moving
 * the aliases, labels, evidence, and restores. DisableKey and ScheduleKeyDeletion are missing on purpose: a policy may
 * forbid them, and then only the revocation waits.
 */
const needed = "PutKeyPolicy UpdateAlias TagResource GetKeyLastUsage EnableKey CancelKeyDeletion";

/** An operation that the role can certainly not call on a new key with this policy; `arn` is the old key's. */
export function lockedOutOf(document: string, arn: string): string | undefined {
  const own = arn.split(":")[4];
  const everybody = new RegExp(`^(\\*|(arn:.*:)?${own}(:root)?)$`);
  // Or a role: the workflow does not know its own. A function has a role, and is no user.
  const maybeUs = new RegExp(`^(\\*|(arn:.*:)?${own}(:(?!(federated-)?user).*)?)$`);
  const isOneOf = (principal: unknown, names: RegExp): boolean =>
    awsPrincipals(principal).some((one) => names.test(one));
  const mayAdmit = ({ Effect, Principal, NotPrincipal }: Fields): boolean =>
    Effect === "Allow" && (NotPrincipal !== undefined || isOneOf(Principal, maybeUs));
  const deniesAll = (statement: Fields): boolean => {
    const { Effect, Principal, NotPrincipal } = statement;
    return (
      Effect === "Deny" &&
      conditionKeysOf(statement).length === 0 &&
      listed(statement["Resource"]).includes("*") &&
      (NotPrincipal === undefined ? isOneOf(Principal, everybody) : !isOneOf(NotPrincipal, maybeUs))
    );
  };
  const statements = statementsOf(readDocument(document)).filter(isFields);
  // An emulator may return no policy; KMS has none without statements.
  if (statements.length === 0) return undefined;
  return needed.split(" ").find((operation) => {
    const about = statements.filter((one) => isAbout(one, `kms:${operation}`));
    return !about.some(mayAdmit) || about.some(deniesAll);
  });
}

/** A statement without actions, or without resources, has no effect. */
function isAbout(statement: Fields, action: string): boolean {
  const { Action: actions, NotAction: others, Resource, NotResource } = statement;
  if ((Resource ?? NotResource) === undefined) return false;
  const isNamed = listed(actions ?? others).some((pattern) => isLike(action, pattern));
  return isNamed === (others === undefined);
}

/** `*` matches any characters, `?` one; actions are not case-sensitive. */
function isLike(action: string, pattern: string): boolean {
  const expression = pattern.replace(/\W/g, (character) =>
    character === "*" ? ".*" : character === "?" ? "." : `\\${character}`,
  );
  return new RegExp(`^${expression}$`, "i").test(action);
}
