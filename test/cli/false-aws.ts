/** A server in place of DynamoDB, which answers every request in one way, or never. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { onTestFinished } from "vitest";

export type Answering = (response: ServerResponse, body: string, operation: string) => void;

export async function falseAws(answer: Answering): Promise<Record<string, string>> {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += String(chunk)));
    const operation = String(request.headers["x-amz-target"]).split(".")[1] ?? "";
    request.on("end", () => answer(response, body, operation));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "person",
    AWS_SECRET_ACCESS_KEY: "secret",
    KEYTURN_TABLE: "keyturn",
  };
}

/** An error response of DynamoDB. */
export function refusing(code: string, message: string, status = 400): Answering {
  const type = `com.amazonaws.dynamodb.v20120810#${code}`;
  return (response) => {
    response.writeHead(status, { "content-type": "application/x-amz-json-1.0" });
    response.end(JSON.stringify({ __type: type, message }));
  };
}
