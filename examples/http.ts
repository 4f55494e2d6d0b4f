/**
 * An HTTP server: bun examples/http.ts --port 80.
 *   GET /           a line of text
 *   GET /bytes/N    N pseudo-random bytes, always the same
 *   PUT /anything   answers the SHA-256 and the length of what it was sent
 */
import { serve } from "../src/adapters/serve";
import { Demikernel } from "../src/index";
import { printStatistics, readOptions, stopped } from "./options";
import { randomStream } from "./random-bytes";

const BYTES_MAX = 2 ** 40;

async function digest(request: Request): Promise<Response> {
  const hash = new Bun.CryptoHasher("sha256");
  let bytes = 0;
  for await (const chunk of request.body ?? []) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return new Response(`${hash.digest("hex")} ${bytes}\n`);
}

function fetch(request: Request): Response | Promise<Response> {
  const { pathname } = new URL(request.url);
  if (request.method === "PUT") return digest(request);
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new Response("Method Not Allowed\n", { status: 405, headers: { allow: "GET, PUT" } });
  }
  if (pathname === "/") return new Response("Hello from demibun\n");
  const bytes = Number(/^\/bytes\/(\d{1,13})$/.exec(pathname)?.[1] ?? Number.NaN);
  if (!(bytes <= BYTES_MAX)) return new Response("Not Found\n", { status: 404 });
  const headers = {
    "content-type": "application/octet-stream",
    "content-length": String(bytes),
  };
  return new Response(request.method === "HEAD" ? null : randomStream(bytes), { headers });
}

const options = readOptions("http", 80);
const demikernel = await Demikernel.open();
const server = serve(demikernel, { port: options.port, fetch });
console.log(`http: listening on http://${server.hostname}:${server.port}/`);

await stopped();
await server.stop(true);
printStatistics(demikernel, options);
await demikernel[Symbol.asyncDispose]();
process.exit(0);
