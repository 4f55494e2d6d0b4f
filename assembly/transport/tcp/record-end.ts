/**
 * Ends of records (MSG_EOR): what a push says ends there shares no segment with what follows, and its
 * last segment has PSH. The mark is in the flags of the frame that holds the record's last byte.
 */
import { lastFrame } from "../../memory/chain";
import { Frame } from "../../memory/frame";
import { Connection, RECORDS } from "./connection";
import { after } from "./sequence";

/** Beside what devices tell of received frames, which may be pushed again. */
const ENDS_RECORD: u16 = 256;

/** The chain that is about to be queued is the end of a record. */
export function endRecord(connection: Connection, chain: Frame): void {
  connection.choose(RECORDS);
  lastFrame(chain).flags |= ENDS_RECORD;
}

/** Says whether nothing may be added to a frame of the send queue. */
export function endsRecord(frame: Frame): bool {
  return (frame.flags & ENDS_RECORD) != 0;
}

/** Bytes of a frame have moved behind those of another, and their mark with them. */
export function moveRecordEnd(from: Frame, to: Frame): void {
  to.flags = (to.flags & ~ENDS_RECORD) | (from.flags & ENDS_RECORD);
  from.flags &= ~ENDS_RECORD;
}

/** How many of `bytes` from `skip` of `start` on belong to the record that begins or goes on there. */
export function withinRecord(start: Frame | null, skip: u32, bytes: u32): u32 {
  let frame = start;
  let reach: u32 = 0;
  let from = skip;
  while (frame !== null && reach < bytes) {
    reach += <u32>frame.length - from;
    if (endsRecord(frame)) break;
    from = 0;
    frame = frame.next;
  }
  return min(reach, bytes);
}

/** Says whether a record ends right before `sequence`, from `start` on. */
export function isRecordEnd(start: Frame | null, sequence: u32): bool {
  let frame = start;
  while (frame !== null && !after(frame.sequence + frame.length, sequence)) {
    if (frame.sequence + frame.length == sequence) return endsRecord(frame);
    frame = frame.next;
  }
  return false;
}
