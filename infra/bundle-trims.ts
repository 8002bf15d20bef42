/**
 * What the bundle leaves out of its libraries: code that cannot run in Lambda, and long forms of
 * code. It affects only the bundle; the sources run with the whole SDK.
 */
import { readFileSync } from "node:fs";
import type { Plugin } from "esbuild";
import { withErrors, withoutClasses, type ErrorsOfClients } from "./bundle-errors.ts";

type Trim = {
  /** The modules to trim, by their paths below `node_modules`. */
  modules: RegExp;
  /** The client whose bundles have these modules; undefined if every bundle has them. */
  client?: string;
  /** Returns the text to bundle instead of a module's. */
  trimmed: (text: string, path: string, errors: ErrorsOfClients) => string;
};

/** Replaces a module by another one with the exports in use. */
const replaced = (modules: RegExp, text: string): Trim => ({ modules, trimmed: () => text });

/**
 * Lambda puts the role's credentials with the session token into the environment of each sandbox,
 * and nowhere else: AWS_CONTAINER_CREDENTIALS_FULL_URI is for SnapStart, which Node.js does not
 * have. Left out: SSO, sign-in, STS, profiles, processes, web identity, containers, instances.
 */
const credentials = replaced(
  /@aws-sdk\/credential-provider-node\/dist-es\/index\.js$/,
  'export { fromEnv as defaultProvider } from "@aws-sdk/credential-provider-env";',
);

/**
 * The SDK reads each setting from the environment, then from ~/.aws, which a function does not
 * have.
 */
const sharedFiles = replaced(
  /@smithy\/core\/dist-es\/submodules\/config\/shared-ini-file-loader\/loadSharedConfigFiles\.js$/,
  `export { CONFIG_PREFIX_SEPARATOR } from "./constants";
  export const loadSharedConfigFiles = async () => ({ configFile: {}, credentialsFile: {} });`,
);

/** Lambda sets AWS_REGION and has no instance metadata service. */
const regionOfInstance = replaced(
  /@smithy\/core\/dist-es\/submodules\/config\/config-resolver\/regionConfig\/getInstanceMetadataRegion\.js$/,
  "export const getInstanceMetadataRegion = async () => undefined;",
);

/** Only for operations that stream events: none of these services has one. */
const eventStreams = replaced(
  /@smithy\/core\/dist-es\/submodules\/event-streams\/index\.js$/,
  `export class EventStreamSerde {
    constructor() { throw new Error("no event streams in the bundle"); }
  }`,
);

/** The fallback for node:crypto's SHA-256, which Lambda's Node always has. */
const sha256WithoutNode = replaced(
  /@smithy\/core\/dist-es\/submodules\/checksum\/sha256\/Sha256Js\.js$/,
  `export class Sha256Js {
    constructor() { throw new Error("no SHA-256 without node:crypto"); }
  }`,
);

/**
 * EventBridge signs for several Regions at once for events to a global endpoint, with a library
 * that is not installed. Without it the SDK signs for one Region or throws, as this does.
 */
const manyRegions = replaced(
  /@aws-sdk\/signature-v4-multi-region\/dist-es\/index\.js$/,
  `import { SignatureV4 } from "@smithy/signature-v4";
  export class SignatureV4MultiRegion extends SignatureV4 {
    static sigv4aDependency() { return "none"; }
    async sign(request, options) {
      if (options?.signingRegion === "*") throw new Error("no SigV4a in the bundle");
      return super.sign(request, options);
    }
  }`,
);

/** EventBridge chooses a signature by the rules of its endpoints. keyturn names no global endpoint: each event has SigV4. */
const signatureOfEvents = replaced(
  /@aws-sdk\/client-eventbridge\/dist-es\/auth\/httpAuthSchemeProvider\.js$/,
  `import { resolveAwsSdkSigV4Config } from "@aws-sdk/core/httpAuthSchemes";
  import { getSmithyContext, normalizeProvider } from "@smithy/core/client";
  export const defaultEventBridgeHttpAuthSchemeParametersProvider = async (config, context) => {
    const region = await normalizeProvider(config.region)();
    if (!region) throw new Error("expected a region for SigV4");
    return { operation: getSmithyContext(context).operation, region };
  };
  export const defaultEventBridgeHttpAuthSchemeProvider = ({ region }) => [
    { schemeId: "aws.auth#sigv4", signingProperties: { name: "events", region },
      propertiesExtractor: (config, context) => ({ signingProperties: { config, context } }) },
  ];
  export const resolveHttpAuthSchemeConfig = (config) =>
    Object.assign(resolveAwsSdkSigV4Config(config), {
      authSchemePreference: normalizeProvider(config.authSchemePreference ?? []),
    });`,
);

/** Without that choice, no request reaches them. */
const signaturesOfManyRegions = replaced(
  /@aws-sdk\/core\/dist-es\/submodules\/httpAuthSchemes\/aws_sdk\/\w*SigV4A(Signer|Config)\.js$/,
  `export { AwsSdkSigV4Signer as AwsSdkSigV4ASigner } from "./AwsSdkSigV4Signer";
  export const resolveAwsSdkSigV4AConfig = (settings) => settings;
  const none = () => undefined;
  export const NODE_SIGV4A_CONFIG_OPTIONS = { environmentVariableSelector: none, configFileSelector: none, default: undefined };`,
);

/**
 * keyturn itself paces its requests to KMS and DynamoDB, with standard retries.
 * AWS_RETRY_MODE=adaptive also gives standard retries.
 */
const adaptiveRetries = replaced(
  /@smithy\/core\/dist-es\/submodules\/retry\/util-retry\/AdaptiveRetryStrategy\.js$/,
  'export { StandardRetryStrategy as AdaptiveRetryStrategy } from "./StandardRetryStrategy";',
);

/**
 * DynamoDB's endpoint discovery is off, unless AWS_ENABLE_ENDPOINT_DISCOVERY is set: the stack sets no such variable.
 */
const endpointDiscovery = replaced(
  /@aws-sdk\/middleware-endpoint-discovery\/dist-es\/index\.js$/,
  `export const NODE_ENDPOINT_DISCOVERY_CONFIG_OPTIONS = {
    environmentVariableSelector: () => undefined,
    configFileSelector: () => undefined,
    default: undefined,
  };
  export const resolveEndpointDiscoveryConfig = (settings) => settings;`,
);

/** Only for REST protocols: operations of these services have no path, no header and no prefix of a host. */
const httpBindings = replaced(
  /@smithy\/core\/dist-es\/submodules\/protocols\/HttpBindingNormalizedSchema\.js$/,
  `export const getHttpOperationBindings = (operation) => {
    if (operation.traits?.endpoint) throw new Error("no prefixes of hosts in the bundle");
    return [];
  };
  export const HttpBindingNormalizedSchema = undefined;`,
);

/** Only for signed messages of event streams. */
const signedMessages = replaced(
  /@smithy\/signature-v4\/dist-es\/HeaderFormatter\.js$/,
  `export class HeaderFormatter {
    format() { throw new Error("no event streams in the bundle"); }
  }`,
);

/** A pattern of each partition also matches its Regions. Without the lists, `aws-global` and its kin belong to `aws`. */
const listsOfRegions: Trim = {
  modules: /@aws-sdk\/core\/dist-es\/submodules\/client\/util-endpoints\/lib\/aws\/partitions\.js$/,
  trimmed: (text) =>
    text.replaceAll(/"regions": \{(?:\s*"[\w-]+": \{[^{}]*\},?)*\s*\}/g, '"regions": {}'),
};

/** keyturn gives its clients no extension, and without one this changes no setting. */
const extensions = replaced(
  /@aws-sdk\/client-[\w-]+\/dist-es\/runtimeExtensions\.js$/,
  "export const resolveRuntimeExtensions = (settings) => settings;",
);

/** keyturn gives its clients no logger: the log shows each call, its ports write it. */
const requestLog = replaced(
  /@aws-sdk\/core\/dist-es\/submodules\/client\/middleware-logger\/loggerMiddleware\.js$/,
  `export const getLoggerPlugin = () => ({ applyToStack() {} });
  export { getLoggerPlugin as loggerMiddleware, getLoggerPlugin as loggerMiddlewareOptions };`,
);

/** Only for the clients' logger: what a request's log leaves out. */
const requestLogFilter = replaced(
  /@smithy\/core\/dist-es\/submodules\/client\/smithy-client\/schemaLogFilter\.js$/,
  "export const schemaLogFilter = () => undefined;",
);

/** Date reads the forms that these services write: seconds, RFC 3339, RFC 7231. */
const dates = replaced(
  /@smithy\/core\/dist-es\/submodules\/serde\/date-utils\.js$/,
  `export const dateToUtcString = (date) => date.toUTCString();
  const valid = (value, date) => {
    if (Number.isNaN(date.getTime())) throw new TypeError("Invalid date-time value: " + value);
    return date;
  };
  const parsed = (value) => value == null ? undefined : valid(value, new Date(value));
  export { parsed as parseRfc3339DateTime, parsed as parseRfc3339DateTimeWithOffset };
  export { parsed as parseRfc7231DateTime };
  export const parseEpochTimestamp = (value) =>
    value == null ? undefined : valid(value, new Date(Math.round(parseFloat(value) * 1000)));`,
);

/** keyturn's logger has no buffer. */
const logBuffers = replaced(
  /@aws-lambda-powertools\/logger\/lib\/esm\/logBuffer\.js$/,
  `export class CircularMap {
    constructor() { throw new Error("no log buffer in the bundle"); }
  }`,
);

/** Each client resolves endpoints with the rules of S3's buckets, which only S3 has. */
const bucketEndpoints = replaced(
  /@smithy\/core\/dist-es\/submodules\/endpoints\/middleware-endpoint\/service-customizations\/index\.js$/,
  "export const resolveParamsForS3 = async (parameters) => parameters;",
);

/** Only for AWS's statistics: which settings of the SDK a request uses, in its user agent. */
const featuresInUserAgent = replaced(
  /@aws-sdk\/core\/dist-es\/submodules\/client\/middleware-user-agent\/check-features\.js$/,
  "export const checkFeatures = async () => undefined;",
);

/** The stack pins the version of Node.js. */
const oldNode = replaced(
  /@aws-sdk\/core\/dist-es\/submodules\/client\/emitWarningIfUnsupportedVersion\.js$/,
  `export const state = { warningEmitted: false };
  export const emitWarningIfUnsupportedVersion = () => {};`,
);

/** Clients send their version with each request, and nothing more from their manifest. */
const manifests: Trim = {
  modules: /@aws-sdk\/client-[\w-]+\/package\.json$/,
  trimmed: (text) => JSON.stringify({ version: (JSON.parse(text) as { version: string }).version }),
};

/**
 * A schema names each of its strings; a string with one use needs no name. esbuild keeps the names.
 */
function withoutNames(text: string): string {
  const uses = new Map<string, number>();
  for (const [word] of text.matchAll(/[\w$]+/g)) uses.set(word, (uses.get(word) ?? 0) + 1);
  const strings = new Map<string, string>();
  const rest = text.replaceAll(
    /^const (_\w+) = ("[^"\n]*");$/gm,
    (all, name: string, string: string) => {
      if (uses.get(name) !== 2) return all;
      strings.set(name, string);
      return "";
    },
  );
  return rest.replaceAll(/[\w$]+/g, (word) => strings.get(word) ?? word);
}

const exceptions: Trim = {
  modules: /@aws-sdk\/client-[\w-]+\/dist-es\/models\/errors\.js$/,
  trimmed: withoutClasses,
};

const schemas: Trim = {
  modules: /@aws-sdk\/client-[\w-]+\/dist-es\/schemas\/schemas_0\.js$/,
  trimmed: (text, path, errors) => withoutNames(withErrors(text, path, errors)),
};

const trims: Trim[] = [
  ...[credentials, sharedFiles, regionOfInstance, eventStreams, sha256WithoutNode],
  { ...manyRegions, client: "client-eventbridge" },
  ...[signatureOfEvents, signaturesOfManyRegions].map((one) => ({
    ...one,
    client: "client-eventbridge",
  })),
  ...[
    adaptiveRetries,
    endpointDiscovery,
    httpBindings,
    signedMessages,
    listsOfRegions,
    extensions,
    requestLog,
    requestLogFilter,
    oldNode,
  ],
  ...[dates, logBuffers, manifests, exceptions, schemas, bucketEndpoints, featuresInUserAgent],
];

export type Trimming = {
  /** A client that is not listed keeps all errors. */
  errors?: ErrorsOfClients;
  /** Called at the end for each trim without effect: its library has changed. */
  untrimmed?: ((modules: RegExp) => void) | undefined;
};

export function trimLibraries({ errors = new Map(), untrimmed }: Trimming = {}): Plugin {
  return {
    name: "keyturn-trims",
    setup(build) {
      const met = new Set<Trim>();
      for (const trim of trims) {
        build.onLoad({ filter: trim.modules }, ({ path }) => {
          const text = readFileSync(path, "utf8");
          const contents = trim.trimmed(text, path, errors);
          if (contents !== text) met.add(trim);
          return { contents, loader: path.endsWith(".json") ? "json" : "js" };
        });
      }
      build.onEnd(() => {
        for (const trim of trims) {
          const isIn = trim.client === undefined || errors.has(trim.client);
          if (isIn && !met.has(trim)) untrimmed?.(trim.modules);
        }
      });
    },
  };
}
