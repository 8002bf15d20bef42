/**
 * Synchronous calls of KMS on the emulator. The contract suites arrange their world synchronously,
 * because the twin's calls are; here a separate thread makes the call.
 */
import { receiveMessageOnPort, MessageChannel, Worker } from "node:worker_threads";
import type { Answer } from "./kms-worker.ts";
import type { EmulatorSdk } from "./run.ts";

const limitMs = 60_000;

let thread: { ask: (question: object) => Answer } | undefined;

function startThread(): { ask: (question: object) => Answer } {
  const bell = new Int32Array(new SharedArrayBuffer(4));
  const { port1: here, port2: there } = new MessageChannel();
  const worker = new Worker(new URL("kms-worker.ts", import.meta.url), {
    execArgv: [],
    workerData: { bell, port: there },
    transferList: [there],
  });
  worker.unref();
  here.unref();
  return {
    ask(question) {
      const before = Atomics.load(bell, 0);
      here.postMessage(question);
      if (Atomics.wait(bell, 0, before, limitMs) === "timed-out") {
        throw new Error(`the emulator did not answer within ${limitMs} ms`);
      }
      return (receiveMessageOnPort(here) as { message: Answer }).message;
    },
  };
}

export function askKms<T>(sdk: EmulatorSdk, operation: string, input: object = {}): T {
  thread ??= startThread();
  const answer = thread.ask({ sdk, operation, input });
  if ("error" in answer) throw Object.assign(new Error(answer.error.message), answer.error);
  return answer.output as T;
}
