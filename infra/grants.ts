/**
 * Rights on a managed key for its callers. They name neither a key nor an alias that a caller must not outlive: every
 * version has the tag keyturn:alias, and keeps it when it is retired, or un-enrolled. The construct sets no such tag:
 * CloudFormation would call a key that may be deleted by then, and take the tag off with `manage()`.
 */
import { Annotations, Stack, Token } from "aws-cdk-lib";
import * as iam from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import { tagNames } from "../lambda/workflow/model/tag-names.ts";

const encrypt = ["kms:Encrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"];
const decrypt = ["kms:Decrypt"];

/** What `manage()` returns: grants that hold for every version, before and after each rotation and rollback. */
export class ManagedKey {
  /** The names of its aliases, the first of which keyturn manages it by. */
  readonly aliasNames: readonly string[];
  readonly #scope: Construct;

  constructor(scope: Construct, aliasNames: readonly string[]) {
    this.#scope = scope;
    this.aliasNames = aliasNames;
  }

  /** The actions of `grantEncrypt` of the CDK's `kms.Key`, on every version. */
  grantEncrypt(grantee: iam.IGrantable): iam.Grant {
    return this.grant(grantee, ...encrypt);
  }

  grantDecrypt(grantee: iam.IGrantable): iam.Grant {
    return this.grant(grantee, ...decrypt);
  }

  grantEncryptDecrypt(grantee: iam.IGrantable): iam.Grant {
    return this.grant(grantee, ...encrypt, ...decrypt);
  }

  grantSign(grantee: iam.IGrantable): iam.Grant {
    return this.grant(grantee, "kms:Sign");
  }

  /** Verification with KMS, and outside of it with the public key. */
  grantVerify(grantee: iam.IGrantable): iam.Grant {
    return this.grant(grantee, "kms:Verify", "kms:GetPublicKey");
  }

  grantGenerateMac(grantee: iam.IGrantable): iam.Grant {
    return this.grant(grantee, "kms:GenerateMac");
  }

  grantVerifyMac(grantee: iam.IGrantable): iam.Grant {
    return this.grant(grantee, "kms:VerifyMac");
  }

  /**
   * Allows these actions in the grantee's identity policy, in two statements: by the tag, and by the alias. The tag
   * takes up to five minutes to reach authorization, and the first version gets it at enrolment. A key policy that
   * does not delegate to IAM must allow the grantee itself.
   */
  grant(grantee: iam.IGrantable, ...actions: string[]): iam.Grant {
    const [alias = ""] = this.aliasNames;
    const key = Stack.of(this.#scope).formatArn({
      service: "kms",
      resource: "key",
      resourceName: "*",
    });
    const allow = (conditions: Record<string, Record<string, unknown>>): iam.Grant =>
      iam.Grant.addToPrincipal({ grantee, actions, resourceArns: [key], conditions });
    const byTag = { StringEquals: { [`aws:ResourceTag/${tagNames.alias}`]: alias } };
    const names = this.aliasNames.length === 1 ? alias : [...this.aliasNames];
    const byAlias = { "ForAnyValue:StringEquals": { "kms:ResourceAliases": names } };
    const grant = allow(byTag).combine(allow(byAlias));
    if (!grant.success || this.#isOfAnotherAccount(grantee)) {
      Annotations.of(this.#scope).addError(
        `no identity policy of this account allows a grantee of ${alias}, such as a service or another account: allow it in the key policy, which keyturn copies to each version`,
      );
    }
    return grant;
  }

  #isOfAnotherAccount({ grantPrincipal }: iam.IGrantable): boolean {
    const { principalAccount: theirs } = grantPrincipal;
    const { account: ours } = Stack.of(this.#scope);
    if (theirs === undefined || Token.isUnresolved(theirs) || Token.isUnresolved(ours))
      return false;
    return theirs !== ours;
  }
}
