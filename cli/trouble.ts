/** What stands in a command's way, in words: what AWS and the network answer is not for people. */
import { describeError } from "../lambda/errors.ts";
import { exitCodes, Failure } from "./failure.ts";

type Known = { pattern: RegExp; message: string; next: string };

const known: Known[] = [
  {
    pattern: /ResourceNotFoundException/,
    message: "there is no such table in this Region and account",
    next: "aws dynamodb list-tables",
  },
  {
    pattern: /ExpiredToken|TokenRefreshRequired|token.*expired|session.*expired/i,
    message: "the credentials have expired",
    next: "aws sso login",
  },
  {
    pattern:
      /CredentialsProviderError|Could not load credentials|UnrecognizedClient|InvalidSignature|InvalidClientTokenId/,
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
    pattern: /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNRESET|TimeoutError|EHOSTUNREACH/,
    message: "DynamoDB cannot be reached",
    next: "keyturn --help",
  },
];

export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const text = describeError(error);
  const found = known.find(({ pattern }) => pattern.test(text));
  if (found === undefined) return new Failure(exitCodes.unreachable, text, undefined, error);
  return new Failure(exitCodes.unreachable, `${found.message} (${text})`, found.next, error);
}
