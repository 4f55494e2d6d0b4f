/** The stack's one Ethernet device, whose other end is the script. */
import {
  FRAME_LENGTH,
  FRAME_NEXT,
  FRAME_OFFSET,
  FRAME_RECORD_SIZE,
  FRAME_SIZE,
} from "../../../assembly/layout";
import { PacketRings } from "../../../shims/packet-rings";
import { defaultOffsets } from "../../../shims/ring";
import { parseIpv4 } from "../../wasm/address";
import type { Stack } from "../../wasm/stack";
import type { TargetOptions } from "./target";

const ETHERNET_BYTES = 14;
const TYPE_IPV4 = 0x0800;
const stackMac = Uint8Array.of(2, 0, 0, 0, 0, 1);
const peerMac = Uint8Array.of(2, 0, 0, 0, 0, 2);

export class StackDevice {
  readonly #stack: Stack;
  readonly #rings: PacketRings;
  readonly #view: DataView;

  constructor(stack: Stack, options: TargetOptions) {
    this.#stack = stack;
    this.#view = new DataView(stack.memory.buffer);
    const own = parseIpv4(options.localAddress, "packetdrill");
    stack.attach(
      0,
      {
        mac: stackMac,
        mtu: options.mtu,
        checksum: false,
        segmentMax: 0,
        chainMax: 32,
        postedMax: 0,
        partialReceive: false,
        sharedRings: false,
        address: own,
        prefix: options.prefix,
      },
      defaultOffsets,
    );
    this.#rings = new PacketRings(stack.places(0));
    const gateway = parseIpv4(options.gatewayAddress, "packetdrill");
    stack.setGateway(0, gateway);
    stack.setNeighbour(0, gateway, peerMac);
    if (options.remoteAddress !== options.gatewayAddress) {
      stack.setNeighbour(0, parseIpv4(options.remoteAddress, "packetdrill"), peerMac);
    }
  }

  /** Puts an IP packet into the receive ring. */
  receive(packet: Uint8Array): void {
    const frame = new Uint8Array(ETHERNET_BYTES + packet.length);
    frame.set(stackMac, 0);
    frame.set(peerMac, 6);
    frame[12] = TYPE_IPV4 >> 8;
    frame.set(packet, ETHERNET_BYTES);
    if (!this.#rings.give(frame)) throw new Error("the stack has no frames left to receive into");
  }

  /** Takes the IP packets that the stack has sent; ARP goes nowhere. */
  sent(): Uint8Array[] {
    const packets: Uint8Array[] = [];
    for (;;) {
      const frame = this.#rings.take();
      if (frame === undefined) break;
      if (frame[12] === TYPE_IPV4 >> 8 && frame[13] === 0) {
        packets.push(frame.subarray(ETHERNET_BYTES));
      }
    }
    return packets;
  }

  /** Allocates an array with these contents; 0 when the pool lacks frames. */
  array(contents: Uint8Array): number {
    const frame = this.#stack.exports.allocate(contents.length);
    let at = 0;
    for (const [start, length] of this.#pieces(frame)) {
      this.#stack.bytes.set(contents.subarray(at, at + length), start);
      at += length;
    }
    return frame;
  }

  /** The bytes of a popped array, which is released. */
  take(frame: number): Uint8Array {
    const pieces: Uint8Array[] = [];
    for (const [start, length] of this.#pieces(frame)) {
      pieces.push(this.#stack.bytes.slice(start, start + length));
    }
    this.#stack.exports.release(frame);
    return joinBytes(pieces);
  }

  /** Address and length of each frame's data. */
  *#pieces(first: number): Generator<[start: number, length: number]> {
    const { map } = this.#stack;
    for (let frame = first; frame !== 0; frame = this.#view.getUint32(frame + FRAME_NEXT, true)) {
      const index = (frame - map.frameRecords) / FRAME_RECORD_SIZE;
      const offset = this.#view.getUint16(frame + FRAME_OFFSET, true);
      yield [
        map.frames + index * FRAME_SIZE + offset,
        this.#view.getUint16(frame + FRAME_LENGTH, true),
      ];
    }
  }
}

export function joinBytes(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0] as Uint8Array;
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
