/**
 * The binding of libc that devices share; sockets/calls.ts adds what only sockets need. Every function is named after its call and returns what the call returns,
 * or -errno when it failed. Addresses are plain numbers; whoever passes one keeps the memory alive.
 */
import { dlopen, FFIType, type Pointer, ptr, read, toArrayBuffer } from "bun:ffi";
import { ERRNO_EAGAIN, ERRNO_ENOBUFS, ERRNO_ENOMEM } from "../assembly/layout";

const { i32, u32, i64, u64 } = FFIType;
const address = FFIType.ptr;

const { symbols } = dlopen("libc.so.6", {
  __errno_location: { args: [], returns: address },
  open: { args: [address, i32, i32], returns: i32 },
  close: { args: [i32], returns: i32 },
  ioctl: { args: [i32, u64, address], returns: i32 },
  readv: { args: [i32, address, i32], returns: i32 },
  writev: { args: [i32, address, i32], returns: i32 },
  socket: { args: [i32, i32, i32], returns: i32 },
  bind: { args: [i32, address, u32], returns: i32 },
  setsockopt: { args: [i32, i32, i32, address, u32], returns: i32 },
  getsockopt: { args: [i32, i32, i32, address, address], returns: i32 },
  sendto: { args: [i32, address, u64, i32, address, u32], returns: i32 },
  recvfrom: { args: [i32, address, u64, i32, address, address], returns: i32 },
  recvmmsg: { args: [i32, address, u32, i32, address], returns: i32 },
  sendmmsg: { args: [i32, address, u32, i32], returns: i32 },
  mmap: { args: [address, u64, i32, i32, i32, i64], returns: address },
  munmap: { args: [address, u64], returns: i32 },
  memcpy: { args: [address, address, u64], returns: address },
  ppoll: { args: [address, u64, address, address], returns: i32 },
  socketpair: { args: [i32, i32, i32, address], returns: i32 },
  syscall: { args: [i64, i64, address, i64, i64, address, i64], returns: i32 },
});

/** errno of this thread; a Worker loads this module anew, so the place never changes. */
const errnoPlace = symbols.__errno_location() as Pointer;

/** What a call returned, or -errno; to be asked before any other call is made. */
export function checked(value: number): number {
  return value >= 0 ? value : -read.i32(errnoPlace, 0);
}

const ERRNO_EINTR = 4;

/** Says whether a failed send may succeed later with the same packet. */
export function isPassing(errno: number): boolean {
  return (
    errno === -ERRNO_EAGAIN ||
    errno === -ERRNO_ENOBUFS ||
    errno === -ERRNO_ENOMEM ||
    errno === -ERRNO_EINTR
  );
}

/** C structures are built here: an ArrayBuffer of its own never moves, small typed arrays may. */
export class Struct {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  readonly address: number;
  readonly #references: Struct[] = [];

  constructor(size: number) {
    // An empty array has no address that the kernel takes.
    const buffer = new ArrayBuffer(Math.max(1, size));
    this.bytes = new Uint8Array(buffer, 0, size);
    this.view = new DataView(buffer, 0, size);
    this.address = ptr(buffer);
  }

  /** Writes the address of `target` at `offset` and keeps it alive as long as this structure. */
  setPointer(offset: number, target: Struct): void {
    this.view.setBigUint64(offset, BigInt(target.address), true);
    this.#references.push(target);
  }
}

/** `text` as a C string; keep the structure for as long as C may read it. */
export function cString(text: string): Struct {
  const encoded = new TextEncoder().encode(text);
  const string = new Struct(encoded.length + 1);
  string.bytes.set(encoded);
  return string;
}

/** A structure of u32 words. */
export function wordStruct(...words: number[]): Struct {
  const struct = new Struct(words.length * 4);
  words.forEach((word, index) => {
    struct.view.setUint32(index * 4, word, true);
  });
  return struct;
}

/** Where a linear memory lies in this process; stable as long as the memory is referenced. */
export function memoryAddress(memory: WebAssembly.Memory): number {
  return ptr(memory.buffer);
}

export const O_RDWR = 2;
export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2000000;

export function open(path: string, flags: number): number {
  return checked(symbols.open(cString(path).address as Pointer, flags, 0));
}

export function close(fd: number): number {
  return checked(symbols.close(fd));
}

/** `argument` is an address, or the value itself where the request wants one. */
export function ioctl(fd: number, request: number, argument: number): number {
  return checked(symbols.ioctl(fd, request, argument as Pointer));
}

export function readv(fd: number, vectors: number, count: number): number {
  return checked(symbols.readv(fd, vectors as Pointer, count));
}

export function writev(fd: number, vectors: number, count: number): number {
  return checked(symbols.writev(fd, vectors as Pointer, count));
}

export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_PACKET = 17;
export const AF_XDP = 44;
export const SOL_SOCKET = 1;
export const MSG_DONTWAIT = 0x40;

export function socket(family: number, type: number, protocol: number): number {
  return checked(symbols.socket(family, type, protocol));
}

/** Writes the pair's two descriptors to `pair`. */
export function socketpair(family: number, type: number, pair: Struct): number {
  return checked(symbols.socketpair(family, type, 0, pair.address as Pointer));
}

export function bind(fd: number, socketAddress: Struct): number {
  const at = socketAddress.address as Pointer;
  return checked(symbols.bind(fd, at, socketAddress.bytes.length));
}

export function setsockopt(fd: number, level: number, name: number, value: Struct): number {
  const at = value.address as Pointer;
  return checked(symbols.setsockopt(fd, level, name, at, value.bytes.length));
}

/** Fills `value`; returns the bytes the kernel wrote. */
export function getsockopt(fd: number, level: number, name: number, value: Struct): number {
  const length = wordStruct(value.bytes.length);
  const [at, lengthAt] = [value.address as Pointer, length.address as Pointer];
  const code = checked(symbols.getsockopt(fd, level, name, at, lengthAt));
  return code < 0 ? code : length.view.getUint32(0, true);
}

/** Sends nothing: tells a bound socket's driver to look at its rings. */
export function kickSend(fd: number): number {
  return checked(symbols.sendto(fd, null, 0, MSG_DONTWAIT, null, 0));
}

/** Receives nothing: tells a bound socket's driver to look at its rings. */
export function kickReceive(fd: number): number {
  return checked(symbols.recvfrom(fd, null, 0, MSG_DONTWAIT, null, null));
}

/** Returns how many of the `count` messages at `messages` (struct mmsghdr) were filled. */
export function recvmmsg(fd: number, messages: number, count: number): number {
  return checked(symbols.recvmmsg(fd, messages as Pointer, count, MSG_DONTWAIT, null));
}

export function sendmmsg(fd: number, messages: number, count: number): number {
  return checked(symbols.sendmmsg(fd, messages as Pointer, count, MSG_DONTWAIT));
}

export const PROT_READ_WRITE = 3;
export const MAP_SHARED = 1;
export const MAP_PRIVATE = 2;
export const MAP_FIXED = 0x10;
export const MAP_ANONYMOUS = 0x20;
export const MAP_NORESERVE = 0x4000;
export const MAP_POPULATE = 0x8000;

/** The mapping's address or -errno. `at` is 0, or the address that MAP_FIXED demands. */
export function mmap(
  at: number,
  length: number,
  flags: number,
  fd: number,
  offset: number,
): number {
  const mapped = symbols.mmap(at as Pointer, length, PROT_READ_WRITE, flags, fd, offset);
  // MAP_FAILED is (void*)-1, which arrives as a number no address can be.
  const mappedAt = Number(mapped);
  return mappedAt > 0 && mappedAt < 2 ** 53 ? mappedAt : -read.i32(errnoPlace, 0);
}

export function munmap(at: number, length: number): number {
  return checked(symbols.munmap(at as Pointer, length));
}

export function memcpy(to: number, from: number, length: number): void {
  symbols.memcpy(to as Pointer, from as Pointer, length);
}

export const POLLIN = 1;
/** Waits on `count` pollfd structures; `timeout` is a struct timespec, or undefined for ever. */
export function ppoll(descriptors: Struct, count: number, timeout: Struct | undefined): number {
  const until = timeout === undefined ? null : (timeout.address as Pointer);
  return checked(symbols.ppoll(descriptors.address as Pointer, count, until, null));
}

const SYS_BPF = 321;
const SYS_IO_URING_SETUP = 425;
const SYS_IO_URING_ENTER = 426;
const isX64 = process.arch === "x64";

export function bpf(command: number, attributes: Struct): number {
  const [at, size] = [attributes.address as Pointer, attributes.bytes.length];
  return checked(symbols.syscall(isX64 ? SYS_BPF : 280, command, at, size, 0, null, 0));
}

export function ioUringSetup(entries: number, parameters: Struct): number {
  const at = parameters.address as Pointer;
  return checked(symbols.syscall(SYS_IO_URING_SETUP, entries, at, 0, 0, null, 0));
}

export function ioUringEnter(fd: number, submit: number): number {
  return checked(symbols.syscall(SYS_IO_URING_ENTER, fd, submit as Pointer, 0, 0, null, 0));
}

/** A view of mapped memory; it must not be used after munmap. */
export function viewOf(at: number, length: number): ArrayBuffer {
  return toArrayBuffer(at as Pointer, 0, length);
}
