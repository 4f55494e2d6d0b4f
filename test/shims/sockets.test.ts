/** The structures of the socket calls, and the calls themselves over loopback. */
import { afterEach, describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { ERRNO_EAGAIN, ERRNO_EBADF, ERRNO_EPIPE } from "../../assembly/layout";
import { AF_INET, bind, close, SOCK_NONBLOCK, SOCK_STREAM, Struct, socket } from "../../shims/libc";
import { decodeSocketAddress, encodeSocketAddress } from "../../shims/sockets/address";
import * as calls from "../../shims/sockets/calls";
import { decodeControl, encodeControl, Message } from "../../shims/sockets/message";
import * as readiness from "../../shims/sockets/readiness";

const POLLIN = 1;
const POLLOUT = 4;
const SHUT_WR = 1;
const MSG_NOSIGNAL = 0x4000;
const EPOLL_CTL_ADD = 1;

function bufferOf(text: string): Struct {
  const bytes = new TextEncoder().encode(text);
  const buffer = new Struct(bytes.length);
  buffer.bytes.set(bytes);
  return buffer;
}

function place(buffer: Struct): calls.MemoryRange {
  return { at: buffer.address, length: buffer.bytes.length };
}

describe("addresses", () => {
  test("lie as the kernel's structures do", () => {
    const ipv4 = encodeSocketAddress({ family: "ipv4", address: "192.0.2.1", port: 8080 });
    expect(ipv4.bytes.toHex()).toBe("02001f90c00002010000000000000000");
    const ipv6 = encodeSocketAddress({ family: "ipv6", address: "fd00::2", port: 80, scope: 3 });
    const words = ["0a000050", "00000000", "fd000000", "00000000", "00000000", "00000002"];
    expect(ipv6.bytes.toHex()).toBe(`${words.join("")}03000000`);
  });

  test("read back as they were written", () => {
    const port = fc.integer({ min: 0, max: 65_535 });
    const value = fc.oneof(
      fc.record({ family: fc.constant("ipv4" as const), address: fc.ipV4(), port }),
      fc.record({
        family: fc.constant("ipv6" as const),
        address: fc.constant("2001:db8::1"),
        port,
      }),
    );
    fc.assert(
      fc.property(value, (address) => {
        const struct = encodeSocketAddress(address);
        expect(decodeSocketAddress(struct, struct.bytes.length)).toEqual(address);
      }),
    );
  });

  test("that are none are refused", () => {
    const wrong = { family: "ipv4", address: "10.0.0.256", port: 1 } as const;
    expect(() => encodeSocketAddress(wrong)).toThrow("is no IPv4 address");
    expect(() => decodeSocketAddress(new Struct(4), 4)).toThrow("neither IPv4 nor IPv6");
    expect(decodeSocketAddress(new Struct(16), 0)).toBeUndefined();
  });
});

test("control messages read back as they were written, also when cut off", () => {
  const message = fc.record({
    level: fc.integer({ min: 0, max: 300 }),
    type: fc.integer({ min: 0, max: 300 }),
    data: fc.uint8Array({ maxLength: 20 }),
  });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 4 }), fc.nat(100), (messages, cut) => {
      const struct = encodeControl(messages);
      expect(decodeControl(struct, struct.bytes.length)).toEqual(messages);
      const short = decodeControl(struct, Math.min(cut, struct.bytes.length));
      expect(short.length).toBeLessThanOrEqual(messages.length);
    }),
  );
});

describe("over loopback", () => {
  const open: number[] = [];
  const length = new Struct(4);
  const peer = new Struct(calls.SOCKET_ADDRESS_ROOM);

  function opened(fd: number): number {
    expect(fd).toBeGreaterThanOrEqual(0);
    open.push(fd);
    return fd;
  }

  function stream(): number {
    return opened(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
  }

  function wait(fd: number, events: number): number {
    const entries = readiness.encodePoll([{ fd, events }]);
    expect(calls.poll(entries, 1, 5000)).toBe(1);
    return readiness.pollResults(entries, 1)[0] as number;
  }

  /** A connected pair: the client's descriptor and the server's. */
  function pair(): [client: number, server: number] {
    const listener = stream();
    bind(listener, encodeSocketAddress({ family: "ipv4", address: "127.0.0.1", port: 0 }));
    expect(calls.listen(listener, 1)).toBe(0);
    expect(calls.accept4(listener, peer, length, 0)).toBe(-ERRNO_EAGAIN);
    expect(calls.getsockname(listener, peer, length)).toBe(0);
    const bound = decodeSocketAddress(peer, length.view.getUint32(0, true));
    if (bound === undefined) throw new Error("a bound socket has an address");
    const client = stream();
    calls.connect(client, encodeSocketAddress(bound));
    wait(listener, POLLIN);
    const server = opened(calls.accept4(listener, peer, length, SOCK_NONBLOCK));
    expect(decodeSocketAddress(peer, length.view.getUint32(0, true))?.address).toBe("127.0.0.1");
    expect(wait(client, POLLOUT)).toBe(POLLOUT);
    return [client, server];
  }

  afterEach(() => {
    for (const fd of open.splice(0)) close(fd);
  });

  test("bytes pass by every call there is", () => {
    const [client, server] = pair();
    const out = bufferOf("abc");
    expect(calls.write(client, out.address, 3)).toBe(3);
    expect(calls.sendto(client, place(out), MSG_NOSIGNAL)).toBe(3);
    const last = bufferOf("defg");
    const sent = new Message({ buffers: [place(out), place(last)] });
    expect(calls.sendmsg(client, sent.header, 0)).toBe(7);

    wait(server, POLLIN);
    const room = new Struct(3);
    expect(calls.read(server, room.address, 3)).toBe(3);
    expect(new TextDecoder().decode(room.bytes)).toBe("abc");
    expect(calls.recvfrom(server, place(room), 0, peer, length)).toBe(3);
    const parts = [new Struct(2), new Struct(20)];
    const received = new Message({
      buffers: parts.map(place),
      address: peer,
      control: new Struct(64),
    });
    expect(calls.recvmsg(server, received.header, 0)).toBe(7);
    const text = parts.map(({ bytes }) => new TextDecoder().decode(bytes)).join("");
    expect(text.slice(0, 7)).toBe("abcdefg");
    expect([received.control, received.flags, received.addressLength]).toEqual([[], 0, 0]);
    expect(calls.read(server, room.address, 3)).toBe(-ERRNO_EAGAIN);
  });

  test("errors come back as negative errno, the one of that call", () => {
    const [client] = pair();
    const room = bufferOf("x");
    expect(calls.shutdown(client, SHUT_WR)).toBe(0);
    expect(calls.sendto(client, place(room), MSG_NOSIGNAL)).toBe(-ERRNO_EPIPE);
    expect(calls.read(-1, room.address, 1)).toBe(-ERRNO_EBADF);
    expect(calls.read(client, room.address, 1)).toBe(-ERRNO_EAGAIN);
  });

  test("epoll tells the data of what is ready", () => {
    const [client, server] = pair();
    const epoll = opened(calls.epollCreate(0));
    const data = 0x1234_5678_9abc_def0n;
    const event = readiness.encodeEpoll({ events: POLLIN, data });
    expect(calls.epollControl(epoll, EPOLL_CTL_ADD, server, event)).toBe(0);
    const events = readiness.epollRoom(4);
    expect(calls.epollWait(epoll, events, 4, 0)).toBe(0);
    calls.write(client, bufferOf("x").address, 1);
    expect(calls.epollWait(epoll, events, 4, 5000)).toBe(1);
    expect(readiness.decodeEpoll(events, 1)).toEqual([{ events: POLLIN, data }]);
  });

  test("a pipe takes what a socket holds", () => {
    const [client, server] = pair();
    const ends = calls.pipe();
    if (typeof ends === "number") throw new Error(`pipe: ${ends}`);
    const [from, to] = [opened(ends[0]), opened(ends[1])];
    calls.write(client, bufferOf("spliced").address, 7);
    wait(server, POLLIN);
    expect(calls.splice(server, to, 100, 0)).toBe(7);
    const room = new Struct(7);
    expect(calls.read(from, room.address, 7)).toBe(7);
    expect(new TextDecoder().decode(room.bytes)).toBe("spliced");
  });
});
