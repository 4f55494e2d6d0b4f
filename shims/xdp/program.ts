/**
 * The XDP program that hands ARP about, and IPv4 to, one address to our socket and leaves the rest
 * to the kernel, loaded and attached by bpf(2) alone.
 */
import { bpf, close, cString, Struct } from "../libc";

const BPF_MAP_CREATE = 0;
const BPF_MAP_UPDATE = 2;
const BPF_PROG_LOAD = 5;
const BPF_LINK_CREATE = 28;
const MAP_TYPE_XSKMAP = 17;
const PROG_TYPE_XDP = 6;
const XDP_HAS_FRAGS = 32;
const ATTACH_TYPE_XDP = 37;
const XDP_FLAGS_SKB_MODE = 2;
const XDP_FLAGS_DRV_MODE = 4;
/** Room for the largest of the commands' attributes that are used here. */
const ATTRIBUTES_SIZE = 72;
const INSTRUCTION_SIZE = 8;

const R0 = 0;
const R1 = 1;
const R2 = 2;
const R3 = 3;
const R4 = 4;
const R5 = 5;
const R6 = 6;
const MOVE = 0xbf;
const MOVE_NUMBER = 0xb7;
const ADD_NUMBER = 0x07;
const LOAD_WORD = 0x61;
const LOAD_HALF = 0x69;
const LOAD_MAP = 0x18;
const PSEUDO_MAP_FD = 1;
const JUMP = 0x05;
const JUMP_GREATER = 0x2d;
const JUMP_EQUAL = 0x15;
const JUMP_WORD_NOT_EQUAL = 0x56;
const CALL = 0x85;
const EXIT = 0x95;
const HELPER_REDIRECT_MAP = 51;
const XDP_PASS = 2;

// struct xdp_md
const CONTEXT_DATA = 0;
const CONTEXT_DATA_END = 4;
const CONTEXT_QUEUE = 16;
const ETHERTYPE_AT = 12;
const IPV4_DESTINATION_AT = 30;
const ARP_TARGET_AT = 38;
/** An ARP packet's end; every IPv4 packet that matters is as long. */
const SHORTEST = 42;
/** As a little-endian load of the network's bytes sees them. */
const ETHERTYPE_ARP = 0x0608;
const ETHERTYPE_IPV4 = 0x0008;

/** struct bpf_insn: opcode, destination and source register, offset, immediate. */
type Instruction = readonly [code: number, to: number, from: number, offset: number, value: number];

function instructions(map: number, address: number): readonly Instruction[] {
  return [
    [MOVE, R6, R1, 0, 0],
    [LOAD_WORD, R2, R1, CONTEXT_DATA, 0],
    [LOAD_WORD, R3, R1, CONTEXT_DATA_END, 0],
    [MOVE, R4, R2, 0, 0],
    [ADD_NUMBER, R4, 0, 0, SHORTEST],
    [JUMP_GREATER, R4, R3, 14, 0],
    [LOAD_HALF, R5, R2, ETHERTYPE_AT, 0],
    [JUMP_EQUAL, R5, 0, 2, ETHERTYPE_ARP],
    [JUMP_EQUAL, R5, 0, 3, ETHERTYPE_IPV4],
    [JUMP, 0, 0, 10, 0],
    [LOAD_WORD, R5, R2, ARP_TARGET_AT, 0],
    [JUMP, 0, 0, 1, 0],
    [LOAD_WORD, R5, R2, IPV4_DESTINATION_AT, 0],
    [JUMP_WORD_NOT_EQUAL, R5, 0, 6, address],
    [LOAD_WORD, R2, R6, CONTEXT_QUEUE, 0],
    [LOAD_MAP, R1, PSEUDO_MAP_FD, 0, map],
    [0, 0, 0, 0, 0],
    [MOVE_NUMBER, R3, 0, 0, XDP_PASS],
    [CALL, 0, 0, 0, HELPER_REDIRECT_MAP],
    [EXIT, 0, 0, 0, 0],
    [MOVE_NUMBER, R0, 0, 0, XDP_PASS],
    [EXIT, 0, 0, 0, 0],
  ];
}

function assemble(program: readonly Instruction[]): Struct {
  const code = new Struct(program.length * INSTRUCTION_SIZE);
  program.forEach(([opcode, to, from, offset, value], index) => {
    const at = index * INSTRUCTION_SIZE;
    code.view.setUint8(at, opcode);
    code.view.setUint8(at + 1, to | (from << 4));
    code.view.setInt16(at + 2, offset, true);
    code.view.setInt32(at + 4, value, true);
  });
  return code;
}

function createMap(queues: number): number {
  const attributes = new Struct(ATTRIBUTES_SIZE);
  attributes.view.setUint32(0, MAP_TYPE_XSKMAP, true);
  attributes.view.setUint32(4, 4, true);
  attributes.view.setUint32(8, 4, true);
  attributes.view.setUint32(12, queues, true);
  return bpf(BPF_MAP_CREATE, attributes);
}

/** `fragments`: the program takes packets of several buffers; old kernels refuse that. */
function loadProgram(map: number, address: Uint8Array, fragments: boolean): number {
  const word = new DataView(address.buffer, address.byteOffset).getInt32(0, true);
  const code = assemble(instructions(map, word));
  const attributes = new Struct(ATTRIBUTES_SIZE);
  attributes.view.setUint32(0, PROG_TYPE_XDP, true);
  attributes.view.setUint32(4, code.bytes.length / INSTRUCTION_SIZE, true);
  attributes.setPointer(8, code);
  attributes.setPointer(16, cString("GPL"));
  attributes.view.setUint32(44, fragments ? XDP_HAS_FRAGS : 0, true);
  return bpf(BPF_PROG_LOAD, attributes);
}

function attachProgram(program: number, index: number, flags: number): number {
  const attributes = new Struct(16);
  attributes.view.setUint32(0, program, true);
  attributes.view.setUint32(4, index, true);
  attributes.view.setUint32(8, ATTACH_TYPE_XDP, true);
  attributes.view.setUint32(12, flags, true);
  return bpf(BPF_LINK_CREATE, attributes);
}

function updateMap(map: number, queue: number, socket: number): number {
  const [key, value] = [new Struct(4), new Struct(4)];
  key.view.setUint32(0, queue, true);
  value.view.setUint32(0, socket, true);
  const attributes = new Struct(32);
  attributes.view.setUint32(0, map, true);
  attributes.setPointer(8, key);
  attributes.setPointer(16, value);
  return bpf(BPF_MAP_UPDATE, attributes);
}

export type AttachMode = "native" | "skb";

/** A loaded and attached program. The link's fd holds it: it detaches when the process dies. */
export class Program implements Disposable {
  readonly mode: AttachMode;
  readonly #map: number;
  readonly #program: number;
  readonly #link: number;

  private constructor(map: number, program: number, link: number, mode: AttachMode) {
    this.#map = map;
    this.#program = program;
    this.#link = link;
    this.mode = mode;
  }

  /** Attaches to interface `index`, in the driver if it can, for packets to `address`; or -errno. */
  static attach(index: number, queue: number, address: Uint8Array): Program | number {
    const map = createMap(queue + 1);
    if (map < 0) return map;
    let program = loadProgram(map, address, true);
    if (program < 0) program = loadProgram(map, address, false);
    if (program < 0) {
      close(map);
      return program;
    }
    let link = attachProgram(program, index, XDP_FLAGS_DRV_MODE);
    let mode: AttachMode = "native";
    if (link < 0) {
      link = attachProgram(program, index, XDP_FLAGS_SKB_MODE);
      mode = "skb";
    }
    if (link >= 0) return new Program(map, program, link, mode);
    close(program);
    close(map);
    return link;
  }

  /** Whether this process may load such a program: 0 or -errno. */
  static check(): number {
    const map = createMap(1);
    if (map < 0) return map;
    const program = loadProgram(map, new Uint8Array(4), false);
    close(map);
    return program < 0 ? program : close(program);
  }

  /** Sends the packets of `queue` to `socket`; returns 0 or -errno. */
  redirect(queue: number, socket: number): number {
    return updateMap(this.#map, queue, socket);
  }

  [Symbol.dispose](): void {
    close(this.#link);
    close(this.#program);
    close(this.#map);
  }
}
