/** Writes one Response to a connection, choosing how its end is marked. */
import { type Framing, responseHead } from "./response-head";

/** Where a response goes. */
export interface ResponseSink {
  /** Takes all bytes now if there is room; false when some are left over, which `flushed` awaits. */
  write(bytes: Uint8Array): boolean;
  /** Resolves when everything written was taken: false when the connection was lost meanwhile. */
  flushed(): Promise<boolean>;
}

export interface ResponseContext {
  readonly method: string;
  readonly minorVersion: number;
  readonly keepAlive: boolean;
  /** Milliseconds since 1970, for the Date field. */
  readonly dateMs: number;
}

/** Bodies of a declared length up to this are sent in one piece with the head. */
const WHOLE_BYTES = 64 * 1024;
/** Microtasks within which a stream over memory tells its end after its last chunk. */
const KNOWN_TURNS = 8;
const encoder = new TextEncoder();
const scratch = new Uint8Array(WHOLE_BYTES + 32 * 1024);
const none = new Uint8Array(0);
const lastChunk = encoder.encode("0\r\n\r\n");
const lineEnd = encoder.encode("\r\n");

/** Head and body in one piece; valid until the next call. */
function joined(head: string, body: Uint8Array): Uint8Array {
  if (head.length * 3 + body.length > scratch.length) {
    const bytes = encoder.encode(head);
    const whole = new Uint8Array(bytes.length + body.length);
    whole.set(bytes);
    whole.set(body, bytes.length);
    return whole;
  }
  const { written } = encoder.encodeInto(head, scratch);
  scratch.set(body, written);
  return scratch.subarray(0, written + body.length);
}

/** Sends head and body together. False: the connection is lost or must close now. */
function writeWhole(
  sink: ResponseSink,
  response: Response,
  context: ResponseContext,
  framing: Framing,
  body: Uint8Array,
): boolean | Promise<boolean> {
  const { minorVersion, keepAlive, dateMs } = context;
  const head = responseHead(response, framing, minorVersion, keepAlive, dateMs);
  if (sink.write(joined(head, body))) return keepAlive;
  return sink.flushed().then((alive) => alive && keepAlive);
}

/**
 * Writes the response; true when the connection may serve the next request. Rejects when the body's
 * stream fails, after which the connection must be dropped.
 */
export async function writeResponse(
  sink: ResponseSink,
  response: Response,
  context: ResponseContext,
): Promise<boolean> {
  const { status } = response;
  const declared = response.headers.get("content-length");
  const declaredBytes = declared === null ? undefined : Number(declared);
  // RFC 9112 section 6.3: these never have a body, whatever their fields say.
  if (context.method === "HEAD" || status === 204 || status === 304) {
    await response.body?.cancel();
    const tell = context.method === "HEAD" && declaredBytes !== undefined;
    const framing: Framing = tell ? { kind: "length", bytes: declaredBytes } : { kind: "none" };
    return writeWhole(sink, response, context, framing, none);
  }
  if (declaredBytes !== undefined && declaredBytes <= WHOLE_BYTES) {
    const body = await response.bytes();
    return writeWhole(sink, response, context, { kind: "length", bytes: body.length }, body);
  }
  const { body } = response;
  if (body === null) {
    return writeWhole(sink, response, context, { kind: "length", bytes: 0 }, none);
  }
  const reader = body.getReader();
  const { value: first = none } = await reader.read();
  const second = reader.read();
  if (declaredBytes === undefined && (await isEnd(second))) {
    return writeWhole(sink, response, context, { kind: "length", bytes: first.length }, first);
  }
  return writeStream(sink, response, context, reader, first, second, declaredBytes);
}

async function writeStream(
  sink: ResponseSink,
  response: Response,
  context: ResponseContext,
  reader: ReadableStreamDefaultReader<Uint8Array>,
  first: Uint8Array,
  second: Promise<Read>,
  declaredBytes: number | undefined,
): Promise<boolean> {
  const { minorVersion } = context;
  const kind = minorVersion === 0 ? "until-close" : "chunked";
  const framing: Framing =
    declaredBytes === undefined ? { kind } : { kind: "length", bytes: declaredBytes };
  const keepAlive = context.keepAlive && framing.kind !== "until-close";
  sink.write(
    encoder.encode(responseHead(response, framing, minorVersion, keepAlive, context.dateMs)),
  );
  return (await pump(sink, reader, first, second, declaredBytes ?? kind)) && keepAlive;
}

type Read = Awaited<ReturnType<ReadableStreamDefaultReader<Uint8Array>["read"]>>;

/** Says whether a read already knows that the stream has ended, as after a body from memory. */
async function isEnd(read: Promise<Read>): Promise<boolean> {
  let known: Read | undefined;
  read.then(
    (result) => {
      known = result;
    },
    () => {},
  );
  for (let turn = 0; turn < KNOWN_TURNS && known === undefined; turn++) await undefined;
  return known?.done === true;
}

/** Sends a stream's chunks, each when the one before was taken. False: the connection was lost. */
async function pump(
  sink: ResponseSink,
  reader: ReadableStreamDefaultReader<Uint8Array>,
  first: Uint8Array,
  second: Promise<Read>,
  framing: "chunked" | "until-close" | number,
): Promise<boolean> {
  let bytes = 0;
  let next: Promise<Read> | undefined = second;
  for (let chunk = first; ;) {
    bytes += chunk.length;
    // More than was declared must not run into the next response.
    if (typeof framing === "number" && bytes > framing) break;
    if (chunk.length > 0) {
      if (framing === "chunked") sink.write(encoder.encode(`${chunk.length.toString(16)}\r\n`));
      sink.write(chunk);
      if (framing === "chunked") sink.write(lineEnd);
    }
    if (!(await sink.flushed())) {
      await reader.cancel();
      return false;
    }
    const { done, value }: Read = await (next ?? reader.read());
    next = undefined;
    if (done) break;
    chunk = value;
  }
  if (typeof framing === "number" && bytes !== framing) {
    await reader.cancel();
    throw new RangeError(`the body has not the ${framing} bytes that its content-length says`);
  }
  return framing === "chunked" ? sink.write(lastChunk) || (await sink.flushed()) : true;
}
