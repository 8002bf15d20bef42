/** Handles failed writes to stdout and stderr: a closed pipe, a full disk. */
import { fstatSync, writeSync } from "node:fs";

type Output = NodeJS.WriteStream & { fd: number };

/** `closed`: the reader has closed the pipe (`| head`). `lost`: the answer could not be written. */
export type OutputEnd = "closed" | "lost";

/**
 * Calls `onEnd` at the first failed write to stdout, after one line on stderr if the answer is lost.
 * A failed write to stderr loses only notes: the answer and the exit code stay as they are.
 */
export function watchOutput(
  program: string,
  { stdout, stderr }: { stdout: Output; stderr: Output },
  onEnd: (end: OutputEnd) => void,
): void {
  for (const stream of [stdout, stderr]) writeWhole(stream);
  stderr.on("error", () => undefined);
  let hasEnded = false;
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (hasEnded) return;
    hasEnded = true;
    if (error.code === "EPIPE") return onEnd("closed");
    stderr.write(`${program}: cannot write to stdout: ${error.message}\n`);
    onEnd("lost");
  });
}

/**
 * Node writes to a file once and takes a short write for a whole one. On a disk that is almost full,
 * the answer would end in the middle, with exit code 0.
 */
function writeWhole(stream: Output): void {
  if (!isFile(stream.fd)) return;
  stream._write = (chunk: Buffer, _, done) => {
    try {
      for (let at = 0; at < chunk.length;) at += writeSync(stream.fd, chunk, at);
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    done();
  };
}

function isFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile();
  } catch {
    return false;
  }
}
