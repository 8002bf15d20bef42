/** A table whose requests a test counts, fails and races. */
import { createTableTwin, type TableTwin } from "../../sim/ports/table.ts";
import { intercepted } from "../faults.ts";

/** Called before each request, with its method and its subject; it may fail or delay the request. */
export type Break = (method: string, subject: unknown) => unknown;

export type Counted = {
  /** The table itself, for the test. */
  twin: TableTwin;
  table: TableTwin;
  /** The requests since the last `forget`, as `method subject`. */
  requests: string[];
  forget: () => void;
  breaks: (act: Break | undefined) => void;
};

export function aCountedTable(): Counted {
  const twin = createTableTwin();
  const requests: string[] = [];
  let act: Break | undefined;
  const table = intercepted("table", twin, () => async (_port, method, input, proceed) => {
    const [subject] = input;
    const isNamed = typeof subject === "string";
    requests.push(isNamed ? `${method} ${subject}` : method);
    await act?.(method, subject);
    return await proceed();
  });
  return {
    twin,
    table,
    requests,
    forget: () => void requests.splice(0),
    breaks: (next) => void (act = next),
  };
}
