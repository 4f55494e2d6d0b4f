/** Calls that move bytes. A blocking one goes on until all are moved, as the kernel's would. */
import { ERRNO_EAGAIN } from "../../../../assembly/layout";
import { readv, Struct, writev } from "../../../../shims/libc";
import { decodeSocketAddress } from "../../../../shims/sockets/address";
import * as calls from "../../../../shims/sockets/calls";
import { encodeControl, Message, vectorsOf } from "../../../../shims/sockets/message";
import type { LiveDescriptors } from "./descriptors";
import { type Operation, POLLIN, POLLOUT, resultOf, wouldBlock } from "./operation";
import type { Call, CallResult } from "../target";

type Receive = Extract<Call, { name: "receive" }>;
type Send = Extract<Call, { name: "send" }>;
type Sendfile = Extract<Call, { name: "sendfile" }>;

const MSG_PEEK = 2;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
const MSG_WAITALL = 0x100;
const MSG_ERRQUEUE = 0x2000;

/** Consecutive parts of `room`, as long as `sizes` say. */
function parts(room: Struct, sizes: readonly number[]): calls.MemoryRange[] {
  let at = room.address;
  return sizes.map((length) => {
    at += length;
    return { at: at - length, length };
  });
}

function total(sizes: readonly number[]): number {
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** One receiving call of the form the script wrote. */
function receiveOnce(call: Receive, room: Struct): CallResult {
  const { fd, flags } = call;
  const ranges = parts(room, call.sizes);
  const whole = { at: room.address, length: room.bytes.length };
  const sender = new Struct(calls.SOCKET_ADDRESS_ROOM);
  const length = new Struct(4);
  const bytes = (count: number) => ({ data: room.bytes.slice(0, Math.max(0, count)) });
  if (call.form === "read") {
    const code = calls.read(fd, whole.at, whole.length);
    return resultOf(code, bytes(code));
  }
  if (call.form === "readv") {
    const code = readv(fd, vectorsOf(ranges).address, ranges.length);
    return resultOf(code, bytes(code));
  }
  if (call.form !== "recvmsg") {
    const code = calls.recvfrom(fd, whole, flags, sender, length);
    const address =
      code < 0 ? undefined : decodeSocketAddress(sender, length.view.getUint32(0, true));
    return resultOf(code, { ...bytes(code), address });
  }
  const control = new Struct(Math.max(1, call.controlBytes));
  const message = new Message({
    buffers: ranges,
    address: sender,
    control: call.controlBytes > 0 ? control : undefined,
  });
  const code = calls.recvmsg(fd, message.header, flags);
  return resultOf(code, {
    ...bytes(code),
    address: decodeSocketAddress(sender, code < 0 ? 0 : message.addressLength),
    messageFlags: message.flags,
    control: code < 0 ? [] : message.control,
  });
}

/** MSG_WAITALL's later calls: the bytes that are still missing from `got` on. */
function receiveRest(call: Receive, room: Struct, got: number): CallResult {
  const rest = { at: room.address + got, length: room.bytes.length - got };
  const unused = new Struct(calls.SOCKET_ADDRESS_ROOM);
  return resultOf(calls.recvfrom(call.fd, rest, call.flags, unused, new Struct(4)));
}

export function receive(call: Receive, descriptors: LiveDescriptors): Operation {
  const room = new Struct(total(call.sizes));
  const isWhole = (call.flags & (MSG_WAITALL | MSG_PEEK | MSG_TRUNC)) === MSG_WAITALL;
  let got = 0;
  let isEnded = false;
  const attempt = (): CallResult => {
    const result = got === 0 ? receiveOnce(call, room) : receiveRest(call, room, got);
    isEnded = result.value === 0 || (result.value < 0 && !wouldBlock(result));
    if (result.value > 0) got += result.value;
    if (got === 0 || !isWhole) return result;
    return resultOf(got, { data: room.bytes.slice(0, got) });
  };
  return {
    attempt,
    mustWait: (result) =>
      wouldBlock(result) || (isWhole && !isEnded && got > 0 && got < room.bytes.length),
    isBlocking:
      descriptors.isBlocking(call.fd) && (call.flags & (MSG_DONTWAIT | MSG_ERRQUEUE)) === 0,
    timeoutUs: descriptors.get(call.fd)?.receiveTimeoutUs ?? 0,
    waits: [{ fd: call.fd, events: POLLIN }],
  };
}

/** One sending call of the form the script wrote, of the bytes in `ranges`. */
function sendOnce(
  call: Send,
  ranges: readonly calls.MemoryRange[],
  address: Struct | undefined,
): number {
  const { fd, flags } = call;
  const first = ranges[0] ?? { at: 0, length: 0 };
  if (call.form === "write") return calls.write(fd, first.at, first.length);
  if (call.form === "writev") return writev(fd, vectorsOf(ranges).address, ranges.length);
  if (call.form !== "sendmsg") return calls.sendto(fd, first, flags, address);
  const control = call.control.length === 0 ? undefined : encodeControl(call.control);
  return calls.sendmsg(fd, new Message({ buffers: ranges, address, control }).header, flags);
}

/** The ranges without their first `count` bytes. */
function after(ranges: readonly calls.MemoryRange[], count: number): calls.MemoryRange[] {
  let skip = count;
  return ranges.flatMap(({ at, length }) => {
    const cut = Math.min(skip, length);
    skip -= cut;
    return cut === length && length > 0 ? [] : [{ at: at + cut, length: length - cut }];
  });
}

/** An operation that calls `move` until `size` bytes are moved or nothing moves any more. */
function moving(
  size: number,
  move: (done: number) => number,
  rest: Pick<Operation, "isBlocking" | "timeoutUs" | "waits">,
): Operation {
  let done = 0;
  let last = 0;
  const attempt = (): CallResult => {
    do {
      last = move(done);
      if (last > 0) done += last;
    } while (last > 0 && done < size);
    return resultOf(done > 0 ? done : last);
  };
  return { attempt, mustWait: () => last === -ERRNO_EAGAIN && done < Math.max(1, size), ...rest };
}

export function send(call: Send, descriptors: LiveDescriptors): Operation {
  const room = new Struct(total(call.pieces.map(({ length }) => length)));
  const ranges = parts(
    room,
    call.pieces.map(({ length }) => length),
  );
  call.pieces.forEach((piece, index) => {
    room.bytes.set(piece, (ranges[index]?.at ?? 0) - room.address);
  });
  const { fd, flags } = call;
  const { address } = call;
  const receiver = address === undefined ? undefined : descriptors.encode(call.fd, address);
  return moving(room.bytes.length, (done) => sendOnce(call, after(ranges, done), receiver), {
    isBlocking: descriptors.isBlocking(fd) && (flags & MSG_DONTWAIT) === 0,
    timeoutUs: descriptors.get(fd)?.sendTimeoutUs ?? 0,
    waits: [{ fd, events: POLLOUT }],
  });
}

export function sendfile(call: Sendfile, descriptors: LiveDescriptors): Operation {
  const { toFd, fromFd, size } = call;
  const offset = new Struct(8);
  offset.view.setBigInt64(0, BigInt(call.offset), true);
  return moving(size, (done) => calls.sendfile(toFd, fromFd, offset, size - done), {
    isBlocking: descriptors.isBlocking(toFd),
    timeoutUs: descriptors.get(toFd)?.sendTimeoutUs ?? 0,
    waits: [{ fd: toFd, events: POLLOUT }],
  });
}
