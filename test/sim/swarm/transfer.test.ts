/** The application's own check: no byte that is wrong, missing or too much goes unseen. */
import { expect, test } from "bun:test";
import { Random } from "../../../src/sim/random";
import { Content } from "../../../src/sim/swarm/content";
import type { Ending, TcpFlow } from "../../../src/sim/swarm/scenario";
import { type Role, Transfer } from "../../../src/sim/swarm/transfer";

function flowOf(changes: Partial<TcpFlow> = {}, ending: Ending = "half-close"): TcpFlow {
  const end = { sendBytes: 5000, writing: { bytesMax: 700 }, reading: {}, ending };
  return {
    protocol: "tcp",
    name: "flow1",
    client: "a",
    server: "b",
    port: 80,
    startMs: 0,
    connections: 1,
    backlog: 1,
    pattern: "stream",
    interface: "queues",
    clientEnd: end,
    serverEnd: { ...end, sendBytes: 300, ending: "half-close" },
    ...changes,
  };
}

function transferOf(flow: TcpFlow, role: Role): Transfer {
  return new Transfer(flow, role, new Random(1), { host: "a", nowNs: () => 0 });
}

/** Everything the transfer will send, piece by piece. */
function sendAll(transfer: Transfer): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let piece = transfer.next(); piece.length > 0; piece = transfer.next()) {
    pieces.push(piece);
    transfer.sent += piece.length;
  }
  return pieces;
}

test("what one end sends is what the other expects, in whatever pieces it arrives", () => {
  const client = transferOf(flowOf(), "client");
  const server = transferOf(flowOf(), "server");
  const bytes = Buffer.concat(sendAll(client));
  expect(bytes.length).toBe(5000);
  for (let at = 0; at < bytes.length; at += 333) server.take(bytes.subarray(at, at + 333));
  expect(server.received).toBe(5000);
  server.takeEnd();
});

test("a changed, a repeated, a missing and a surplus byte are each told", () => {
  const bytes = Buffer.concat(sendAll(transferOf(flowOf(), "client")));
  const fresh = () => transferOf(flowOf(), "server");
  const changed = Buffer.from(bytes);
  changed[1234] = (changed[1234] as number) ^ 1;
  expect(() => fresh().take(changed)).toThrow(/byte 1234 of 5000 is \d+, not what was sent/);
  const repeated = fresh();
  repeated.take(bytes.subarray(0, 1000));
  expect(() => repeated.take(bytes.subarray(0, 1000))).toThrow(/byte 1000/);
  const short = fresh();
  short.take(bytes.subarray(0, 4999));
  expect(() => short.takeEnd()).toThrow(/the end came after 4999 of 5000 bytes/);
  const long = fresh();
  long.take(bytes);
  const beyond = new Content("flow1/client").piece(5000, 1);
  expect(() => long.take(beyond)).toThrow(/5001 bytes came, 5000 were sent/);
});

test("an echo sends no more than it has received", () => {
  const flow = flowOf({ pattern: "echo" });
  const server = transferOf(flow, "server");
  expect(server.next()).toHaveLength(0);
  server.take(Buffer.concat(sendAll(transferOf(flow, "client"))).subarray(0, 100));
  expect(server.next()).toHaveLength(100);
  expect(server.expectedBytes).toBe(5000);
});

test("a ping-pong waits for its replies", () => {
  const flow = flowOf({ pattern: "ping-pong", messageBytes: 1000 });
  const client = transferOf(flow, "client");
  expect(Buffer.concat(sendAll(client)).length).toBe(1000);
  client.take(new Content("flow1/server").piece(0, 999));
  expect(client.next()).toHaveLength(0);
  client.take(new Content("flow1/server").piece(999, 1));
  expect(Buffer.concat(sendAll(client)).length).toBe(1000);
});

test("each ending has its own time", () => {
  const stepOf = (ending: Ending, prepare: (transfer: Transfer) => void) => {
    const flow = flowOf();
    const end = { ...flow.clientEnd, ending, abortAfterBytes: 10 };
    const transfer = transferOf({ ...flow, clientEnd: end }, "client");
    prepare(transfer);
    return transfer.step(true);
  };
  const sent = (transfer: Transfer) => {
    transfer.sent = 5000;
  };
  const ended = (transfer: Transfer) => {
    sent(transfer);
    transfer.peerEnded = true;
  };
  const received = (transfer: Transfer) => {
    sent(transfer);
    transfer.received = 300;
  };
  expect(stepOf("half-close", () => {})).toBe("go on");
  expect(stepOf("half-close", sent)).toBe("end sending");
  expect(stepOf("half-close", ended)).toBe("close");
  expect(stepOf("last", sent)).toBe("go on");
  expect(stepOf("last", ended)).toBe("close");
  expect(stepOf("close", sent)).toBe("go on");
  expect(stepOf("close", received)).toBe("close");
  expect(stepOf("abort", () => {})).toBe("go on");
  expect(stepOf("abort", sent)).toBe("abort");
  expect(stepOf("unread", sent)).toBe("leave unread");
});

test("pieces of content join without a seam, also where the stream begins again", () => {
  const content = new Content("any");
  const around = 1_048_583;
  for (const at of [0, around - 10_000, around - 1, around, around * 2 - 5]) {
    const whole = content.piece(at, 20_000);
    const parts = [content.piece(at, 7), content.piece(at + 7, 19_993)];
    expect(Buffer.concat(parts).equals(whole)).toBe(true);
    expect(content.mismatch(at, whole)).toBeUndefined();
    expect(content.mismatch(at + 1, whole)).toBeLessThan(20);
  }
});
