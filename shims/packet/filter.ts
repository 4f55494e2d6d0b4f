/** The classic BPF program that takes ARP about, and IPv4 to, one address (linux/filter.h). */
import { SOL_SOCKET, Struct, setsockopt } from "../libc";

const SO_ATTACH_FILTER = 26;
const INSTRUCTION_SIZE = 8;
const LOAD_HALF = 0x28;
const LOAD_WORD = 0x20;
const JUMP_EQUAL = 0x15;
const RETURN = 0x06;

const ETHERTYPE_AT = 12;
const IPV4_DESTINATION_AT = 30;
const ARP_TARGET_AT = 38;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_ARP = 0x0806;
const WHOLE_PACKET = 0xffffffff;

/** struct sock_filter: code, jump when true, jump when false, operand. */
type Instruction = readonly [code: number, whenTrue: number, whenFalse: number, operand: number];

function program(address: number): readonly Instruction[] {
  return [
    [LOAD_HALF, 0, 0, ETHERTYPE_AT],
    [JUMP_EQUAL, 0, 2, ETHERTYPE_IPV4],
    [LOAD_WORD, 0, 0, IPV4_DESTINATION_AT],
    [JUMP_EQUAL, 3, 4, address],
    [JUMP_EQUAL, 0, 3, ETHERTYPE_ARP],
    [LOAD_WORD, 0, 0, ARP_TARGET_AT],
    [JUMP_EQUAL, 0, 1, address],
    [RETURN, 0, 0, WHOLE_PACKET],
    [RETURN, 0, 0, 0],
  ];
}

/** `address`: four bytes in network order. Returns 0 or -errno. */
export function attachFilter(fd: number, address: Uint8Array): number {
  const instructions = program(new DataView(address.buffer, address.byteOffset).getUint32(0));
  const code = new Struct(instructions.length * INSTRUCTION_SIZE);
  instructions.forEach(([opcode, whenTrue, whenFalse, operand], index) => {
    const at = index * INSTRUCTION_SIZE;
    code.view.setUint16(at, opcode, true);
    code.view.setUint8(at + 2, whenTrue);
    code.view.setUint8(at + 3, whenFalse);
    code.view.setUint32(at + 4, operand, true);
  });
  const filter = new Struct(16);
  filter.view.setUint16(0, instructions.length, true);
  filter.setPointer(8, code);
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, filter);
}
