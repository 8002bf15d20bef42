/** DynamoDB: dynalite in the same process, and the state table from its only definition. */
import { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import dynalite from "dynalite";
import { tableDefinition } from "../lambda/record/table-definition.ts";
import type { Reply } from "./http/reply.ts";

/** CreateTable's input for the state table: keys are strings, except the time in the index. */
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
  /** Answers one request; `headers` are the request's. */
  answer(headers: NodeJS.Dict<string | string[]>, body: Buffer): Promise<Reply>;
};

/**
 * dynalite is an HTTP server. Requests reach it by its "request" event, without a second port or a
 * proxy. It keeps everything in memory, and needs no close.
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
