/** The fetch server over a pair of stacks, spoken to in raw bytes. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type HttpServer, serve } from "../../src/adapters/serve";
import type { Demikernel } from "../../src/pdpix/demikernel";
import { openPair } from "../../src/pdpix/open";
import type { TcpSocket } from "../../src/pdpix/tcp-socket";

const MEGABYTE = 1 << 20;
let near: Demikernel;
let far: Demikernel;
let server: HttpServer;

async function answer(request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  switch (pathname) {
    case "/":
      return new Response("hello");
    case "/echo":
      return new Response(request.body, { headers: { "x-method": request.method } });
    case "/length":
      return new Response(String((await request.arrayBuffer()).byteLength));
    case "/ignore":
      return new Response("ignored");
    case "/stream":
      return new Response(
        new ReadableStream<Uint8Array>({
          async start(controller) {
            for (const part of ["a", "bc", "def"]) {
              await Bun.sleep(1);
              controller.enqueue(new TextEncoder().encode(part));
            }
            controller.close();
          },
        }),
      );
    case "/large":
      return new Response(new Uint8Array(Number(searchParams.get("bytes"))).fill(65), {
        headers: { "content-length": searchParams.get("bytes") as string },
      });
    case "/throw":
      throw new Error("expected by the test");
    case "/broken":
      return new Response(
        new ReadableStream({
          async pull(controller) {
            await Bun.sleep(1);
            controller.error(new Error("expected by the test"));
          },
        }),
      );
    case "/short":
      return new Response("four", { headers: { "content-length": String(MEGABYTE) } });
    case "/cookies": {
      const headers = new Headers({ "set-cookie": "a=1", "transfer-encoding": "gzip" });
      headers.append("set-cookie", "b=2");
      return new Response(null, { status: 204, headers });
    }
    default:
      return new Response(`${request.url}\n`, { status: 404 });
  }
}

beforeAll(() => {
  [near, far] = openPair({ stack: { timeWaitUs: 20_000 } });
  const error = () => new Response("sorry", { status: 500 });
  server = serve(far, { port: 80, fetch: answer, error, headerBytesMax: 4096, headerCountMax: 64 });
});
afterAll(async () => {
  await server.stop(true);
  await near[Symbol.asyncDispose]();
  await far[Symbol.asyncDispose]();
});

interface Exchange {
  readonly text: string;
  readonly error: string | undefined;
}

/** Sends parts, each after a turn; resolves with all that came when the connection has ended. */
function exchange(...parts: string[]): Promise<Exchange> {
  const done = Promise.withResolvers<Exchange>();
  let text = "";
  const open = async (socket: TcpSocket) => {
    for (const part of parts) {
      let at = 0;
      const bytes = new TextEncoder().encode(part);
      while (at < bytes.length && socket.writable) {
        at += socket.write(bytes.subarray(at));
        await Bun.sleep(1);
      }
    }
  };
  near.tcp
    .connect({
      hostname: "10.0.0.2",
      port: 80,
      socket: {
        open: (socket) => void open(socket),
        data: (_, bytes) => {
          text += new TextDecoder("latin1").decode(bytes);
        },
        close: (_, error) => done.resolve({ text, error: error?.code }),
      },
    })
    .catch(done.reject);
  return done.promise;
}

const close = "connection: close\r\n";
const get = (path: string, fields = close) => `GET ${path} HTTP/1.1\r\nhost: x\r\n${fields}\r\n`;
const statusOf = (text: string) => Number(text.split(" ")[1]);
const bodyOf = (text: string) => text.slice(text.indexOf("\r\n\r\n") + 4);

describe("one request", () => {
  test("is answered with a length, a date and the end of the connection", async () => {
    const { text } = await exchange(get("/"));
    expect(text).toStartWith("HTTP/1.1 200 OK\r\n");
    expect(text).toContain("\r\ncontent-length: 5\r\n");
    expect(text).toContain("\r\nconnection: close\r\n");
    expect(text).toMatch(/\r\ndate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n/);
    expect(bodyOf(text)).toBe("hello");
  });

  test("may come byte by byte", async () => {
    expect(bodyOf((await exchange(...get("/"))).text)).toBe("hello");
  });

  test("HEAD and 204 have no body", async () => {
    const head = await exchange(`HEAD / HTTP/1.1\r\nhost: x\r\n${close}\r\n`);
    expect([statusOf(head.text), bodyOf(head.text)]).toEqual([200, ""]);
    const cookies = await exchange(get("/cookies"));
    expect(statusOf(cookies.text)).toBe(204);
    expect(cookies.text).toContain("set-cookie: a=1\r\nset-cookie: b=2\r\n");
    expect(cookies.text).not.toContain("gzip");
    expect(cookies.text).not.toContain("content-length");
  });

  test("HTTP/1.0 is answered and closed; kept alive only when asked for", async () => {
    const plain = await exchange("GET / HTTP/1.0\r\n\r\n");
    expect(plain.text).toContain("connection: close\r\n");
    const kept = await exchange("GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n", get("/"));
    expect(kept.text.match(/connection: keep-alive/g)?.length).toBe(1);
    expect(kept.text.match(/hello/g)?.length).toBe(2);
    const stream = await exchange("GET /stream HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
    expect(stream.text).not.toContain("chunked");
    expect(bodyOf(stream.text)).toBe("abcdef");
  });

  test("a streamed answer is chunked", async () => {
    const { text } = await exchange(get("/stream"));
    expect(text).toContain("transfer-encoding: chunked\r\n");
    expect(bodyOf(text)).toBe("1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n");
  });

  test("a large answer arrives whole", async () => {
    const { text } = await exchange(get(`/large?bytes=${3 * MEGABYTE}`));
    expect(text.slice(0, 500)).toContain(`content-length: ${3 * MEGABYTE}\r\n`);
    expect(bodyOf(text).length).toBe(3 * MEGABYTE);
  });
});

describe("a request's body", () => {
  const put = (path: string, fields: string, body: string) =>
    `PUT ${path} HTTP/1.1\r\nhost: x\r\n${close}${fields}\r\n${body}`;

  test("with a length, whole or in parts", async () => {
    const whole = await exchange(put("/echo", "content-length: 5\r\n", "12345"));
    expect(bodyOf(whole.text)).toBe("12345");
    const parts = await exchange(put("/echo", "content-length: 5\r\n", "12"), "3", "45");
    expect(parts.text).toContain("x-method: PUT");
    expect(bodyOf(parts.text)).toContain("12");
  });

  test("in chunks, with extensions and trailers", async () => {
    const body = "3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nx-end: 1\r\n\r\n";
    const { text } = await exchange(put("/length", "transfer-encoding: chunked\r\n", body));
    expect(bodyOf(text)).toBe("5");
  });

  test("of a megabyte, more than is buffered", async () => {
    const body = "x".repeat(MEGABYTE);
    const { text } = await exchange(put("/length", `content-length: ${MEGABYTE}\r\n`, body));
    expect(bodyOf(text)).toBe(String(MEGABYTE));
  });

  test("announced by Expect gets 100 when it is read, not when it is ignored", async () => {
    const fields = "expect: 100-continue\r\ncontent-length: 3\r\n";
    const read = await exchange(put("/length", fields, ""), "abc");
    expect(read.text).toStartWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n");
    const ignored = await exchange(put("/ignore", fields, ""));
    expect(ignored.text).toStartWith("HTTP/1.1 200 OK\r\n");
    expect(bodyOf(ignored.text)).toBe("ignored");
  });

  test("that nobody reads does not disturb the next request", async () => {
    const first = "POST /ignore HTTP/1.1\r\nhost: x\r\ncontent-length: 700000\r\n\r\n";
    const { text } = await exchange(first, "y".repeat(700_000), get("/"));
    expect(text).toContain("ignored");
    expect(text).toEndWith("hello");
  });
});

describe("many requests", () => {
  test("on one connection, pipelined, are answered in order", async () => {
    const paths = Array.from({ length: 100 }, (_, index) => `/n${index}`);
    const requests = paths.map((path) => get(path, "")).join("") + get("/");
    const { text } = await exchange(requests);
    const answered = [...text.matchAll(/http:\/\/x(\/n\d+)/g)].map((match) => match[1] as string);
    expect(answered).toEqual(paths);
    expect(text).toEndWith("hello");
  });

  test("on many connections at once", async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => exchange(get("/"))));
    expect(answers.every(({ text }) => bodyOf(text) === "hello")).toBe(true);
  });
});

describe("what goes wrong", () => {
  test.each([
    ["no HTTP", "hello there\r\n\r\n", 400],
    ["no Host", "GET / HTTP/1.1\r\nconnection: close\r\n\r\n", 400],
    ["two Hosts", get("/", `host: y\r\n${close}`), 400],
    ["two lengths", get("/", "content-length: 1\r\ncontent-length: 2\r\n"), 400],
    ["length and chunks", get("/", "content-length: 1\r\ntransfer-encoding: chunked\r\n"), 400],
    ["a length that is no number", get("/", "content-length: -1\r\n"), 400],
    [
      "a chunk size that is no number",
      "PUT /length HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
      400,
    ],
    ["a name with a space", "GET / HTTP/1.1\r\nhost : x\r\n\r\n", 400],
    ["a fold", "GET / HTTP/1.1\r\nhost: x\r\nb: c\r\n d\r\n\r\n", 400],
    ["too long a field", get("/", `a: ${"b".repeat(5000)}\r\n`), 431],
    ["too many fields", get("/", "a: b\r\n".repeat(100)), 431],
    ["CONNECT", "CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n", 501],
    ["a version to come", "GET / HTTP/3.0\r\nhost: x\r\n\r\n", 400],
  ])("%s is refused and the connection closed", async (_, request, status) => {
    const { text } = await exchange(request);
    expect(statusOf(text)).toBe(status);
    expect(text).toContain("connection: close\r\n");
  });

  test("requests before a bad one are answered", async () => {
    const { text } = await exchange(`${get("/", "")}nonsense\r\n\r\n`);
    expect(text).toContain("hello");
    expect(text).toContain("HTTP/1.1 400 ");
  });

  test("a handler that throws is a 500 and the connection goes on", async () => {
    const { text } = await exchange(get("/throw", ""), get("/"));
    expect(statusOf(text)).toBe(500);
    expect(text).toContain("sorry");
    expect(text).toEndWith("hello");
  });

  test("a body that fails or is shorter than it says resets the connection", async () => {
    expect((await exchange(get("/broken"))).error).toBe("ECONNRESET");
    expect((await exchange(get("/short"))).text).not.toContain("HTTP/1.1 200 OK\r\n\r\n");
  });
});

test("nothing is left open", async () => {
  for (let turn = 0; turn < 3000 && server.connections > 0; turn++) await Bun.sleep(1);
  expect(server.connections).toBe(0);
  for (let turn = 0; turn < 3000 && far.stats.framesOut > 0; turn++) await Bun.sleep(1);
  expect(far.stats.framesOut).toBe(0);
  expect(near.stats.framesOut).toBe(0);
});
