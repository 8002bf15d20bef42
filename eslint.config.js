// Enforces the architecture: what each folder may import and do.
// `test/project/tidy.test.ts` tests these rules.
import js from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

const importNodes =
  ":matches(ImportDeclaration, ExportNamedDeclaration, ExportAllDeclaration, ImportExpression, TSImportType)";

/**
 * Forbids every import form whose module name matches `pattern`. `no-restricted-imports` alone
 * does not cover dynamic imports, `require` and type imports.
 */
const refuseImports = (pattern, message) => [
  { selector: `${importNodes}[source.value=${pattern}]`, message },
  { selector: `TSExternalModuleReference[expression.value=${pattern}]`, message },
  { selector: `CallExpression[callee.name="require"][arguments.0.value=${pattern}]`, message },
];

/** The patterns above cannot match names that are computed at run time. */
const computedImports = [
  { selector: 'ImportExpression[source.type!="Literal"]', message: "Name the module literally." },
  {
    selector: 'CallExpression[callee.name="require"][arguments.0.type!="Literal"]',
    message: "Name the module literally.",
  },
  ...refuseImports("/^(node:)?module$/", "A require() from createRequire hides imports."),
];

const sdkOnlyInAdapters = [
  ...refuseImports(
    "/^@(aws-sdk|smithy)\\u002F/",
    "AWS SDKs belong to lambda/aws (and embedded-aws, sim, demo, cli, test, bench, conformance): use a port from lambda/ports.ts.",
  ),
  ...computedImports,
];

const clockMessage =
  "Pass time, randomness and ids as arguments: only lambda/handler.ts creates them.";
const noAmbientInput = [
  'MemberExpression[object.name="Date"][property.name="now"]',
  'MemberExpression[object.name="Date"][property.value="now"]',
  'NewExpression[callee.name="Date"][arguments.length=0]',
  'CallExpression[callee.name="Date"]',
  'VariableDeclarator[init.name="Date"]',
  'MemberExpression[object.name="Math"][property.name="random"]',
  'MemberExpression[object.name="Math"][property.value="random"]',
  'VariableDeclarator[init.name="Math"]',
  "Identifier[name=/^(randomUUID|randomBytes|randomInt|getRandomValues)$/]",
  'Identifier[name="performance"]',
  'Identifier[name="Temporal"]',
].map((selector) => ({ selector, message: clockMessage }));

const pureMessage = "lambda/workflow is pure: no await, no I/O, no ambient input.";
const onlyItself = "lambda/workflow imports only itself.";
/** From its root: `./file.ts` or `./room/file.ts`. */
const fromItsRoot = refuseImports(
  "/^(?!\\.\\u002F([^.\\u002F]+\\u002F)?[^\\u002F]+\\.ts$)/",
  onlyItself,
);
/** From one of its rooms: `./file.ts`, `../file.ts` or `../room/file.ts`. */
const fromItsRooms = refuseImports(
  "/^(?!\\.{1,2}\\u002F([^.\\u002F]+\\u002F)?[^\\u002F]+\\.ts$)/",
  onlyItself,
);
const pureWorkflow = [
  ...[
    "ImportExpression",
    'CallExpression[callee.name="require"]',
    "TSImportEqualsDeclaration",
    "MetaProperty",
    "AwaitExpression",
    ":function[async=true]",
    "ForOfStatement[await=true]",
    'VariableDeclaration[kind="await using"]',
    "TSTypeReference[typeName.name=/^(Date|Promise)$/]",
    'MemberExpression[object.name="Math"][property.name="random"]',
    'MemberExpression[object.name="Math"][property.value="random"]',
    'VariableDeclarator[init.name="Math"]',
  ].map((selector) => ({ selector, message: pureMessage })),
];

const impureGlobals = [
  ...["Date", "Temporal", "Intl", "performance", "crypto", "fetch", "process", "console"],
  ...["globalThis", "global", "Promise", "queueMicrotask", "require", "eval", "Function"],
  ...["setTimeout", "setInterval", "setImmediate", "WeakRef", "FinalizationRegistry"],
];

export default defineConfig(
  globalIgnores(["cdk.out/", "coverage/", "dist/", "node_modules/"]),
  js.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-import-type-side-effects": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_", ignoreRestSiblings: true },
      ],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // A port is asynchronous in one implementation, and need not be in another.
      "@typescript-eslint/require-await": "off",
      "@typescript-eslint/return-await": ["error", "error-handling-correctness-only"],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: true },
      ],
      eqeqeq: "error",
      "max-lines": ["error", 300],
      "max-lines-per-function": ["error", 70],
      "no-restricted-syntax": ["error", ...sdkOnlyInAdapters],
    },
  },
  {
    files: ["lambda/**/*.ts"],
    rules: {
      "no-console": "error",
      "no-restricted-syntax": ["error", ...sdkOnlyInAdapters, ...noAmbientInput],
      // Each switch must handle a new member of its union; `default` would hide it.
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: false, requireDefaultForNonUnion: true },
      ],
      // 0 is a valid time and count: `if (n)` has hidden dead branches in other rotators.
      "@typescript-eslint/strict-boolean-expressions": [
        "error",
        { allowNumber: false, allowNullableBoolean: true, allowNullableString: true },
      ],
    },
  },
  {
    files: ["lambda/handler.ts", "lambda/refusals/handler.ts"],
    rules: { "no-restricted-syntax": ["error", ...sdkOnlyInAdapters] },
  },
  {
    files: ["lambda/workflow/**/*.ts"],
    rules: {
      "no-restricted-globals": [
        "error",
        ...impureGlobals.map((name) => ({ name, message: pureMessage })),
      ],
      "no-restricted-syntax": ["error", ...fromItsRoot, ...pureWorkflow],
    },
  },
  {
    files: ["lambda/workflow/*/*.ts"],
    rules: { "no-restricted-syntax": ["error", ...fromItsRooms, ...pureWorkflow] },
  },
  {
    files: [
      "lambda/aws/**",
      "embedded-aws/**",
      "sim/**",
      "demo/**",
      "cli/**",
      "test/**",
      "bench/**",
      "conformance/**",
    ],
    rules: { "no-restricted-syntax": "off" },
  },
  { files: ["test/**/*.ts"], rules: { "max-lines-per-function": "off" } },
);
