/** Reads captures of any byte order, resolution and number of sections. */
import { ERRNO_EINVAL } from "../../assembly/layout";
import { DemibunError } from "../errors";
import { type Block, BrokenBlock, type Fields, readBlocks } from "./block-reader";
import {
  BLOCK_ENHANCED_PACKET,
  BLOCK_INTERFACE,
  BLOCK_PACKET,
  BLOCK_SECTION,
  BLOCK_SIMPLE_PACKET,
  BLOCK_STATISTICS,
  DIRECTION_IN,
  DIRECTION_OUT,
  INTERFACE_DESCRIPTION,
  INTERFACE_NAME,
  INTERFACE_OFFSET,
  INTERFACE_RESOLUTION,
  OPTION_COMMENT,
  PACKET_DROPPED,
  PACKET_FLAGS,
  SECTION_APPLICATION,
  SECTION_HARDWARE,
  SECTION_SYSTEM,
  STATISTICS_DROPPED,
  STATISTICS_RECEIVED,
} from "./blocks";
import type { CaptureInterface, CaptureOptions, CapturePacket } from "./types";

export interface ReadInterface extends CaptureInterface {
  readonly snapLength: number;
  /** From the statistics at the end; undefined when the capture has none. */
  received?: number;
  dropped?: number;
}

export interface ReadPacket extends CapturePacket {
  /** Of a packet block without a time (a simple packet): 0. */
  readonly timeNs: bigint;
  readonly originalLength: number;
  readonly comments: readonly string[];
}

export interface Capture extends CaptureOptions {
  /** Packets name them by their place here; interfaces of later sections follow. */
  readonly interfaces: readonly ReadInterface[];
  readonly packets: readonly ReadPacket[];
  /** Why the reading ended early, with the offset; what precedes it is here. */
  readonly problem?: string;
}

/** Ticks per second, and seconds to add. */
interface Clock {
  readonly ticks: bigint;
  readonly offsetNs: bigint;
}

interface State {
  readonly interfaces: ReadInterface[];
  readonly clocks: Clock[];
  readonly packets: ReadPacket[];
  /** Place of the section's first interface. */
  base: number;
}

type Head = { -readonly [Key in keyof CaptureOptions]: CaptureOptions[Key] };

const NS_PER_SECOND = 1_000_000_000n;

/**
 * Reads a whole capture; packets are views of `bytes`. A broken or cut off block ends the reading and
 * is told in `problem`. Blocks of unknown types are passed over.
 * @throws DemibunError EINVAL when `bytes` do not start as a pcapng file.
 */
export function readPcapng(bytes: Uint8Array): Capture {
  const state: State = { interfaces: [], clocks: [], packets: [], base: 0 };
  const head: Head = {};
  let isFirst = true;
  try {
    for (const block of readBlocks(bytes)) {
      if (block.type === BLOCK_SECTION) {
        state.base = state.interfaces.length;
        if (isFirst) readSection(block.fields, head);
        isFirst = false;
      } else readBlock(block, state);
    }
  } catch (error) {
    if (!(error instanceof BrokenBlock)) throw error;
    if (isFirst) {
      const detail = `this is no pcapng file: ${error.message}`;
      throw new DemibunError({ operation: "pcapng", errno: ERRNO_EINVAL, detail, cause: error });
    }
    return { ...head, ...picked(state), problem: error.message };
  }
  return { ...head, ...picked(state) };
}

function picked({ interfaces, packets }: State): Pick<Capture, "interfaces" | "packets"> {
  return { interfaces, packets };
}

function readBlock({ type, fields }: Block, state: State): void {
  if (type === BLOCK_INTERFACE) readInterface(fields, state);
  else if (type === BLOCK_ENHANCED_PACKET) readPacket(fields, state, fields.u32());
  else if (type === BLOCK_PACKET) {
    const id = fields.u16();
    fields.u16();
    readPacket(fields, state, id);
  } else if (type === BLOCK_SIMPLE_PACKET) readSimplePacket(fields, state);
  else if (type === BLOCK_STATISTICS) readStatistics(fields, state);
}

function readSection(fields: Fields, head: Head): void {
  // Byte order, version and length were read with the block's header.
  fields.skip(16);
  for (const { code, value } of fields.options()) {
    if (code === OPTION_COMMENT) head.comment ??= value.text();
    else if (code === SECTION_HARDWARE) head.hardware = value.text();
    else if (code === SECTION_SYSTEM) head.system = value.text();
    else if (code === SECTION_APPLICATION) head.application = value.text();
  }
}

function readInterface(fields: Fields, state: State): void {
  const linkType = fields.u16();
  fields.u16();
  const read: { -readonly [Key in keyof ReadInterface]: ReadInterface[Key] } = {
    linkType,
    snapLength: fields.u32(),
  };
  let ticks = 1_000_000n;
  let offsetNs = 0n;
  for (const { code, value } of fields.options()) {
    if (code === INTERFACE_NAME) read.name = value.text();
    else if (code === INTERFACE_DESCRIPTION) read.description = value.text();
    else if (code === INTERFACE_RESOLUTION) ticks = ticksPerSecond(value.u8());
    else if (code === INTERFACE_OFFSET) offsetNs = value.i64() * NS_PER_SECOND;
  }
  state.interfaces.push(read);
  state.clocks.push({ ticks, offsetNs });
}

/** Negative powers of ten, or with the highest bit of two. */
function ticksPerSecond(resolution: number): bigint {
  const exponent = BigInt(resolution & 127);
  return (resolution & 128) === 0 ? 10n ** exponent : 2n ** exponent;
}

function readPacket(fields: Fields, state: State, id: number): void {
  const interfaceId = state.base + id;
  const clock = state.clocks[interfaceId];
  if (clock === undefined) throw fields.broken(`names interface ${id}, which is not there`);
  const ticks = fields.timestamp();
  const capturedLength = fields.u32();
  const originalLength = fields.u32();
  const bytes = fields.data(capturedLength);
  const comments: string[] = [];
  const packet: { -readonly [Key in keyof ReadPacket]: ReadPacket[Key] } = {
    interfaceId,
    timeNs: (ticks * NS_PER_SECOND) / clock.ticks + clock.offsetNs,
    bytes,
    originalLength,
    comments,
  };
  for (const { code, value } of fields.options()) {
    if (code === OPTION_COMMENT) comments.push(value.text());
    else if (code === PACKET_DROPPED) packet.dropped = Number(value.u64());
    else if (code === PACKET_FLAGS) {
      const direction = value.u32() & 3;
      if (direction === DIRECTION_IN) packet.direction = "in";
      else if (direction === DIRECTION_OUT) packet.direction = "out";
    }
  }
  state.packets.push(packet);
}

/** Of the section's first interface, cut at its snap length. */
function readSimplePacket(fields: Fields, state: State): void {
  const captured = state.interfaces[state.base];
  if (captured === undefined) throw fields.broken("comes before any interface");
  const originalLength = fields.u32();
  const { snapLength } = captured;
  const length = snapLength === 0 ? originalLength : Math.min(originalLength, snapLength);
  const bytes = fields.data(length);
  state.packets.push({ interfaceId: state.base, timeNs: 0n, bytes, originalLength, comments: [] });
}

function readStatistics(fields: Fields, state: State): void {
  const id = fields.u32();
  const captured = state.interfaces[state.base + id];
  if (captured === undefined) throw fields.broken(`names interface ${id}, which is not there`);
  fields.skip(8);
  for (const { code, value } of fields.options()) {
    if (code === STATISTICS_RECEIVED) captured.received = Number(value.u64());
    else if (code === STATISTICS_DROPPED) captured.dropped = Number(value.u64());
  }
}
