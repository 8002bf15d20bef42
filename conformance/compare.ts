/** What an endpoint answers beside what the embedded AWS answers. */
import { isDeepStrictEqual } from "node:util";
import { isAnswer, isDenied } from "./answers.ts";
import type { Fact } from "./facts.ts";
import type { Lab } from "./lab.ts";

export type Compared = {
  name: string;
  matters: string;
  isUnsettled?: true;
  /** `denied`: the caller lacks a right, which `why` names. */
  verdict: "holds" | "differs" | "denied";
  answer?: unknown;
  expected: unknown;
  why?: string;
};

/** Asks one fact after the other; an answer that is an error of the endpoint is an answer too. */
export async function compare(
  facts: readonly Fact[],
  lab: Lab,
  embedded: Lab,
  report: (one: Compared) => void,
): Promise<Compared[]> {
  const all: Compared[] = [];
  for (const { ask, ...fact } of facts) {
    const expected = await ask(embedded);
    const one = { ...fact, expected, ...(await answerOf(ask, lab, expected)) };
    all.push(one);
    report(one);
  }
  return all;
}

async function answerOf(
  ask: Fact["ask"],
  lab: Lab,
  expected: unknown,
): Promise<Pick<Compared, "verdict" | "answer" | "why">> {
  try {
    const answer = await ask(lab);
    return { verdict: isDeepStrictEqual(answer, expected) ? "holds" : "differs", answer };
  } catch (error) {
    if (!isAnswer(error)) throw error;
    const why = lab.shown(error.message);
    if (isDenied(error)) return { verdict: "denied", why };
    return { verdict: "differs", answer: { error: error.name, message: why } };
  }
}
