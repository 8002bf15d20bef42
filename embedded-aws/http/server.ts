/** The loopback port: reads a whole request, gets its answer, and closes all connections on stop. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Connection } from "./faults.ts";
import type { Reply } from "./reply.ts";

export type Incoming = {
  method: string;
  path: string;
  headers: NodeJS.Dict<string | string[]>;
  body: Buffer;
  connection: Connection;
};

/** "hang up" closes the connection without an answer. */
export type Answer = (request: Incoming) => Promise<Reply | "hang up">;

export type LoopbackServer = { port: number; close(): Promise<void> };

export async function listen(port: number, answer: Answer): Promise<LoopbackServer> {
  const connections = new WeakMap<Socket, Connection>();
  let opened = 0;
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const { number, requests } = connections.get(request.socket) ?? {
      number: ++opened,
      requests: 0,
    };
    const connection = { number, requests: requests + 1 };
    connections.set(request.socket, connection);
    serve(request, response, connection, answer).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address() as AddressInfo;
  return { port: address.port, close: () => close(server) };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  connection: Connection,
  answer: Answer,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { method = "GET", url = "/", headers } = request;
  const reply = await answer({
    method,
    path: url,
    headers,
    body: Buffer.concat(chunks),
    connection,
  });
  if (reply === "hang up") {
    request.socket.destroy();
    return;
  }
  response.writeHead(reply.status, {
    ...reply.headers,
    "content-length": Buffer.byteLength(reply.body),
  });
  response.end(reply.body);
}

/** Open keep-alive connections would keep the process running. */
async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve, reject) => {
    server.close((error) => {
      if (error === undefined) resolve();
      else reject(error);
    });
  });
  server.closeAllConnections();
  await closed;
}
