/**
 * An operator who approves the deletions that findings ask for. They know what needs a version without
 * using it, and approve of none that is needed. Data that applications read later they forget.
 */
import { requiredApproval } from "../../lambda/workflow/requests/required-approval.ts";
import type { ManagedKey } from "../../lambda/workflow/model/types.ts";
import type { TableTwin } from "../ports/table.ts";
import { scannerArn } from "./callers.ts";
import type { Engine } from "./engine.ts";
import type { Resources } from "./resources.ts";

const everyMs = 30 * 60_000;

type World = { engine: Engine; table: TableTwin; aliases: string[] };

export class Approver {
  readonly #world: World;
  readonly #resources: Resources;
  readonly #recordOf: (alias: string) => ManagedKey | undefined;
  readonly #given = new Set<string>();

  constructor(
    world: World,
    resources: Resources,
    recordOf: (alias: string) => ManagedKey | undefined,
  ) {
    this.#world = world;
    this.#resources = resources;
    this.#recordOf = recordOf;
  }

  /** Also after the faults: every deletion waits for an operator. */
  start(): void {
    this.#world.engine.after(everyMs, () => {
      for (const alias of this.#world.aliases) {
        const record = this.#recordOf(alias);
        if (record !== undefined) this.#approve(record);
      }
      this.start();
    });
  }

  #approve({ alias, versions, findings }: ManagedKey): void {
    for (const finding of findings) {
      const { subject } = finding;
      const version = versions.find(({ keyId }) => keyId === subject)?.number;
      const { of, evidence, accepts: needs = [] } = requiredApproval(finding) ?? {};
      // They know the scanners, and accept the refusal of no other caller.
      const accepts = needs.filter((id) => id.includes(scannerArn));
      if (of !== "delete" || version === undefined || this.#resources.isNeeded(subject)) continue;
      const name = `${subject} ${evidence} ${accepts.join()}`;
      if (this.#given.has(name)) continue;
      this.#given.add(name);
      const id = `approval-${String(this.#given.size).padStart(6, "0")}`;
      this.#world.table.ask(alias, id, {
        ...{ kind: "approve", of, version, evidence, by: "ada" },
        ...(accepts.length === 0 ? {} : { accepts }),
      });
    }
  }
}
