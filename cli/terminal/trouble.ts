/** Explains errors of AWS and the network to an operator. */
import { exitCodes, Failure } from "./failure.ts";

/** An endpoint that replaces AWS's own, and the option or variable that sets it. */
export type Endpoint = { url: string; name: string };

type Known = { pattern: RegExp; message: string; next: string };

const unreachable = "DynamoDB cannot be reached";

const known: Known[] = [
  {
    pattern: /ResourceNotFoundException/,
    message: "this Region and account has no such table",
    next: "aws dynamodb list-tables",
  },
  {
    pattern: /specified index|key element does not match|does not match the schema/,
    message: "this is not a state table of keyturn",
    next: "aws cloudformation describe-stacks --query 'Stacks[].Outputs'",
  },
  {
    pattern: /ExpiredToken|TokenRefreshRequired|token.*expired|session.*expired/i,
    message: "the credentials have expired",
    next: "aws sso login",
  },
  {
    pattern:
      /CredentialsProviderError|Could not load credentials|UnrecognizedClient|InvalidSignature|InvalidClientTokenId|MissingAuthenticationToken|IncompleteSignature/,
    message: "there are no credentials, or AWS rejects them",
    next: "aws sts get-caller-identity",
  },
  {
    pattern: /AccessDenied/,
    message: "these credentials lack the permission",
    next: "aws sts get-caller-identity",
  },
  {
    pattern: /Region is missing|ConfigError.*region/i,
    message: "no Region: name it with --region or AWS_REGION",
    next: "aws configure get region",
  },
  {
    pattern: /Region not accepted/,
    message: "this is not the name of a Region",
    next: "aws configure get region",
  },
  {
    pattern: /Invalid URL/,
    message: "the endpoint in --endpoint-url or AWS_ENDPOINT_URL is not a URL",
    next: "npx keyturn --help",
  },
  {
    pattern: /Throttl|ProvisionedThroughputExceeded|RequestLimitExceeded|TooManyRequests/,
    message: "DynamoDB throttles requests beyond the capacity of the table; try again in a minute",
    next: "aws dynamodb describe-table --table-name <table> --query Table.BillingModeSummary",
  },
  {
    pattern: /Deserialization error|SyntaxError/,
    message: "the endpoint answers, but not as DynamoDB",
    next: "npx keyturn --help",
  },
  {
    pattern: /InternalServerError|InternalFailure|ServiceUnavailable|Http50\d|UnknownError/,
    message: "DynamoDB reports an internal error; try again in a minute",
    next: "aws health describe-events",
  },
  {
    pattern:
      /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNRESET|EPIPE|TimeoutError|EHOSTUNREACH|ENETUNREACH|socket hang up/,
    message: unreachable,
    next: "npx keyturn --help",
  },
];

export function failureOf(error: unknown, endpoint?: Endpoint): Failure {
  if (error instanceof Failure) return error;
  const text = innermost(error);
  const found = known.find(({ pattern }) => pattern.test(text));
  const shown = firstLine(text);
  if (found === undefined) return new Failure(exitCodes.unreachable, shown, undefined, error);
  const isAway = found.message === unreachable && endpoint !== undefined;
  const next = isAway ? `is ${endpoint.url} running? ${endpoint.name} sets it` : found.next;
  return new Failure(exitCodes.unreachable, `${found.message} (${shown})`, next, error);
}

/** Undefined if neither the option nor the environment sets one. */
export function endpointIn(
  option: string | undefined,
  env: Record<string, string | undefined>,
): Endpoint | undefined {
  if (option !== undefined) return { url: option, name: "--endpoint-url" };
  for (const name of ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"]) {
    const url = env[name] ?? "";
    if (url !== "") return { url, name };
  }
  return undefined;
}

/** The errors around it only repeat its message. */
function innermost(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause, name, message } = error;
  if (cause instanceof Error) return innermost(cause);
  const code = "code" in error ? ` ${String(error.code)}` : "";
  return `${name}${code}: ${message}`;
}

const longest = 300;

function firstLine(text: string): string {
  const [line = ""] = text.split("\n");
  return line.length > longest ? `${line.slice(0, longest)}…` : line;
}
