/** The Request object that a handler gets. */
import type { RequestMessage } from "./http-parser";

/** Undefined for a request that is not well-formed: a bad target, or no Host in HTTP/1.1. */
export function makeRequest(message: RequestMessage): Request | undefined {
  const { method, url, headers: flat, body } = message;
  const headers: [string, string][] = [];
  let host: string | undefined;
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const name = flat[index] as string;
    const value = flat[index + 1] as string;
    if (name.length === 4 && name.toLowerCase() === "host") {
      // RFC 9112 section 3.2: more than one Host is an error.
      if (host !== undefined) return undefined;
      host = value;
    }
    headers.push([name, value]);
  }
  if (host === undefined && message.minorVersion > 0) return undefined;
  const target = url.startsWith("/") ? `http://${host || "localhost"}${url}` : url;
  const init: RequestInit & { duplex?: "half" } = { method, headers };
  // fetch's Request has no body for these methods; one that is sent is read and dropped.
  if (method === "GET" || method === "HEAD") body.discard();
  else if (body.complete) init.body = body.empty ? null : body.take();
  else {
    init.body = body.stream();
    init.duplex = "half";
  }
  try {
    return new Request(target, init);
  } catch {
    return undefined;
  }
}
