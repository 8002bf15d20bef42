/** DynamoDB: dynalite in the same process, and the state table made from its one definition. */
import { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import dynalite from "dynalite";
import { tableDefinition } from "../lambda/record/table-definition.ts";
import type { Reply } from "./http/reply.ts";

/** CreateTable's input for the state table: keys are strings, save for the time in the index. */
export function createTableInput(tableName: string) {
  const { partitionKey, sortKey, dueIndex } = tableDefinition;
  return {
    TableName: tableName,
    BillingMode: "PAY_PER_REQUEST" as const,
    AttributeDefinitions: [
      attribute(partitionKey, "S"),
      attribute(sortKey, "S"),
      attribute(dueIndex.partitionKey, "S"),
      attribute(dueIndex.sortKey, "N"),
    ],
    KeySchema: keySchema(partitionKey, sortKey),
    GlobalSecondaryIndexes: [
      {
        IndexName: dueIndex.name,
        KeySchema: keySchema(dueIndex.partitionKey, dueIndex.sortKey),
        Projection: { ProjectionType: "KEYS_ONLY" as const },
      },
    ],
  };
}

export type DynamoDb = {
  /** Answers one request; `headers` are those it came with. */
  answer(headers: NodeJS.Dict<string | string[]>, body: Buffer): Promise<Reply>;
};

/**
 * dynalite is an HTTP server; handing it requests by its "request" event needs neither a second port
 * nor a proxy. It keeps everything in memory, so nothing has to be closed.
 */
export function startDynamoDb(): DynamoDb {
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  return {
    answer(headers, body) {
      return new Promise((resolve) => {
        const request = Object.assign(new EventEmitter(), { method: "POST", url: "/", headers });
        server.emit("request", request as IncomingMessage, responseInto(resolve));
        request.emit("data", body);
        request.emit("end");
      });
    },
  };
}

function responseInto(resolve: (reply: Reply) => void): ServerResponse {
  const headers: Record<string, string> = {};
  const response = {
    statusCode: 200,
    setHeader(name: string, value: string | number) {
      headers[name.toLowerCase()] = String(value);
    },
    end(body: string | undefined) {
      resolve({ status: response.statusCode, headers, body: body ?? "" });
    },
  };
  return response as unknown as ServerResponse;
}

function attribute(name: string, type: "S" | "N") {
  return { AttributeName: name, AttributeType: type };
}

function keySchema(partitionKey: string, sortKey: string) {
  return [
    { AttributeName: partitionKey, KeyType: "HASH" as const },
    { AttributeName: sortKey, KeyType: "RANGE" as const },
  ];
}
