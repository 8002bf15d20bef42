/** What a call says about the service: its answer, a missing right, or nothing. */

/** "ok", or the error's code. A missing right and a lost answer are no answers: they fail the fact. */
export async function outcomeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "ok";
  } catch (error) {
    if (!isAnswer(error) || isDenied(error)) throw error;
    return error.name;
  }
}

/** An error that the service sent. */
export function isAnswer(error: unknown): error is Error {
  if (!(error instanceof Error) || !("$metadata" in error)) return false;
  return (error.$metadata as { httpStatusCode?: number }).httpStatusCode !== undefined;
}

export const isDenied = ({ name }: Error): boolean => /AccessDenied|NotAuthorized/.test(name);
