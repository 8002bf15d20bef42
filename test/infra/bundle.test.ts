import { execFileSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { SourceMap, type SourceMapPayload } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { App, Stack } from "aws-cdk-lib";
import { bundle, projectFolder, refusalsPackage, rotationPackage } from "../../infra/bundle.ts";
import { KeyRotation } from "../../infra/key-rotation.ts";
import { readConfiguration } from "../../lambda/configuration/configuration.ts";

describe("the function's package", () => {
  const folder = mkdtempSync(join(tmpdir(), "keyturn-bundle-"));
  const packageFolder = join(folder, "package");
  const example = readFileSync(join(projectFolder, "keyturn.example.json"), "utf8");
  const read = (...path: string[]) => readFileSync(join(folder, ...path), "utf8");
  beforeAll(() => {
    mkdirSync(packageFolder);
    bundle(join(projectFolder, "lambda/handler.ts"), JSON.parse(example), packageFolder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("is one module and the configuration beside it", () => {
    expect(readdirSync(packageFolder).sort()).toEqual(["config.json", "handler.mjs"]);
    expect(readConfiguration(read("package", "config.json"))).toEqual(readConfiguration(example));
  });

  it("is small", () => {
    const sizeKiB = Buffer.byteLength(read("package", "handler.mjs")) / 1024;
    expect(sizeKiB).toBeLessThanOrEqual(rotationPackage.sizeLimitKiB);
  });

  it("has no code that only synthesis and the command use", () => {
    expect(read("package", "handler.mjs")).not.toContain("every retired version");
  });

  it("has its source map beside the package, and no reference to it", () => {
    const code = read("package", "handler.mjs");
    expect(code).not.toContain("sourceMappingURL");
    const map = new SourceMap(JSON.parse(read("handler.mjs.map")) as SourceMapPayload);
    const lines = code.split("\n");
    const line = lines.findIndex((text) => text.includes('"KEYTURN_TABLE"'));
    const column = lines[line]?.indexOf('"KEYTURN_TABLE"') ?? -1;
    const source = readFileSync(
      join(projectFolder, "lambda/configuration/environment.ts"),
      "utf8",
    ).split("\n");
    expect(map.findOrigin(line + 1, column + 1)).toMatchObject({
      fileName: "lambda/configuration/environment.ts",
      lineNumber: source.findIndex((text) => text.includes('"KEYTURN_TABLE"')) + 1,
    });
  });

  it("is identical from another checkout, byte by byte", () => {
    const checkout = join(folder, "another", "one");
    for (const name of ["infra", "lambda", "package.json", "tsconfig.json"]) {
      cpSync(join(projectFolder, name), join(checkout, name), { recursive: true });
    }
    symlinkSync(join(projectFolder, "node_modules"), join(checkout, "node_modules"));
    const output = join(checkout, "cdk.out", "package");
    const from = pathToFileURL(join(checkout, "infra", "bundle.ts")).href;
    const script = `import { bundle } from ${JSON.stringify(from)};
      bundle("lambda/handler.ts", ${example}, ${JSON.stringify(output)});`;
    const options = { cwd: checkout, env: {} };
    execFileSync(process.execPath, ["--input-type=module", "-e", script], options);
    for (const file of ["handler.mjs", "config.json"]) {
      expect(readFileSync(join(output, file), "utf8") === read("package", file), file).toBe(true);
    }
  });

  it("contains no folder of the build machine, and neither does its map", () => {
    for (const file of ["package/handler.mjs", "handler.mjs.map"]) {
      expect(read(file).includes(projectFolder), file).toBe(false);
    }
  });

  it("reports an entry that esbuild cannot bundle", () => {
    const wrong = () => bundle(join(folder, "no-such-entry.ts"), {}, packageFolder);
    expect(wrong).toThrow("no-such-entry.ts");
  });
});

describe("the second function's package", () => {
  const folder = mkdtempSync(join(tmpdir(), "keyturn-bundle-"));
  const packageFolder = join(folder, "package");
  const part = { aliases: { "alias/orders-eu": "alias/orders" }, acceptedRefusals: [] };
  beforeAll(() => {
    mkdirSync(packageFolder);
    bundle(join(projectFolder, "lambda/refusals/handler.ts"), part, packageFolder, refusalsPackage);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("is one module and its part of the configuration beside it", () => {
    expect(readdirSync(packageFolder).sort()).toEqual(["handler.mjs", "refusals.json"]);
    const content: unknown = JSON.parse(readFileSync(join(packageFolder, "refusals.json"), "utf8"));
    expect(content).toEqual(part);
  });

  it("is small, and has no client of KMS", () => {
    const code = readFileSync(join(packageFolder, "handler.mjs"), "utf8");
    expect(Buffer.byteLength(code) / 1024).toBeLessThanOrEqual(refusalsPackage.sizeLimitKiB);
    expect(code).toContain("DynamoDB_20120810");
    expect(code).not.toContain("TrentService");
  });

  it("has a source map that does not replace the first function's", () => {
    expect(readdirSync(folder).sort()).toEqual(["package", "refusals.mjs.map"]);
  });
});

describe("an app with two deployments", () => {
  it("has a package for each function, with the deployment's own configuration", () => {
    const outdir = mkdtempSync(join(tmpdir(), "keyturn-two-"));
    onTestFinished(() => rmSync(outdir, { recursive: true, force: true }));
    const app = new App({ outdir });
    const [one, two] = ["acme", "emca"].map((owner) => {
      const stack = new Stack(app, owner);
      const watchRefusals = owner === "acme";
      const rotation = new KeyRotation(stack, "K", {
        owner,
        policies: { yearly: {} },
        watchRefusals,
        acceptedRefusals: [{ principal: "scanner" }],
      });
      if (watchRefusals) rotation.manage("alias/orders", "yearly", { aliases: ["alias/o"] });
      return stack.stackName;
    });
    const assembly = app.synth();
    const contentsOf = (name = ""): unknown[] => {
      const { Resources } = assembly.getStackByName(name).template as {
        Resources: Record<string, { Type: string; Properties: { Code: { S3Key: string } } }>;
      };
      return Object.values(Resources)
        .filter(({ Type }) => Type === "AWS::Lambda::Function")
        .map(({ Properties }) => {
          const asset = join(outdir, `asset.${Properties.Code.S3Key.replace(".zip", "")}`);
          const [data = ""] = readdirSync(asset).filter((file) => file.endsWith(".json"));
          return JSON.parse(readFileSync(join(asset, data), "utf8")) as unknown;
        });
    };
    expect(contentsOf(one)).toEqual([
      expect.objectContaining({ owner: "acme", acceptedRefusals: [{ principal: "scanner" }] }),
      {
        aliases: { "alias/o": "alias/orders" },
        acceptedRefusals: [{ alias: "alias/*", principal: "scanner", operation: "*", error: "*" }],
      },
    ]);
    expect(contentsOf(two)).toEqual([expect.objectContaining({ owner: "emca" })]);
  });
});
