/** What ends a command early, in words for a person; `exitCode` as `keyturn --help` lists them. */
export const exitCodes = {
  /** All is well, or what was asked is done. */
  ok: 0,
  /** The answer is that something needs a person, or does not agree. */
  attention: 1,
  /** What was typed is not understood, or the answer cannot be written to where it is to go. */
  usage: 2,
  /** The table could not be read or written. */
  unreachable: 3,
  /** There is no such managed key, version or finding code. */
  notFound: 4,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export class Failure extends Error {
  readonly exitCode: ExitCode;
  /** The command to type next, where there is one. */
  readonly next: string | undefined;

  constructor(exitCode: ExitCode, message: string, next?: string, cause?: unknown) {
    super(message, { cause });
    this.name = "Failure";
    this.exitCode = exitCode;
    this.next = next;
  }
}
