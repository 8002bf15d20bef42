/** Requests to services of the emulator that keyturn itself does not call; tests need few. */
import { emulatorEndpoint, type EmulatorSdk } from "./run.ts";

/** Emulators read the account and the Region from it, and do not check the signature. */
export function authorization(sdk: EmulatorSdk, service: string): string {
  const scope = `${sdk.credentials.accessKeyId}/20260101/${sdk.region}/${service}/aws4_request`;
  return `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=any`;
}

/** Calls a service of the JSON protocol: `target` is its prefix and the operation. */
export async function askJson<T>(
  sdk: EmulatorSdk,
  service: string,
  target: string,
  input: object,
): Promise<T> {
  const response = await fetch(emulatorEndpoint(), {
    method: "POST",
    headers: {
      authorization: authorization(sdk, service),
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": target,
    },
    body: JSON.stringify(input),
  });
  const body = await response.text();
  if (!response.ok) throw new Error(`${target}: ${response.status} ${body}`);
  return JSON.parse(body === "" ? "{}" : body) as T;
}

/** Calls a service of the query protocol, which answers in XML. */
export async function askQuery(
  sdk: EmulatorSdk,
  service: string,
  parameters: Record<string, string>,
): Promise<string> {
  const response = await fetch(emulatorEndpoint(), {
    method: "POST",
    headers: { authorization: authorization(sdk, service) },
    body: new URLSearchParams(parameters),
  });
  return response.text();
}

/** Calls a service of the REST protocols. */
export async function askRest(
  sdk: EmulatorSdk,
  service: string,
  method: string,
  path: string,
): Promise<string> {
  const headers = { authorization: authorization(sdk, service) };
  return (await fetch(emulatorEndpoint() + path, { method, headers })).text();
}
