/** Runs a printed command as an operator's shell would: against the embedded AWS, or the real binary. */
import { expect } from "vitest";
import { nowOf, typed } from "../cli/binary.ts";
import type { Account } from "../infra/account.ts";
import { commandsOf } from "../../sim/world/shell.ts";
import { fieldOf, pascal } from "../../sim/world/typed-command.ts";

/** Read operations of services that the embedded AWS lacks. */
const shown: Record<string, string[]> = {
  "cloudtrail describe-trails": [],
  "cloudformation describe-stack-resources": ["--physical-resource-id"],
};

/** Whether the command only reads; an unknown command counts as a change. */
export function onlyShows(line: string): boolean {
  return commandsOf(line).every((words) =>
    /^(?:aws \S+ (?:describe|get|list|lookup)-\S+|npx keyturn (?:explain|history)|date -u)(?: |$)/.test(
      words.join(" "),
    ),
  );
}

/** As after `&&`, a command runs only if the one before it succeeded; `after` checks the world. */
export async function run(account: Account, line: string, after: () => void): Promise<void> {
  for (const [program = "", ...words] of commandsOf(line)) {
    await program_(account, program, words);
    after();
  }
}

async function program_(account: Account, program: string, words: string[]): Promise<void> {
  if (program === "date") return expect(words).toEqual(["-u"]);
  if (program === "aws") return aws(account, words);
  const [name, ...args] = words;
  expect([program, name]).toEqual(["npx", "keyturn"]);
  const { code, stderr } = await typed(account, [...args, ...nowOf(account)]);
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
}

async function aws(account: Account, words: string[]): Promise<void> {
  const [service = "", operation = "", ...rest] = words;
  const options = optionsOf(rest);
  if (service !== "kms") {
    expect(Object.keys(options)).toEqual(shown[`${service} ${operation}`]);
    return;
  }
  const { "--output": output = "text", ...parameters } = options;
  expect(["text", "json"]).toContain(output);
  const input = Object.fromEntries(
    Object.entries(parameters).map(([option, value]) => fieldOf(option.replace(/^--/, ""), value)),
  );
  const answer = await fetch(account.aws.endpoint, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": `TrentService.${pascal(operation)}`,
      authorization: "AWS4-HMAC-SHA256 Credential=person/a/b/c/d, SignedHeaders=host, Signature=0",
    },
    body: JSON.stringify(input),
  });
  const reported = answer.ok ? "" : await answer.text();
  expect(`${words.join(" ")}: ${answer.status} ${reported}`).toBe(`${words.join(" ")}: 200 `);
}

/** Every option has one value, and none is given twice. */
function optionsOf(words: string[]): Record<string, string> {
  const options: Record<string, string> = {};
  for (let at = 0; at < words.length; at += 2) {
    const [option = "", value] = words.slice(at, at + 2);
    expect(option).toMatch(/^--[a-z]+(?:-[a-z]+)*$/);
    expect(options).not.toHaveProperty([option]);
    if (value === undefined) throw new Error(`${option} has no value`);
    options[option] = value;
  }
  return options;
}
