/** What stands on the other end of a device under test: whole frames out, whole frames in. */
import {
  AF_PACKET,
  bind,
  close,
  readv,
  setsockopt,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
  Struct,
  socket,
  wordStruct,
  writev,
} from "../../shims/libc";
import { interfaceFacts } from "../../shims/interface";
import { Vectors } from "../../shims/vectors";
import type { Metadata } from "./stack";

export interface PeerPacket {
  readonly bytes: Uint8Array;
  /** The virtio header's fields when the packet came with an offload. */
  readonly metadata: Metadata | undefined;
}

export interface Peer extends Disposable {
  send(frame: Uint8Array, metadata?: Metadata): void;
  /** The next frame, or undefined when none waits. */
  receive(): PeerPacket | undefined;
}

const ETH_P_ALL_NETWORK_ORDER = 0x0300;
const SOL_PACKET = 263;
const PACKET_VNET_HDR = 15;
const PACKET_IGNORE_OUTGOING = 23;
const SOL_SOCKET = 1;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const HEADER_SIZE = 10;
const PACKET_BYTES = 70_000;

/** A raw socket on the kernel's end: the TAP's own interface, or the other end of a veth pair. */
export class KernelPeer implements Peer {
  readonly #fd: number;
  readonly #buffer = new Struct(HEADER_SIZE + PACKET_BYTES);
  readonly #vector = new Vectors(1);

  constructor(interfaceName: string) {
    this.#fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (this.#fd < 0) throw new Error(`peer socket: ${this.#fd}`);
    setsockopt(this.#fd, SOL_PACKET, PACKET_VNET_HDR, wordStruct(1));
    setsockopt(this.#fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, wordStruct(1));
    setsockopt(this.#fd, SOL_SOCKET, SO_SNDBUFFORCE, wordStruct(8 << 20));
    setsockopt(this.#fd, SOL_SOCKET, SO_RCVBUFFORCE, wordStruct(8 << 20));
    const address = new Struct(20);
    address.view.setUint16(0, AF_PACKET, true);
    address.view.setUint16(2, ETH_P_ALL_NETWORK_ORDER, true);
    address.view.setUint32(4, interfaceFacts(interfaceName).index, true);
    const bound = bind(this.#fd, address);
    if (bound < 0) throw new Error(`peer bind: ${bound}`);
  }

  send(frame: Uint8Array, metadata?: Metadata): void {
    const { bytes, view } = this.#buffer;
    bytes.fill(0, 0, HEADER_SIZE);
    if (metadata !== undefined) {
      view.setUint8(0, metadata.flags);
      view.setUint8(1, metadata.segmentSize === 0 ? 0 : 1);
      view.setUint16(2, metadata.headerLength, true);
      view.setUint16(4, metadata.segmentSize, true);
      view.setUint16(6, metadata.checksumStart, true);
      view.setUint16(8, metadata.checksumOffset, true);
    }
    bytes.set(frame, HEADER_SIZE);
    this.#vector.set(0, this.#buffer.address, HEADER_SIZE + frame.length);
    const sent = writev(this.#fd, this.#vector.at(0), 1);
    if (sent < 0) throw new Error(`peer send of ${frame.length} bytes: ${sent}`);
  }

  receive(): PeerPacket | undefined {
    const { bytes, view } = this.#buffer;
    this.#vector.set(0, this.#buffer.address, bytes.length);
    const size = readv(this.#fd, this.#vector.at(0), 1);
    if (size < 0) return undefined;
    const metadata: Metadata | undefined =
      view.getUint16(0, true) === 0
        ? undefined
        : {
            flags: view.getUint8(0),
            headerLength: view.getUint16(2, true),
            segmentSize: view.getUint16(4, true),
            checksumStart: view.getUint16(6, true),
            checksumOffset: view.getUint16(8, true),
          };
    return { bytes: bytes.slice(HEADER_SIZE, size), metadata };
  }

  [Symbol.dispose](): void {
    close(this.#fd);
  }
}
