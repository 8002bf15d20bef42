/** The deployed naive cron job: a host whose cron starts the script unconditionally. */
import { naiveCron } from "../naive-cron.ts";
import { AwsError } from "../../embedded-aws/http/aws-error.ts";
import type { Accounts } from "../checkers/liveness.ts";
import { Sandbox } from "./sandbox.ts";
import type { Rotator, Surroundings } from "./rotator.ts";

const hostArn = "arn:aws:iam::000000000000:role/rotator";
export const naiveArn = hostArn;

const changes = /^(Create|Update|Enable|Disable|Schedule|Cancel|Tag|Untag)/;

export class Naive implements Rotator {
  runs = 0;
  readonly checkers = [];
  readonly accounts: Accounts;
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
    const { kms } = around;
    this.accounts = {
      activeSinceMs: (_alias, keyId) => {
        const key = kms.world.keys.get(keyId);
        const since = Date.parse(key?.tags.get("rotator:activated-at") ?? "");
        return Number.isNaN(since) ? (key?.createdAtMs ?? 0) : since;
      },
      serves: () => undefined,
      isHeld: () => false,
      isKnown: (keyId) => kms.world.keys.get(keyId)?.tags.has("rotator:retired-at") === true,
      unfinished: () => [],
    };
  }

  deliverChange(): void {
    // It reads no events.
  }

  deliverRefused(): void {
    // It has no such queue.
  }

  tick(): void {
    const { engine, faultPlan, trace } = this.#around;
    const name = `script-${(this.runs += 1)}`;
    const sandbox = new Sandbox(engine, name, 0);
    trace(() => `${name}: begins`);
    const keys = [...this.#around.policies].map(([alias, policy]) => ({ alias, policy }));
    const script = (): Promise<void> =>
      naiveCron({
        kms: (operation, input) => this.#call(sandbox, operation, input),
        clock: sandbox.clock,
        log: (line) => trace(() => `  ${name}: ${line}`),
        keys,
      });
    // Only the host ends a script.
    sandbox.invoke(script, Infinity, (outcome) => trace(() => `${name}: ${outcome}`));
    if (faultPlan.strikes("doubleTick"))
      engine.after(faultPlan.between(0, 120_000), () => this.tick());
  }

  /** The script receives no events. */
  deliver(): void {}

  #call(sandbox: Sandbox, operation: string, input: object): Promise<unknown> {
    const { network, kms, faultPlan } = this.#around;
    const isChange = changes.test(operation);
    return network.pass<unknown>(sandbox, {
      medium: isChange ? "change" : "observe",
      name: () => `${operation} ${JSON.stringify(input).slice(0, 200)}`,
      apply: async () => {
        try {
          if (operation === "GetKeyLastUsage" && faultPlan.strikes("unknownUse")) return {};
          return kms.call(operation, input, { principalArn: hostArn });
        } catch (error) {
          if (error instanceof AwsError) throw thrown(error.code, error.message);
          throw error;
        }
      },
      unanswered: () => Promise.reject(thrown("TimeoutError", "no response")),
      refused: () => Promise.reject(thrown("ThrottlingException", "Rate exceeded")),
    });
  }
}

/** An error like those of the SDK. */
function thrown(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}
