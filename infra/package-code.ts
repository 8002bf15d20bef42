import { join } from "node:path";
import { AssetHashType, DockerImage } from "aws-cdk-lib";
import * as lambda from "aws-cdk-lib/aws-lambda";
import type {
  Configuration,
  ConfigurationDocument,
} from "../lambda/configuration/configuration.ts";
import type { RefusalsConfiguration } from "../lambda/refusals/function.ts";
import {
  bundle,
  type FunctionPackage,
  projectFolder,
  refusalsPackage,
  rotationPackage,
} from "./bundle.ts";

/** A placeholder until the configuration is complete; never deployed. */
export const noCodeYet = lambda.Code.fromInline("throw new Error('keyturn: no package')");

/** Sets the first function's package, with the complete configuration. */
export function setRotationCode(target: lambda.Function, document: ConfigurationDocument): void {
  setCode(target, packageOf("handler.ts", document, rotationPackage));
}

/** Sets the second function's package: of the configuration it has the names of aliases and the acceptances. */
export function setRefusalsCode(
  target: lambda.Function,
  { managedKeys, acceptedRefusals }: Configuration,
): void {
  const further = managedKeys.flatMap(({ alias, aliases }) =>
    aliases.filter((one) => one !== alias).map((one) => [one, alias] as const),
  );
  const aliases = Object.fromEntries(further);
  const content = { aliases, acceptedRefusals } satisfies RefusalsConfiguration;
  setCode(target, packageOf("refusals/handler.ts", content, refusalsPackage));
}

function setCode(target: lambda.Function, code: lambda.Code): void {
  const resource = target.node.defaultChild as lambda.CfnFunction;
  const { s3Location } = code.bind(target);
  if (s3Location === undefined) throw new TypeError("expected the package to be an asset");
  resource.code = { s3Bucket: s3Location.bucketName, s3Key: s3Location.objectKey };
  code.bindToResource(resource);
}

/** Built locally by esbuild: without Docker, a shell or a lock file. */
function packageOf(entry: string, content: unknown, as: FunctionPackage): lambda.Code {
  return lambda.Code.fromAsset(join(projectFolder, "lambda"), {
    // The hash of the deployed files: only their change updates the function.
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      image: DockerImage.fromRegistry("unused"),
      // Unused as well, but CDK bundles only once for equal options, of which it ignores functions:
      // another function, or another deployment in the app, would get this package.
      command: [entry, JSON.stringify(content)],
      local: {
        tryBundle(outputFolder) {
          bundle(join(projectFolder, "lambda", entry), content, outputFolder, as);
          return true;
        },
      },
    },
  });
}
