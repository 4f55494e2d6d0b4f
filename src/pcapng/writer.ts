/** Writes a capture: one section, little-endian, times in nanoseconds. */
import { ERRNO_EINVAL } from "../../assembly/layout";
import { DemibunError } from "../errors";
import { BlockWriter } from "./block-writer";
import {
  BLOCK_ENHANCED_PACKET,
  BLOCK_INTERFACE,
  BLOCK_SECTION,
  BLOCK_STATISTICS,
  BYTE_ORDER_MAGIC,
  DIRECTION_IN,
  DIRECTION_OUT,
  INTERFACE_DESCRIPTION,
  INTERFACE_NAME,
  INTERFACE_RESOLUTION,
  OPTION_COMMENT,
  PACKET_DROPPED,
  PACKET_FLAGS,
  SECTION_APPLICATION,
  SECTION_HARDWARE,
  SECTION_SYSTEM,
  STATISTICS_DROPPED,
  STATISTICS_END,
  STATISTICS_RECEIVED,
  STATISTICS_START,
} from "./blocks";
import type { CaptureInterface, CaptureOptions, CapturePacket } from "./types";

/** Where the length of a section is not known yet. */
const UNKNOWN = 0xffffffff;
const NANOSECONDS = 9;

interface Counts {
  readonly snapLength: number;
  firstNs: bigint | undefined;
  lastNs: bigint;
  received: number;
  dropped: number;
}

/**
 * Collects a capture in memory. `drain` hands out what has come together so far, for files that are
 * written while packets arrive; `finish` adds the statistics and hands out the rest.
 */
export class PcapngWriter {
  readonly #blocks = new BlockWriter();
  readonly #interfaces: Counts[] = [];
  #isFinished = false;

  constructor(options: CaptureOptions = {}) {
    const blocks = this.#blocks;
    blocks.begin(BLOCK_SECTION);
    blocks.u32(BYTE_ORDER_MAGIC);
    blocks.u16(1);
    blocks.u16(0);
    blocks.u32(UNKNOWN);
    blocks.u32(UNKNOWN);
    blocks.text(OPTION_COMMENT, options.comment);
    blocks.text(SECTION_HARDWARE, options.hardware);
    blocks.text(SECTION_SYSTEM, options.system);
    blocks.text(SECTION_APPLICATION, options.application);
    blocks.endOptions();
    blocks.end();
  }

  /** Packets name an interface by the id that this returns; ids count from 0. */
  addInterface(captured: CaptureInterface): number {
    this.#assertOpen();
    const { name, description, linkType, snapLength = 0 } = captured;
    const blocks = this.#blocks;
    blocks.begin(BLOCK_INTERFACE);
    blocks.u16(linkType);
    blocks.u16(0);
    blocks.u32(snapLength);
    blocks.text(INTERFACE_NAME, name);
    blocks.text(INTERFACE_DESCRIPTION, description);
    blocks.option(INTERFACE_RESOLUTION, Uint8Array.of(NANOSECONDS));
    blocks.endOptions();
    blocks.end();
    this.#interfaces.push({ snapLength, firstNs: undefined, lastNs: 0n, received: 0, dropped: 0 });
    return this.#interfaces.length - 1;
  }

  /**
   * Copies the packet's bytes, the interface's snap length of them at most.
   * @throws DemibunError EINVAL for an unknown interface, a negative time or a finished capture.
   */
  addPacket(packet: CapturePacket): void {
    this.#assertOpen();
    const { interfaceId, bytes, comments = [], direction, dropped = 0 } = packet;
    const counts = this.#interfaces[interfaceId];
    if (counts === undefined) throw invalid(`interface ${interfaceId} was not added`);
    const timeNs = typeof packet.timeNs === "bigint" ? packet.timeNs : toNs(packet.timeNs);
    if (timeNs < 0n) throw invalid(`the time ${timeNs} ns is negative`);
    const kept = counts.snapLength === 0 ? bytes : bytes.subarray(0, counts.snapLength);
    const blocks = this.#blocks;
    blocks.begin(BLOCK_ENHANCED_PACKET);
    blocks.u32(interfaceId);
    blocks.timestamp(timeNs);
    blocks.u32(kept.length);
    blocks.u32(packet.originalLength ?? bytes.length);
    blocks.data(kept);
    for (const comment of comments) blocks.text(OPTION_COMMENT, comment);
    if (direction !== undefined) {
      blocks.option(PACKET_FLAGS, littleEndian(direction === "in" ? DIRECTION_IN : DIRECTION_OUT));
    }
    if (dropped > 0) blocks.option(PACKET_DROPPED, littleEndian(dropped, 8));
    if (comments.length > 0 || direction !== undefined || dropped > 0) blocks.endOptions();
    blocks.end();
    count(counts, timeNs, dropped);
  }

  /** The bytes of the capture since the last call. */
  drain(): Uint8Array {
    return this.#blocks.take();
  }

  /** Ends the capture with each interface's statistics; returns what `drain` has not yet. */
  finish(): Uint8Array {
    this.#assertOpen();
    this.#isFinished = true;
    for (const [id, counts] of this.#interfaces.entries()) this.#addStatistics(id, counts);
    return this.drain();
  }

  #addStatistics(id: number, counts: Counts): void {
    const blocks = this.#blocks;
    blocks.begin(BLOCK_STATISTICS);
    blocks.u32(id);
    blocks.timestamp(counts.lastNs);
    if (counts.firstNs !== undefined) {
      blocks.option(STATISTICS_START, timestampBytes(counts.firstNs));
      blocks.option(STATISTICS_END, timestampBytes(counts.lastNs));
    }
    blocks.option(STATISTICS_RECEIVED, littleEndian(counts.received, 8));
    blocks.option(STATISTICS_DROPPED, littleEndian(counts.dropped, 8));
    blocks.endOptions();
    blocks.end();
  }

  #assertOpen(): void {
    if (this.#isFinished) throw invalid("the capture is finished");
  }
}

function count(counts: Counts, timeNs: bigint, dropped: number): void {
  if (counts.firstNs === undefined || timeNs < counts.firstNs) counts.firstNs = timeNs;
  if (timeNs > counts.lastNs) counts.lastNs = timeNs;
  counts.received++;
  counts.dropped += dropped;
}

function toNs(time: number): bigint {
  if (!Number.isFinite(time)) throw invalid(`the time ${time} ns is no number`);
  return BigInt(Math.floor(time));
}

function littleEndian(value: number, size: 4 | 8 = 4): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  if (size === 8) view.setBigUint64(0, BigInt(value), true);
  else view.setUint32(0, value, true);
  return bytes;
}

/** Upper half first. */
function timestampBytes(timeNs: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Number(timeNs >> 32n), true);
  view.setUint32(4, Number(timeNs & 0xffffffffn), true);
  return bytes;
}

function invalid(detail: string): DemibunError {
  return new DemibunError({ operation: "pcapng", errno: ERRNO_EINVAL, detail });
}
