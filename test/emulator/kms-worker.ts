/** A thread that calls KMS while the calling thread waits (`sync-kms.ts`). */
import { workerData, type MessagePort } from "node:worker_threads";
import { KMS, type KMSClientConfig } from "@aws-sdk/client-kms";
import { clearAccount, snapshotOf } from "./kms-account.ts";

export type Question = {
  sdk: KMSClientConfig;
  /** A KMS operation, or `snapshot` or `clear`. */
  operation: string;
  input: object;
};
export type Answer = { output: unknown } | { error: { name: string; message: string } };

/** The bell wakes the waiting thread to read its answer. */
const { bell, port } = workerData as { bell: Int32Array; port: MessagePort };

async function answer({ sdk, operation, input }: Question): Promise<Answer> {
  const kms = new KMS(sdk);
  try {
    if (operation === "snapshot") return { output: await snapshotOf(kms) };
    if (operation === "clear") return { output: await clearAccount(kms) };
    const name = `${operation.charAt(0).toLowerCase()}${operation.slice(1)}`;
    const ask = Reflect.get(kms, name) as (input: object) => Promise<unknown>;
    return { output: await ask.call(kms, input) };
  } catch (error) {
    const { name, message } = error as Error;
    return { error: { name, message } };
  } finally {
    kms.destroy();
  }
}

port.on("message", (question: Question) => {
  void answer(question).then((reply) => {
    port.postMessage(reply);
    Atomics.add(bell, 0, 1);
    Atomics.notify(bell, 0);
  });
});
