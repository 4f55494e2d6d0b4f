/** `info`: what a connection says of itself, from its handshake to its end (RFC 9293 3.9.1.6). */
import { expect, test } from "bun:test";
import type { QueueDescriptor } from "../../src/pdpix/queue-result";
import type { TcpSocket } from "../../src/pdpix/tcp-socket";
import { clientAddress, codeOf, Pair, pattern, popBytes, port, serverAddress, take } from "./pair";

const TCP = 6;

/** Whether an IPv4 packet is a TCP segment with data. */
function hasData(packet: Uint8Array): boolean {
  const at = 14;
  const headers = ((packet[at] as number) & 15) * 4;
  const total = ((packet[at + 2] as number) << 8) | (packet[at + 3] as number);
  return (
    packet[12] === 8 &&
    packet[13] === 0 &&
    packet[at + 9] === TCP &&
    total > headers + ((packet[at + headers + 12] as number) >> 4) * 4
  );
}

test("a new connection is told by both ends alike (3.9.1.6)", async () => {
  await using pair = new Pair();
  const { near, far } = await pair.connect();
  const client = pair.client.info(near);
  const server = pair.server.info(far);
  expect([client.state, server.state]).toEqual(["ESTABLISHED", "ESTABLISHED"]);
  expect(client.remote.toString()).toBe(`${serverAddress}:${port}`);
  expect(client.local.toString()).toBe(server.remote.toString());
  expect(client.local.address).toBe(clientAddress);
  expect(client).toMatchObject({
    mssBytes: 1448,
    cwndBytes: 14480,
    timestamps: true,
    sack: true,
    ssthreshBytes: undefined,
    congestionState: "open",
    retransmissions: 0,
    backoff: 0,
    inFlightBytes: 0,
    unsentBytes: 0,
    unreadBytes: 0,
    outOfOrderFrames: 0,
    receiveBufferBytes: 65536,
    sendBufferBytes: 65536,
  });
  expect(client.rttUs).toBeGreaterThan(0);
  expect(client.rtoUs).toBeGreaterThan(client.rttUs as number);
  expect(client.windowScale?.send).toBe(server.windowScale?.receive as number);
});

test("bytes are unread there, in flight or unsent here, each once (3.9.1.6)", async () => {
  await using pair = new Pair();
  const { near, far } = await pair.connect();
  const bytes = 100_000;
  pair.client.push(near, pattern(bytes));
  // The peer reads nothing, so its window closes with the rest on our side; its last acknowledgment
  // may be a delayed one.
  const look = () => [pair.client.info(near), pair.server.info(far)] as const;
  const isSettled = () => {
    const [client, server] = look();
    const outside = client.inFlightBytes + client.unsentBytes;
    return server.unreadBytes > 50_000 && server.unreadBytes + outside === bytes;
  };
  for (let turn = 0; turn < 1000 && !isSettled(); turn++) await Bun.sleep(2);
  const [client, server] = look();
  expect(server.unreadBytes).toBeGreaterThan(50_000);
  expect(server.receiveWindowBytes).toBeLessThanOrEqual(
    server.receiveBufferBytes - server.unreadBytes,
  );
  expect(server.unreadBytes + client.inFlightBytes + client.unsentBytes).toBe(bytes);
  await popBytes(pair.server, far, bytes);
  expect(pair.server.info(far).unreadBytes).toBe(0);
});

test("bytes are counted from the beginning on, the end of the stream is none (3.9.1.6)", async () => {
  await using pair = new Pair();
  const { near, far } = await pair.connect();
  pair.client.push(near, pattern(100_000));
  await popBytes(pair.server, far, 100_000);
  pair.server.push(far, pattern(70));
  await popBytes(pair.client, near, 70);
  pair.client.shutdownWrite(near);
  await take(pair.server, pair.server.pop(far), "pop");
  for (let turn = 0; turn < 1000 && pair.client.info(near).inFlightBytes > 0; turn++) {
    await Bun.sleep(2);
  }
  const client = pair.client.info(near);
  expect(client).toMatchObject({ acknowledgedBytes: 100_000, receivedBytes: 70 });
  expect(client).toMatchObject({ sackedBytes: 0 });
  expect(pair.server.info(far).receivedBytes).toBe(100_000);
  expect(client.minRttUs).toBeGreaterThan(0);
  expect(client.deliveryRate?.bytesPerSecond).toBeGreaterThan(0);
});

test("segments sent again are counted by their own connection only", async () => {
  let data = 0;
  const fault = (packet: Uint8Array, end: 0 | 1) => {
    if (end !== 1 || !hasData(packet)) return 1;
    data++;
    return data === 3 ? 0 : 1;
  };
  await using pair = new Pair({ fault });
  const listener = pair.listen();
  const first = await pair.connect(listener);
  const second = await pair.connect(listener);
  pair.client.push(first.near, pattern(10_000));
  await popBytes(pair.server, first.far, 10_000);
  pair.client.push(second.near, pattern(10_000));
  await popBytes(pair.server, second.far, 10_000);
  const lossy = pair.client.info(first.near);
  expect(lossy.retransmissions).toBeGreaterThan(0);
  expect(lossy.retransmissions).toBe(pair.client.stats.tcpRetransmissions);
  expect(lossy.ssthreshBytes).toBeGreaterThanOrEqual(2 * lossy.mssBytes);
  expect(pair.client.info(second.near)).toMatchObject({
    retransmissions: 0,
    ssthreshBytes: undefined,
  });
});

test("states follow the close; what is no connection is ENOTCONN, what is closed EBADF", async () => {
  await using pair = new Pair();
  const { client, server } = pair;
  const listener = pair.listen();
  const idle = client.socket("stream");
  const datagram = client.socket("datagram");
  expect(await codeOf(() => client.info(idle))).toBe("ENOTCONN");
  expect(await codeOf(() => client.info(datagram))).toBe("ENOTCONN");
  expect(await codeOf(() => server.info(listener))).toBe("ENOTCONN");
  expect(await codeOf(() => client.info(12345 as QueueDescriptor))).toBe("EBADF");
  const connected = client.connect(idle, { hostname: serverAddress, port });
  expect(client.info(idle)).toMatchObject({ state: "SYN-SENT", rttUs: undefined });
  const { accepted } = await take(server, server.accept(listener), "accept");
  await take(client, connected, "connect");
  client.shutdownWrite(idle);
  const { sga } = await take(server, server.pop(accepted), "pop");
  expect(sga.byteLength).toBe(0);
  sga.free();
  expect(server.info(accepted).state).toBe("CLOSE-WAIT");
  expect(["FIN-WAIT-1", "FIN-WAIT-2"]).toContain(client.info(idle).state);
  server.setOption(accepted, "linger", { seconds: 0 });
  const pop = client.pop(idle);
  server.close(accepted);
  expect(await codeOf(() => server.info(accepted))).toBe("EBADF");
  await take(client, pop, "failed");
  expect(await codeOf(() => client.info(idle))).toBe("ENOTCONN");
});

test("a socket with handlers has it too", async () => {
  await using pair = new Pair();
  using listener = pair.server.tcp.listen({ port, socket: {} });
  const socket: TcpSocket = await pair.client.tcp.connect({
    hostname: serverAddress,
    port: listener.port,
    socket: {},
  });
  expect(socket.info.state).toBe("ESTABLISHED");
  expect(socket.info.remote.toString()).toBe(socket.remote.toString());
  socket.terminate();
  expect(await codeOf(() => socket.info)).toBe("EBADF");
});
