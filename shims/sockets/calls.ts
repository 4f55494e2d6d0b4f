/**
 * The kernel's socket calls and their neighbours. As in libc.ts every function is named after its
 * call, returns what the call returns or -errno, and takes addresses as plain numbers: whoever
 * passes one keeps the memory alive. A call on a blocking descriptor stops this thread.
 */
import { dlopen, FFIType, type Pointer } from "bun:ffi";
import { checked, O_NONBLOCK, type Struct, wordStruct } from "../libc";

const { i32, u32, i64, u64 } = FFIType;
const address = FFIType.ptr;

const { symbols } = dlopen("libc.so.6", {
  listen: { args: [i32, i32], returns: i32 },
  accept4: { args: [i32, address, address, i32], returns: i32 },
  connect: { args: [i32, address, u32], returns: i32 },
  read: { args: [i32, address, u64], returns: i32 },
  write: { args: [i32, address, u64], returns: i32 },
  recvfrom: { args: [i32, address, u64, i32, address, address], returns: i32 },
  sendto: { args: [i32, address, u64, i32, address, u32], returns: i32 },
  recvmsg: { args: [i32, address, i32], returns: i32 },
  sendmsg: { args: [i32, address, i32], returns: i32 },
  shutdown: { args: [i32, i32], returns: i32 },
  getsockname: { args: [i32, address, address], returns: i32 },
  fcntl: { args: [i32, i32, i64], returns: i32 },
  poll: { args: [address, u64, i32], returns: i32 },
  epoll_create1: { args: [i32], returns: i32 },
  epoll_ctl: { args: [i32, i32, i32, address], returns: i32 },
  epoll_wait: { args: [i32, address, i32, i32], returns: i32 },
  pipe2: { args: [address, i32], returns: i32 },
  splice: { args: [i32, address, i32, address, u64, u32], returns: i64 },
  sendfile: { args: [i32, i32, address, u64], returns: i64 },
});

/** Where bytes lie that C reads or writes. */
export interface MemoryRange {
  readonly at: number;
  readonly length: number;
}

/** struct sockaddr_storage: room for the address of any family. */
export const SOCKET_ADDRESS_ROOM = 128;

export function listen(fd: number, backlog: number): number {
  return checked(symbols.listen(fd, backlog));
}

/** `peer` takes the address of the peer; its first `length` bytes count, which is a u32. */
export function accept4(fd: number, peer: Struct, length: Struct, flags: number): number {
  length.view.setUint32(0, peer.bytes.length, true);
  const [at, lengthAt] = [peer.address as Pointer, length.address as Pointer];
  return checked(symbols.accept4(fd, at, lengthAt, flags));
}

export function connect(fd: number, peer: Struct): number {
  return checked(symbols.connect(fd, peer.address as Pointer, peer.bytes.length));
}

export function read(fd: number, at: number, length: number): number {
  return checked(symbols.read(fd, at as Pointer, length));
}

export function write(fd: number, at: number, length: number): number {
  return checked(symbols.write(fd, at as Pointer, length));
}

/** recvfrom whose sender is wanted; `length` as for accept4. */
export function recvfrom(
  fd: number,
  buffer: MemoryRange,
  flags: number,
  sender: Struct,
  length: Struct,
): number {
  length.view.setUint32(0, sender.bytes.length, true);
  const [from, lengthAt] = [sender.address as Pointer, length.address as Pointer];
  return checked(symbols.recvfrom(fd, buffer.at as Pointer, buffer.length, flags, from, lengthAt));
}

/** sendto; without a `receiver` it is send. */
export function sendto(fd: number, buffer: MemoryRange, flags: number, receiver?: Struct): number {
  const to = receiver === undefined ? null : (receiver.address as Pointer);
  const size = receiver?.bytes.length ?? 0;
  return checked(symbols.sendto(fd, buffer.at as Pointer, buffer.length, flags, to, size));
}

/** `header` is a struct msghdr. */
export function recvmsg(fd: number, header: Struct, flags: number): number {
  return checked(symbols.recvmsg(fd, header.address as Pointer, flags));
}

export function sendmsg(fd: number, header: Struct, flags: number): number {
  return checked(symbols.sendmsg(fd, header.address as Pointer, flags));
}

export function shutdown(fd: number, how: number): number {
  return checked(symbols.shutdown(fd, how));
}

/** `length` as for accept4. */
export function getsockname(fd: number, own: Struct, length: Struct): number {
  length.view.setUint32(0, own.bytes.length, true);
  const [at, lengthAt] = [own.address as Pointer, length.address as Pointer];
  return checked(symbols.getsockname(fd, at, lengthAt));
}

export function fcntl(fd: number, command: number, value: number): number {
  return checked(symbols.fcntl(fd, command, value));
}

/** Waits on `count` structures of `entries`. */
export function poll(entries: Struct, count: number, timeoutMs: number): number {
  return checked(symbols.poll(entries.address as Pointer, count, timeoutMs));
}

export function epollCreate(flags: number): number {
  return checked(symbols.epoll_create1(flags));
}

export function epollControl(epoll: number, operation: number, fd: number, event: Struct): number {
  return checked(symbols.epoll_ctl(epoll, operation, fd, event.address as Pointer));
}

/** Fills at most `count` structures of `events`. */
export function epollWait(epoll: number, events: Struct, count: number, timeoutMs: number): number {
  return checked(symbols.epoll_wait(epoll, events.address as Pointer, count, timeoutMs));
}

/** Both descriptors, the reading one first, or -errno. They do not block. */
export function pipe(): readonly [number, number] | number {
  const pair = wordStruct(0, 0);
  const code = checked(symbols.pipe2(pair.address as Pointer, O_NONBLOCK));
  return code < 0 ? code : [pair.view.getInt32(0, true), pair.view.getInt32(4, true)];
}

/** Moves bytes between a pipe and another descriptor. */
export function splice(from: number, to: number, size: number, flags: number): number {
  return checked(Number(symbols.splice(from, null, to, null, size, flags)));
}

/** `offset` is an i64 that the call moves on. */
export function sendfile(to: number, from: number, offset: Struct, size: number): number {
  return checked(Number(symbols.sendfile(to, from, offset.address as Pointer, size)));
}
