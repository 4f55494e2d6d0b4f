import { OFFLOAD_CHECKSUM_PARTIAL } from "../../assembly/layout";
import type { Backend } from "../../shims/contract";
import { pieces } from "./frames";
import type { Peer, PeerPacket } from "./peer";
import { type Metadata, type Packet, Stack } from "./stack";

const PIECE_BYTES = 1900;

/** The other end of a loopback pair, which is a backend itself. */
export class LoopbackPeer implements Peer {
  readonly #stack: Stack;
  #received: Packet[] = [];

  constructor(backend: Backend) {
    this.#stack = new Stack(backend, { entries: 1024, frames: 4000 });
    this.#stack.post();
  }

  send(frame: Uint8Array, metadata?: Metadata): void {
    this.#stack.reap();
    const told = metadata && { ...metadata, flags: OFFLOAD_CHECKSUM_PARTIAL };
    if (!this.#stack.send(pieces(frame, PIECE_BYTES), told)) throw new Error("no room at the peer");
  }

  receive(): PeerPacket | undefined {
    this.#received.push(...this.#stack.receive());
    this.#stack.post();
    return this.#received.shift();
  }

  [Symbol.dispose](): void {
    this.#received = [];
  }
}
