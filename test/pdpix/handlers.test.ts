/** The handler objects: tcp.listen, tcp.connect and udp. */
import { expect, test } from "bun:test";
import type { TcpSocket } from "../../src/pdpix/tcp-socket";
import { codeOf, Pair, pattern, serverAddress } from "./pair";

test("an echo server and a client that writes more than fits at once", async () => {
  await using pair = new Pair();
  const closed: string[] = [];
  // On a busy machine the server may have more to echo than `write` takes at once.
  const waiting: Uint8Array[] = [];
  const echo = (socket: TcpSocket) => {
    for (let bytes = waiting.shift(); bytes !== undefined; bytes = waiting.shift()) {
      const taken = socket.write(bytes);
      if (taken === bytes.length) continue;
      waiting.unshift(bytes.subarray(taken));
      return;
    }
  };
  let ended: TcpSocket | undefined;
  const listener = pair.server.tcp.listen({
    port: 7,
    socket: {
      data(socket, bytes) {
        waiting.push(bytes);
        echo(socket);
      },
      drain(socket) {
        echo(socket);
        if (waiting.length === 0) ended?.close();
      },
      end(socket) {
        ended = socket;
        if (waiting.length === 0) socket.close();
      },
      close() {
        closed.push("server");
      },
    },
  });
  const sent = pattern(900_000);
  const received = new Uint8Array(sent.length);
  let written = 0;
  let got = 0;
  let drains = 0;
  const done = Promise.withResolvers<void>();
  const writeMore = (socket: TcpSocket) => {
    written += socket.write(sent.subarray(written));
    if (written === sent.length) socket.end();
  };
  await pair.client.tcp.connect({
    hostname: serverAddress,
    port: listener.port,
    socket: {
      open: writeMore,
      drain(socket) {
        drains++;
        writeMore(socket);
      },
      data(_, bytes) {
        received.set(bytes, got);
        got += bytes.length;
      },
      close(_, error) {
        closed.push("client");
        if (error === undefined) done.resolve();
        else done.reject(error);
      },
    },
  });
  await done.promise;
  expect(got).toBe(sent.length);
  expect(Bun.hash(received)).toBe(Bun.hash(sent));
  expect(drains).toBeGreaterThan(0);
  listener.stop(true);
  expect(closed).toContain("client");
});

test("connect rejects with the operation's error and leaves nothing open", async () => {
  await using pair = new Pair();
  const connect = () =>
    pair.client.tcp.connect({ hostname: serverAddress, port: 81, socket: {}, timeoutMs: 5000 });
  expect(await codeOf(connect)).toBe("ECONNREFUSED");
  for (let turn = 0; turn < 100 && pair.client.stats.queuesOpen > 0; turn++) await Bun.sleep(1);
  expect(pair.client.stats.queuesOpen).toBe(0);
});

test("terminate resets; the other side's close tells why", async () => {
  await using pair = new Pair();
  const reason = Promise.withResolvers<string | undefined>();
  using _listener = pair.server.tcp.listen({
    port: 7,
    socket: { close: (_socket, error) => reason.resolve(error?.code) },
  });
  const socket = await pair.client.tcp.connect({ hostname: serverAddress, port: 7, socket: {} });
  socket.terminate();
  expect(socket.write("too late")).toBe(0);
  expect(await reason.promise).toBe("ECONNRESET");
});

test("a reset that overtakes an orderly close still ends in the close event", async () => {
  await using pair = new Pair();
  const closed = Promise.withResolvers<string | undefined>();
  const opened = Promise.withResolvers<TcpSocket>();
  using _listener = pair.server.tcp.listen({
    port: 7,
    socket: {
      open: opened.resolve,
      close: (_socket, error) => closed.resolve(error?.code),
    },
  });
  const near = await pair.client.tcp.connect({ hostname: serverAddress, port: 7, socket: {} });
  near.pause();
  const far = await opened.promise;
  // More than the peer takes while it does not read, so that the close has to wait.
  while (far.write(pattern(200_000)) === 200_000);
  far.close();
  near.terminate();
  expect(await closed.promise).toBe("ECONNRESET");
});

test("what a handler throws goes to its error handler and stops nobody else", async () => {
  await using pair = new Pair();
  const errors: unknown[] = [];
  using _listener = pair.server.tcp.listen({
    port: 7,
    socket: {
      data(socket, bytes) {
        socket.write(bytes);
        throw new Error("oops");
      },
      error: (_socket, error) => errors.push(error),
    },
  });
  const echoes = await Promise.all(
    [1, 2].map(async () => {
      const echo = Promise.withResolvers<number>();
      const socket = await pair.client.tcp.connect({
        hostname: serverAddress,
        port: 7,
        socket: { data: (_socket, bytes) => echo.resolve(bytes.length) },
      });
      socket.write("hello");
      return echo.promise;
    }),
  );
  expect(echoes).toEqual([5, 5]);
  expect(errors.map(String)).toEqual(["Error: oops", "Error: oops"]);
});

test("a paused socket stops reading and the peer's writes wait", async () => {
  await using pair = new Pair();
  let got = 0;
  const opened = Promise.withResolvers<TcpSocket>();
  using _listener = pair.server.tcp.listen({
    port: 7,
    socket: {
      open(socket) {
        socket.pause();
        opened.resolve(socket);
      },
      data(_, bytes) {
        got += bytes.length;
      },
    },
  });
  const total = 2_000_000;
  let written = 0;
  const more = (socket: TcpSocket) => {
    if (written < total) written += socket.write(pattern(total - written));
  };
  await pair.client.tcp.connect({
    hostname: serverAddress,
    port: 7,
    socket: { open: more, drain: more },
  });
  const far = await opened.promise;
  for (let turn = 0; turn < 50; turn++) await Bun.sleep(1);
  expect(written).toBeLessThan(total);
  far.resume();
  for (let turn = 0; turn < 5000 && got < total; turn++) await Bun.sleep(1);
  expect([written, got]).toEqual([total, total]);
});

test("udp sockets send and receive", async () => {
  await using pair = new Pair();
  using _echo = pair.server.udp({
    port: 9,
    socket: { data: (socket, bytes, port, address) => void socket.send(bytes, port, address) },
  });
  const answer = Promise.withResolvers<[number, number, string]>();
  using client = pair.client.udp({
    socket: { data: (_, bytes, port, address) => answer.resolve([bytes.length, port, address]) },
  });
  expect(client.send(pattern(100), 9, serverAddress)).toBe(true);
  expect(await answer.promise).toEqual([100, 9, serverAddress]);
});
