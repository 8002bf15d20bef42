import { join } from "node:path";
import { AssetHashType, DockerImage } from "aws-cdk-lib";
import * as lambda from "aws-cdk-lib/aws-lambda";
import type { ConfigurationDocument } from "../lambda/configuration/configuration.ts";
import { bundle, projectFolder } from "./bundle.ts";

/** A placeholder until the configuration is complete; never deployed. */
export const noCodeYet = lambda.Code.fromInline("throw new Error('keyturn: no package')");

/** Sets the package with the complete configuration. */
export function setCode(target: lambda.Function, configuration: ConfigurationDocument): void {
  const resource = target.node.defaultChild as lambda.CfnFunction;
  const code = packageOf(configuration);
  const { s3Location } = code.bind(target);
  if (s3Location === undefined) throw new TypeError("expected the package to be an asset");
  resource.code = { s3Bucket: s3Location.bucketName, s3Key: s3Location.objectKey };
  code.bindToResource(resource);
}

/** Built locally by esbuild: without Docker, a shell or a lock file. */
function packageOf(configuration: ConfigurationDocument): lambda.Code {
  return lambda.Code.fromAsset(join(projectFolder, "lambda"), {
    // The hash of the deployed files: only their change updates the function.
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      image: DockerImage.fromRegistry("unused"),
      local: {
        tryBundle(outputFolder) {
          bundle(join(projectFolder, "lambda/handler.ts"), configuration, outputFolder);
          return true;
        },
      },
    },
  });
}
