/**
 * Frames: 2 KiB buffers, each described by a record of 32 bytes that lies apart from it.
 *
 * A `Frame` reference is the address of the record; the buffer's address follows from it by a
 * shift. Null (0) is no frame. A packet or an array is a chain of frames through `next`; its first
 * frame's `total` is the chain's length in bytes. Queues hold chains through `link`.
 *
 * Ownership: whoever holds a chain holds one reference to each of its frames. A descriptor in a TX
 * ring holds one more to its frame, given back by the completion ring. `release` gives a chain's
 * references back. Contents may be written only by a holder of the sole reference.
 */
import {
  COUNTER_POOL_EXHAUSTED,
  FRAME_FLAGS,
  FRAME_LENGTH,
  FRAME_LINK,
  FRAME_MARK,
  FRAME_NEXT,
  FRAME_OFFSET,
  FRAME_RECORD_SHIFT,
  FRAME_RECORD_SIZE,
  FRAME_REFERENCES,
  FRAME_SHIFT,
  FRAME_SIZE,
  FRAME_TOTAL,
  PAGE_SIZE,
} from "../layout";
import { count } from "../counters";
import { carve } from "./region";

@unmanaged
export class Frame {
  /** Next frame of the same packet. */
  next: Frame | null;
  /** Next packet of a queue; meaningful in a packet's first frame. */
  link: Frame | null;
  /** Where the data starts, counted from the buffer's start. */
  offset: u16;
  /** Bytes of data in this buffer. */
  length: u16;
  references: u16;
  flags: u16;
  /** Bytes of the whole chain; meaningful in a packet's first frame. */
  total: u32;
  /** TCP: sequence number of the first byte. Reassembly: fragment offset. */
  sequence: u32;
  /** Owner's own use: TCP transmission flags; UDP source port. */
  mark: u32;
  /** Owner's own use: TCP's time of sending, the last run of a packet beyond a gap. */
  detail: u32;

  @inline get data(): usize {
    return frameBuffer(this) + this.offset;
  }
}

if (offsetof<Frame>() != FRAME_RECORD_SIZE) ERROR("Frame drifted from layout.ts");
if (offsetof<Frame>("next") != FRAME_NEXT) ERROR("Frame drifted from layout.ts");
if (offsetof<Frame>("link") != FRAME_LINK) ERROR("Frame drifted from layout.ts");
if (offsetof<Frame>("offset") != FRAME_OFFSET) ERROR("Frame drifted from layout.ts");
if (offsetof<Frame>("length") != FRAME_LENGTH) ERROR("Frame drifted from layout.ts");
if (offsetof<Frame>("references") != FRAME_REFERENCES) ERROR("Frame drifted from layout.ts");
if (offsetof<Frame>("flags") != FRAME_FLAGS) ERROR("Frame drifted from layout.ts");
if (offsetof<Frame>("total") != FRAME_TOTAL) ERROR("Frame drifted from layout.ts");
if (offsetof<Frame>("mark") != FRAME_MARK) ERROR("Frame drifted from layout.ts");

let records: usize = 0;
let buffers: usize = 0;
let frameCount: u32 = 0;
let freeHead: Frame | null = null;
let freeCount: u32 = 0;

/** Makes a pool of `frames`; record 0 stays unused so that null is no frame. */
export function openFrames(frames: u32): void {
  frameCount = frames;
  records = carve((frames + 1) * FRAME_RECORD_SIZE, 64);
  buffers = carve((frames + 1) * FRAME_SIZE, PAGE_SIZE);
  freeHead = null;
  freeCount = frames;
  for (let index = frames; index > 0; index--) {
    const frame = changetype<Frame>(records + ((<usize>index) << FRAME_RECORD_SHIFT));
    frame.next = freeHead;
    freeHead = frame;
  }
}

export function frameRecords(): usize {
  return records;
}

/** Address of the frame region, the UMEM: frame addresses in rings count from here. */
export function frameRegion(): usize {
  return buffers;
}

export function framesFree(): u32 {
  return freeCount;
}

export function framesTotal(): u32 {
  return frameCount;
}

export function frameBuffer(frame: Frame): usize {
  return buffers + ((changetype<usize>(frame) - records) << (FRAME_SHIFT - FRAME_RECORD_SHIFT));
}

/** The frame's address in a ring: the offset of its buffer in the frame region. */
export function frameAddress(frame: Frame): u32 {
  return <u32>((changetype<usize>(frame) - records) << (FRAME_SHIFT - FRAME_RECORD_SHIFT));
}

/** The frame that holds ring address `address`, or null when no frame has it. */
export function frameAt(address: u64): Frame | null {
  const index = address >> FRAME_SHIFT;
  if (index == 0 || index > <u64>frameCount) return null;
  return changetype<Frame>(records + ((<usize>index) << FRAME_RECORD_SHIFT));
}

/** Says whether a number from the host is a frame that is out of the pool. */
export function isFrame(record: usize): bool {
  const at = record - records;
  return (
    at >= FRAME_RECORD_SIZE &&
    at <= (<usize>frameCount) << FRAME_RECORD_SHIFT &&
    (at & (FRAME_RECORD_SIZE - 1)) == 0 &&
    changetype<Frame>(record).references != 0
  );
}

/** Takes one frame with one reference, empty, its data to start at `offset`; null when none is left. */
export function takeFrame(offset: u32): Frame | null {
  const frame = freeHead;
  if (frame === null) {
    count(COUNTER_POOL_EXHAUSTED);
    return null;
  }
  freeHead = frame.next;
  freeCount--;
  frame.next = null;
  frame.link = null;
  // One store for offset, length (0), references (1) and flags (0).
  store<u64>(changetype<usize>(frame), ((<u64>1) << 32) | offset, FRAME_OFFSET);
  frame.total = 0;
  return frame;
}

/** Gives back one reference to one frame. */
export function releaseFrame(frame: Frame): void {
  const references = frame.references;
  assert(references != 0, "a frame was released twice");
  if (references > 1) {
    frame.references = references - 1;
    return;
  }
  frame.references = 0;
  frame.next = freeHead;
  freeHead = frame;
  freeCount++;
}

/** Gives back one reference to every frame of a chain. */
export function release(chain: Frame | null): void {
  let frame = chain;
  while (frame !== null) {
    const next = frame.next;
    releaseFrame(frame);
    frame = next;
  }
}

export function holdFrame(frame: Frame): void {
  frame.references++;
}

/** Says whether nobody else (no TX descriptor) refers to the frame, so its buffer may be written. */
export function isSole(frame: Frame): bool {
  return frame.references == 1;
}
