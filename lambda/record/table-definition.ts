/**
 * The one schema of the state table: the CDK stack synthesises it and the embedded AWS creates it.
 *
 * Only items that can fall due have `queue`, which makes the index sparse.
 */
export const tableDefinition = {
  partitionKey: "pk",
  sortKey: "sk",
  dueIndex: { name: "due", partitionKey: "queue", sortKey: "dueAtMs" },
} as const;
