/** What stands in a command's way, in words: what AWS and the network answer is not for people. */
import { exitCodes, Failure } from "./failure.ts";

type Known = { pattern: RegExp; message: string; next: string };

const known: Known[] = [
  {
    pattern: /ResourceNotFoundException/,
    message: "there is no such table in this Region and account",
    next: "aws dynamodb list-tables",
  },
  {
    pattern: /specified index|key element does not match|does not match the schema/,
    message: "this is no table of keyturn's",
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
    message: "there are no credentials, or AWS does not know them",
    next: "aws sts get-caller-identity",
  },
  {
    pattern: /AccessDenied/,
    message: "these credentials may not do this",
    next: "aws sts get-caller-identity",
  },
  {
    pattern: /Region is missing|ConfigError.*region/i,
    message: "which Region? Name it by --region or AWS_REGION",
    next: "aws configure get region",
  },
  {
    pattern: /Region not accepted/,
    message: "that is no Region's name",
    next: "aws configure get region",
  },
  {
    pattern: /Invalid URL/,
    message: "the endpoint, of --endpoint-url or AWS_ENDPOINT_URL, is no URL",
    next: "keyturn --help",
  },
  {
    pattern: /Throttl|ProvisionedThroughputExceeded|RequestLimitExceeded|TooManyRequests/,
    message: "DynamoDB throttles: the table is asked for more than it gives; try again in a minute",
    next: "aws dynamodb describe-table --table-name <table> --query Table.BillingModeSummary",
  },
  {
    pattern: /Deserialization error|SyntaxError/,
    message: "what answers there gives no answer of DynamoDB's",
    next: "keyturn --help",
  },
  {
    pattern: /InternalServerError|InternalFailure|ServiceUnavailable|Http50\d|UnknownError/,
    message: "DynamoDB fails on its own side; try again in a minute",
    next: "aws health describe-events",
  },
  {
    pattern:
      /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNRESET|EPIPE|TimeoutError|EHOSTUNREACH|ENETUNREACH|socket hang up/,
    message: "DynamoDB cannot be reached",
    next: "keyturn --help",
  },
];

export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const text = innermost(error);
  const found = known.find(({ pattern }) => pattern.test(text));
  const shown = firstLine(text);
  if (found === undefined) return new Failure(exitCodes.unreachable, shown, undefined, error);
  return new Failure(exitCodes.unreachable, `${found.message} (${shown})`, found.next, error);
}

/** The causes around it only say once more what it says. */
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
