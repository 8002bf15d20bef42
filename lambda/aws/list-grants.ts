/** ListGrants, with the members that the SDK does not know: it drops them from its answers. */
import { ListGrantsCommand, type KMSClient } from "@aws-sdk/client-kms";
import { grantOf, type GrantEntry } from "./kms-shapes.ts";
import type { Grant } from "../workflow/model/types.ts";

/** The largest page (API reference). */
const pageSize = 100;

type Page = { Grants?: GrantEntry[]; NextMarker?: string; Truncated?: boolean };

/** Throws the SDK's errors. */
export async function listGrants(client: KMSClient, keyId: string): Promise<Grant[]> {
  const grants: Grant[] = [];
  let marker: string | undefined;
  do {
    const page = await pageAt(client, keyId, marker);
    grants.push(...(page.Grants ?? []).map(grantOf));
    marker = page.Truncated === true ? page.NextMarker : undefined;
  } while (marker !== undefined);
  return grants;
}

async function pageAt(client: KMSClient, keyId: string, marker: string | undefined): Promise<Page> {
  const at = marker === undefined ? {} : { Marker: marker };
  const command = new ListGrantsCommand({ KeyId: keyId, Limit: pageSize, ...at });
  let text = "{}";
  // Inside the SDK's own deserializer, which then reads the bytes instead of the stream.
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const response = result.response as { body: AsyncIterable<Uint8Array> | Uint8Array };
      const bytes = await bytesOf(response.body);
      text = bytes.toString();
      response.body = bytes;
      return result;
    },
    { step: "deserialize", priority: "low", name: "keyturnBody" },
  );
  await client.send(command);
  return JSON.parse(text) as Page;
}

async function bytesOf(body: AsyncIterable<Uint8Array> | Uint8Array): Promise<Buffer> {
  if (body instanceof Uint8Array) return Buffer.from(body);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
