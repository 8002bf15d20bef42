/** The command by which a person asks something of a managed key (docs/requests.md). */
export function requestCommand(
  alias: string,
  kind: string,
  fields: Record<string, string | number> = {},
): string {
  const item = {
    pk: { S: `request#${alias}` },
    sk: { S: "<a new id>" },
    queue: { S: "due" },
    dueAtMs: { N: "1" },
    kind: { S: kind },
    by: { S: "<you>" },
    ...Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [
        name,
        typeof value === "number" ? { N: String(value) } : { S: value },
      ]),
    ),
  };
  const once = "--condition-expression 'attribute_not_exists(pk)'";
  return `aws dynamodb put-item --table-name <table> ${once} --item '${JSON.stringify(item)}'`;
}
