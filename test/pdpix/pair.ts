/** Two instances back to back and what tests do with them again and again. */
import { expect } from "bun:test";
import { DemibunError } from "../../src/errors";
import type { Demikernel } from "../../src/pdpix/demikernel";
import { openPair, type PairOptions } from "../../src/pdpix/open";
import type { QueueDescriptor, QueueResult } from "../../src/pdpix/queue-result";

/** Longest wait of a test; never reached unless something is broken. */
const TIMEOUT_MS = 10_000;
export const clientAddress = "10.0.0.1";
export const serverAddress = "10.0.0.2";
export const port = 7;

const small = {
  frames: 4096,
  connections: 64,
  queues: 64,
  tokens: 256,
  datagramSockets: 16,
  neighbours: 16,
  ringEntries: 256,
  reassemblySets: 8,
  receiveBufferBytes: 65536,
  sendBufferBytes: 65536,
  receiveBufferMaxBytes: 0,
  sendBufferMaxBytes: 0,
  timeWaitUs: 20_000,
};

export class Pair implements AsyncDisposable {
  readonly client: Demikernel;
  readonly server: Demikernel;

  constructor(options: PairOptions = {}) {
    const stack = { ...small, ...options.stack };
    [this.client, this.server] = openPair({ ...options, stack });
  }

  /** A listening socket of the server. */
  listen(backlog = 16): QueueDescriptor {
    const listener = this.server.socket("stream");
    this.server.bind(listener, { port });
    this.server.listen(listener, backlog);
    return listener;
  }

  /** One connection: the client's descriptor and the server's. */
  async connect(
    listener = this.listen(),
  ): Promise<{ near: QueueDescriptor; far: QueueDescriptor }> {
    const near = this.client.socket("stream");
    const connected = this.client.connect(near, { hostname: serverAddress, port });
    const accepted = await take(this.server, this.server.accept(listener), "accept");
    await take(this.client, connected, "connect");
    return { near, far: accepted.accepted };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.client[Symbol.asyncDispose](), this.server[Symbol.asyncDispose]()]);
  }
}

type Result<Opcode extends QueueResult["opcode"]> = Extract<QueueResult, { opcode: Opcode }>;

/** Waits for a token and expects this kind of result. */
export async function take<Opcode extends QueueResult["opcode"]>(
  demikernel: Demikernel,
  token: ReturnType<Demikernel["pop"]>,
  opcode: Opcode,
): Promise<Result<Opcode>> {
  const result = await demikernel.wait(token, { timeoutMs: TIMEOUT_MS });
  return narrow(result, opcode);
}

export function narrow<Opcode extends QueueResult["opcode"]>(
  result: QueueResult,
  opcode: Opcode,
): Result<Opcode> {
  if (result.opcode === "failed" && opcode !== "failed") throw result.error;
  expect(result.opcode as string).toBe(opcode);
  return result as Result<Opcode>;
}

/** Pops until `bytes` bytes have come, and frees what it pops. */
export async function popBytes(
  demikernel: Demikernel,
  qd: QueueDescriptor,
  bytes: number,
): Promise<Uint8Array> {
  const all = new Uint8Array(bytes);
  let at = 0;
  while (at < bytes) {
    const { sga } = await take(demikernel, demikernel.pop(qd), "pop");
    if (sga.byteLength === 0) throw new Error(`the stream ended after ${at} of ${bytes} bytes`);
    all.set(sga.copy(), at);
    at += sga.byteLength;
    sga.free();
  }
  return all;
}

/** The code of the DemibunError that a call throws or a promise rejects with. */
export async function codeOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    if (error instanceof DemibunError) return error.code;
    throw error;
  }
  throw new Error("the call succeeded");
}

/** Bytes that differ at every place near each other. */
export function pattern(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = (index * 31 + (index >>> 8)) & 255;
  return bytes;
}
