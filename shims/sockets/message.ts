/** struct msghdr with all it points to, for recvmsg and sendmsg (recvmsg(2), cmsg(3)). */
import { Struct } from "../libc";
import type { MemoryRange } from "./calls";

const HEADER_SIZE = 56;
const NAME_LENGTH = 8;
const VECTORS = 16;
const VECTOR_COUNT = 24;
const CONTROL = 32;
const CONTROL_LENGTH = 40;
const FLAGS = 48;
const VECTOR_SIZE = 16;
const VECTOR_LENGTH = 8;
/** struct cmsghdr: length with itself, level, type. */
const CONTROL_HEADER_SIZE = 16;
const CONTROL_LEVEL = 8;
const CONTROL_TYPE = 12;
const CONTROL_ALIGNMENT = 8;

export interface ControlMessage {
  readonly level: number;
  readonly type: number;
  readonly data: Uint8Array;
}

function aligned(size: number): number {
  return Math.ceil(size / CONTROL_ALIGNMENT) * CONTROL_ALIGNMENT;
}

/** The structures one after the other, each padded to its alignment. */
export function encodeControl(messages: readonly ControlMessage[]): Struct {
  const sizes = messages.map(({ data }) => aligned(CONTROL_HEADER_SIZE + data.length));
  const struct = new Struct(sizes.reduce((sum, size) => sum + size, 0));
  let at = 0;
  messages.forEach(({ level, type, data }, index) => {
    struct.view.setBigUint64(at, BigInt(CONTROL_HEADER_SIZE + data.length), true);
    struct.view.setInt32(at + CONTROL_LEVEL, level, true);
    struct.view.setInt32(at + CONTROL_TYPE, type, true);
    struct.bytes.set(data, at + CONTROL_HEADER_SIZE);
    at += sizes[index] as number;
  });
  return struct;
}

/** Reads the first `length` bytes; a message that was cut off ends there. */
export function decodeControl(struct: Struct, length: number): ControlMessage[] {
  const messages: ControlMessage[] = [];
  let at = 0;
  while (at + CONTROL_HEADER_SIZE <= length) {
    const size = Number(struct.view.getBigUint64(at, true));
    if (size < CONTROL_HEADER_SIZE) break;
    messages.push({
      level: struct.view.getInt32(at + CONTROL_LEVEL, true),
      type: struct.view.getInt32(at + CONTROL_TYPE, true),
      data: struct.bytes.slice(at + CONTROL_HEADER_SIZE, Math.min(at + size, length)),
    });
    at += aligned(size);
  }
  return messages;
}

/** An array of struct iovec that describes `ranges` in their order. */
export function vectorsOf(ranges: readonly MemoryRange[]): Struct {
  const vectors = new Struct(Math.max(1, ranges.length) * VECTOR_SIZE);
  ranges.forEach(({ at, length }, index) => {
    vectors.view.setBigUint64(index * VECTOR_SIZE, BigInt(at), true);
    vectors.view.setBigUint64(index * VECTOR_SIZE + VECTOR_LENGTH, BigInt(length), true);
  });
  return vectors;
}

export interface MessageParts {
  /** Kept alive by whoever made them. */
  readonly buffers: readonly MemoryRange[];
  /** The receiver when sending; room for the sender when receiving. */
  readonly address?: Struct | undefined;
  /** Control messages when sending; room for them when receiving. */
  readonly control?: Struct | undefined;
}

/** Reusable: the kernel overwrites the lengths when it receives, `reset` restores them. */
export class Message {
  readonly header = new Struct(HEADER_SIZE);
  readonly #parts: MessageParts;

  constructor(parts: MessageParts) {
    this.#parts = parts;
    const { buffers, address, control } = parts;
    if (address !== undefined) this.header.setPointer(0, address);
    this.header.setPointer(VECTORS, vectorsOf(buffers));
    this.header.view.setBigUint64(VECTOR_COUNT, BigInt(buffers.length), true);
    if (control !== undefined) this.header.setPointer(CONTROL, control);
    this.reset();
  }

  reset(): void {
    const { address, control } = this.#parts;
    this.header.view.setUint32(NAME_LENGTH, address?.bytes.length ?? 0, true);
    this.header.view.setBigUint64(CONTROL_LENGTH, BigInt(control?.bytes.length ?? 0), true);
    this.header.view.setInt32(FLAGS, 0, true);
  }

  /** Bytes of the address that the kernel wrote. */
  get addressLength(): number {
    return this.header.view.getUint32(NAME_LENGTH, true);
  }

  /** msg_flags after receiving. */
  get flags(): number {
    return this.header.view.getInt32(FLAGS, true);
  }

  /** The control messages that were received. */
  get control(): ControlMessage[] {
    const { control } = this.#parts;
    if (control === undefined) return [];
    return decodeControl(control, Number(this.header.view.getBigUint64(CONTROL_LENGTH, true)));
  }
}
