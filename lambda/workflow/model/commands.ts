/**
 * The command lines that findings print. An operator pastes them into a shell: a word that the
 * shell would interpret is quoted, and no command has a placeholder.
 */
import type { Key, KeyState } from "./kms.ts";

const plainWord = /^[\w/.:=@,+-]+$/;

/** One command, its words quoted for a POSIX shell. */
export function commandLine(...words: (string | number)[]): string {
  return words.map((word) => quoted(String(word))).join(" ");
}

function quoted(word: string): string {
  return plainWord.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Each runs only where the one before it succeeded. */
export function inOrder(commands: string[]): string {
  return commands.join(" && ");
}

/** Shows a key; also by its alias. */
export function showKey(keyId: string): string {
  return commandLine("aws", "kms", "describe-key", "--key-id", keyId);
}

/** KMS answers this for a key id only, not for an alias. */
export function showPolicy(keyId: string): string {
  const options = ["--key-id", keyId, "--policy-name", "default", "--output", "text"];
  return commandLine("aws", "kms", "get-key-policy", ...options);
}

export function showTags(keyId: string): string {
  return commandLine("aws", "kms", "list-resource-tags", "--key-id", keyId);
}

export function showAliases(keyId: string): string {
  return commandLine("aws", "kms", "list-aliases", "--key-id", keyId);
}

export function showGrants(keyId: string): string {
  return commandLine("aws", "kms", "list-grants", "--key-id", keyId);
}

export function showAutoRotation(keyId: string): string {
  return commandLine("aws", "kms", "get-key-rotation-status", "--key-id", keyId);
}

export function showLastUse(keyId: string): string {
  return commandLine("aws", "kms", "get-key-last-usage", "--key-id", keyId);
}

export function showStatus(alias: string): string {
  return commandLine("npx", "keyturn", "status", alias);
}

export function showHistory(alias: string): string {
  return commandLine("npx", "keyturn", "history", alias);
}

/** Prints the remedy of a code, where it is an edit or a deployment and no command can make it. */
export function explain(code: string): string {
  return commandLine("npx", "keyturn", "explain", code);
}

export function disable(keyId: string): string {
  return commandLine("aws", "kms", "disable-key", "--key-id", keyId);
}

/** KMS leaves a key whose deletion was cancelled Disabled (API reference, CancelKeyDeletion). */
export function cancelDeletion(keyId: string): string {
  return commandLine("aws", "kms", "cancel-key-deletion", "--key-id", keyId);
}

function enable(keyId: string): string {
  return commandLine("aws", "kms", "enable-key", "--key-id", keyId);
}

type Stateful = Pick<Key, "keyId" | "state">;

/** The commands that bring a key from its state to another one; undefined where there are none. */
function path({ keyId, state }: Stateful, to: KeyState, windowDays: number): string[] | undefined {
  if (state !== "Enabled" && state !== "Disabled" && state !== "PendingDeletion") return undefined;
  if (state === to) return [];
  const cancelled = state === "PendingDeletion" ? [cancelDeletion(keyId)] : [];
  switch (to) {
    case "Enabled":
      return [...cancelled, enable(keyId)];
    case "Disabled":
      return state === "Enabled" ? [disable(keyId)] : cancelled;
    case "PendingDeletion": {
      const window = ["--pending-window-in-days", windowDays] as const;
      return [commandLine("aws", "kms", "schedule-key-deletion", "--key-id", keyId, ...window)];
    }
    case "Creating":
    case "PendingImport":
    case "PendingReplicaDeletion":
    case "Unavailable":
    case "Updating":
      return undefined;
  }
}

/** Brings a key into this state; shows the key where no call can, as when its key store is away. */
export function bring(key: Stateful, to: KeyState, windowDays: number): string {
  const commands = path(key, to, windowDays);
  return commands === undefined || commands.length === 0 ? showKey(key.keyId) : inOrder(commands);
}

export function bringToEnabled(key: Stateful): string {
  return bring(key, "Enabled", 0);
}

/**
 * Enables a key first and then moves aliases to it, or creates those that do not exist: no alias ever points at a key
 * that is not Enabled.
 */
export function pointAt(key: Stateful, aliases: string[], missing: string[] = []): string {
  const first = path(key, "Enabled", 0);
  if (first === undefined) return showKey(key.keyId);
  const moves = aliases.map((alias) => {
    const operation = missing.includes(alias) ? "create-alias" : "update-alias";
    const options = ["--alias-name", alias, "--target-key-id", key.keyId];
    return commandLine("aws", "kms", operation, ...options);
  });
  return inOrder([...first, ...moves]);
}
