/** The machine's kernel under the target's calls, without a script. */
import { describe, expect, test } from "bun:test";
import { ERRNO_EAGAIN, ERRNO_ECONNREFUSED, ERRNO_EINPROGRESS } from "../../../assembly/layout";
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from "../../../src/packet/types";
import { inOwnNetwork } from "../../shims/own-network";
import { Peer } from "./peer";

const AF_INET6 = 10;
const SOCK_STREAM = 1;
const O_NONBLOCK = 0o4000;
const F_GETFL = 3;
const F_SETFL = 4;
const POLLIN = 1;
const POLLOUT = 4;
const MSG_WAITALL = 0x100;
const SOL_SOCKET = 1;
const SO_LINGER = 13;
const SO_RCVTIMEO = 20;
const EPOLL_CTL_ADD = 1;
const SECOND_US = 1_000_000;

function read(fd: number, size = 1000) {
  const buffers = { sizes: [size], flags: 0, controlBytes: 0, isNull: false };
  return { name: "receive", form: "read", fd, ...buffers } as const;
}

function write(fd: number, size: number) {
  const buffers = { pieces: [new Uint8Array(size)], flags: 0, control: [], isNull: false };
  return { name: "send", form: "write", fd, ...buffers } as const;
}

/** A pair of 32-bit or 64-bit words, as setsockopt takes them. */
function words(width: 4 | 8, ...values: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(width * values.length));
  values.forEach((value, index) => {
    view.setUint32(index * width, value, true);
  });
  return new Uint8Array(view.buffer);
}

function suite(): void {
  describe.each([4, 6] as const)("IPv%d", (version) => {
    test("a passive connection carries data both ways and closes", async () => {
      await using peer = new Peer(version);
      await peer.target.start();
      const fd = await peer.connected(peer.listener());
      peer.send({}, new Uint8Array(700));
      expect((await peer.heard()).tcp?.acknowledgment).toBe(701);
      expect(peer.call(read(fd)).data?.length).toBe(700);
      expect(peer.call(write(fd, 1500)).value).toBe(1500);
      expect((await peer.heard()).payload.length).toBe(1000);
      expect((await peer.heard()).payload.length).toBe(500);
      const snapshot = peer.target.snapshot(fd);
      expect(snapshot.get("tcpi_unacked")).toBe(2);
      expect(snapshot.get("tcpi_snd_cwnd")).toBe(10);
      expect(snapshot.get("tcpi_bytes_received")).toBe(700);
      expect(peer.call({ name: "close", fd }).value).toBe(0);
      expect((await peer.heard()).tcp?.flags).toBe(TCP_FIN | TCP_ACK);
    });

    test("a blocking connect returns when the peer answers", async () => {
      await using peer = new Peer(version);
      await peer.target.start();
      const fd = peer.socket();
      peer.value({ name: "bind", fd, address: peer.kernel });
      const call = peer.target.begin({ name: "connect", fd, address: peer.remote });
      expect((await peer.heard()).tcp?.flags).toBe(TCP_SYN);
      expect(call.result).toBeUndefined();
      peer.send({ flags: TCP_SYN | TCP_ACK });
      await peer.target.waitFor(call, peer.target.nowUs() + SECOND_US);
      expect(call.result).toEqual({ value: 0, errno: 0 });
      expect((await peer.heard()).tcp?.flags).toBe(TCP_ACK);
    });
  });

  test("an IPv6 socket takes IPv4 addresses, mapped", async () => {
    await using peer = new Peer();
    await peer.target.start();
    const fd = peer.value({ name: "socket", domain: AF_INET6, type: SOCK_STREAM, protocol: 0 });
    peer.value({ name: "bind", fd, address: peer.kernel });
    peer.value({ name: "listen", fd, backlog: 1 });
    expect(await peer.connected(fd)).toBeGreaterThan(fd);
  });

  test("a connect that is refused says so, blocking or not", async () => {
    await using peer = new Peer();
    await peer.target.start();
    for (const flags of [0, O_NONBLOCK]) {
      const fd = peer.socket(flags);
      peer.value({ name: "bind", fd, address: peer.kernel });
      const connect = { name: "connect", fd, address: peer.remote } as const;
      const call = peer.target.begin(connect);
      await peer.heard();
      if (flags !== 0) expect(call.result?.errno).toBe(ERRNO_EINPROGRESS);
      peer.send({ flags: TCP_RST | TCP_ACK });
      await peer.target.waitFor(call, peer.target.nowUs() + SECOND_US);
      const last = flags === 0 ? call.result : peer.call(connect);
      expect(last).toEqual({ value: -1, errno: ERRNO_ECONNREFUSED });
      peer.value({ name: "close", fd });
    }
  });

  test("a blocking accept and read return when what they wait for comes", async () => {
    await using peer = new Peer();
    await peer.target.start();
    const accept = peer.target.begin({ name: "accept", fd: peer.listener(), flags: 0 });
    expect(accept.result).toBeUndefined();
    peer.send({ flags: TCP_SYN });
    await peer.heard();
    peer.send({});
    await peer.target.waitFor(accept, peer.target.nowUs() + SECOND_US);
    expect(accept.result?.address).toEqual(peer.remote);
    const reading = peer.target.begin(read(accept.result?.value as number));
    expect(reading.result).toBeUndefined();
    const beforeUs = peer.target.nowUs();
    await peer.target.sleepUntil(beforeUs + 20_000);
    expect(reading.result).toBeUndefined();
    peer.send({}, new Uint8Array(10));
    await peer.target.waitFor(reading, peer.target.nowUs() + SECOND_US);
    expect(reading.result?.data).toEqual(new Uint8Array(10));
    expect(reading.returnedUs).toBeGreaterThanOrEqual(beforeUs + 20_000);
  });

  test("O_NONBLOCK is what the script says, not what stands underneath", async () => {
    await using peer = new Peer();
    await peer.target.start();
    const fd = await peer.connected(peer.listener());
    const flags = peer.value({ name: "fcntl", fd, command: F_GETFL, value: 0 });
    expect(flags & O_NONBLOCK).toBe(0);
    expect(peer.target.begin(read(fd)).result).toBeUndefined();
    peer.value({ name: "fcntl", fd, command: F_SETFL, value: flags | O_NONBLOCK });
    expect(peer.call({ name: "fcntl", fd, command: F_GETFL, value: 0 }).value & O_NONBLOCK).toBe(
      O_NONBLOCK,
    );
    expect(peer.call(read(fd))).toEqual({ value: -1, errno: ERRNO_EAGAIN });
  });

  test("MSG_WAITALL waits for every byte, and takes less at the end", async () => {
    await using peer = new Peer();
    await peer.target.start();
    const fd = await peer.connected(peer.listener());
    const call = { ...read(fd, 30), form: "recv", flags: MSG_WAITALL } as const;
    const whole = peer.target.begin(call);
    for (const byte of [1, 2, 3]) {
      expect(whole.result).toBeUndefined();
      peer.send({}, new Uint8Array(10).fill(byte));
      await peer.heard();
    }
    await peer.target.waitFor(whole, peer.target.nowUs() + SECOND_US);
    expect(whole.result?.data?.filter((_, index) => index % 10 === 0)).toEqual(
      new Uint8Array([1, 2, 3]),
    );
    const rest = peer.target.begin(call);
    peer.send({}, new Uint8Array(10));
    peer.send({ flags: TCP_FIN | TCP_ACK });
    await peer.target.waitFor(rest, peer.target.nowUs() + SECOND_US);
    expect(rest.result?.value).toBe(10);
  });

  test("a blocking write goes on until all is taken, another takes what fits", async () => {
    await using peer = new Peer();
    await peer.target.start();
    const fd = await peer.connected(peer.listener(), O_NONBLOCK);
    const size = 8_000_000;
    const { value } = peer.call(write(fd, size));
    expect(value).toBeGreaterThan(0);
    expect(value).toBeLessThan(size);
    peer.value({ name: "fcntl", fd, command: F_SETFL, value: 0 });
    const rest = peer.target.begin(write(fd, size - value));
    while (rest.result === undefined) {
      await peer.heard();
      peer.send({});
    }
    expect(rest.result).toEqual({ value: size - value, errno: 0 });
  });

  test("poll and epoll wait, and end with their time", async () => {
    await using peer = new Peer();
    await peer.target.start();
    const fd = await peer.connected(peer.listener());
    const entries = [{ fd, events: POLLIN | POLLOUT }];
    expect(peer.call({ name: "poll", entries, timeoutMs: -1 }).revents).toEqual([POLLOUT]);
    const idle = [{ fd, events: POLLIN }];
    const beforeUs = peer.target.nowUs();
    const timed = peer.target.begin({ name: "poll", entries: idle, timeoutMs: 30 });
    await peer.target.waitFor(timed, beforeUs + SECOND_US);
    expect(timed.result).toEqual({ value: 0, errno: 0, revents: [0] });
    expect(timed.returnedUs).toBeGreaterThanOrEqual(beforeUs + 30_000);

    const epollFd = peer.value({ name: "epoll_create", flags: 0 });
    const event = { events: POLLIN, data: 77n };
    peer.value({ name: "epoll_ctl", epollFd, operation: EPOLL_CTL_ADD, fd, event });
    const wait = { name: "epoll_wait", epollFd, eventsMax: 8, timeoutMs: -1 } as const;
    const waiting = peer.target.begin(wait);
    expect(waiting.result).toBeUndefined();
    peer.send({}, new Uint8Array(1));
    await peer.target.waitFor(waiting, peer.target.nowUs() + SECOND_US);
    expect(waiting.result?.epollEvents).toEqual([event]);
  });

  test("SO_RCVTIMEO ends a blocking read; a lingering close is refused", async () => {
    await using peer = new Peer();
    await peer.target.start();
    const fd = await peer.connected(peer.listener());
    const option = { name: "setsockopt", fd, level: SOL_SOCKET } as const;
    peer.value({ ...option, option: SO_RCVTIMEO, value: words(8, 0, 20_000) });
    const reading = peer.target.begin(read(fd));
    await peer.target.waitFor(reading, peer.target.nowUs() + SECOND_US);
    expect(reading.result).toEqual({ value: -1, errno: ERRNO_EAGAIN });
    peer.value({ ...option, option: SO_LINGER, value: words(4, 1, 10) });
    expect(() => peer.call({ name: "close", fd })).toThrow("SO_LINGER");
  });

  test("commands run in the script's network; those that fail say why", async () => {
    await using peer = new Peer();
    await peer.target.command("sysctl -q -w net.ipv4.tcp_timestamps=0 && ip link show tun0");
    await expect(peer.target.command("echo 'no luck' >&2; exit 3")).rejects.toThrow("no luck");
    await expect(peer.target.command("echo 1 > /proc/sys/net/ipv4/tcp_nonsense")).rejects.toThrow(
      "no such setting",
    );
    await peer.target.start();
    peer.listener();
    peer.send({ flags: TCP_SYN, options: [{ kind: "timestamp", value: 1, echo: 0 }] });
    const { tcp } = await peer.heard();
    expect(tcp?.options.map(({ kind }) => kind)).toEqual(["mss"]);
  });
}

inOwnNetwork(import.meta.path, "the machine's kernel as a target", suite);
