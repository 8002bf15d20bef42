/** Exit codes, as `keyturn --help` lists them, and the failures that end a command early. */
export const exitCodes = {
  /** Done, or all is well. */
  ok: 0,
  /** Something needs an operator, or does not verify. */
  attention: 1,
  /** The command line is wrong, or the answer cannot be written. */
  usage: 2,
  /** The table could not be read or written. */
  unreachable: 3,
  /** There is no such managed key, version or finding code. */
  notFound: 4,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export class Failure extends Error {
  readonly exitCode: ExitCode;
  /** The command to type next, if there is one. */
  readonly next: string | undefined;

  constructor(exitCode: ExitCode, message: string, next?: string, cause?: unknown) {
    super(message, { cause });
    this.name = "Failure";
    this.exitCode = exitCode;
    this.next = next;
  }
}
