/**
 * Segments beyond RCV.NXT (RFC 9293 SHLD-31). Neighbouring ones join into runs, in order of
 * sequence, so the list is as long as there are holes. Bytes received first win over later copies.
 * The number of holes and of frames is bounded: what does not fit is dropped and sent again.
 */
import { COUNTER_DROP_TCP_REASSEMBLY_FULL, COUNTER_TCP_OUT_OF_ORDER } from "../../layout";
import { count } from "../../counters";
import { lastFrame, splitChain, trimBack, trimFront } from "../../memory/chain";
import { Frame, framesTotal, release } from "../../memory/frame";
import { Tcp } from "../../wire/tcp";
import { Connection } from "./connection";
import { acknowledgeGap, acknowledgeNow } from "./delayed-ack";
import { append, servePops } from "./deliver";
import { finReceived } from "./fin";
import { framesLeft } from "./pressure";
import { RUN_FIN, runMark, takeMark } from "./run";
import { noteDuplicate } from "./sack";
import { segmentBytes, segmentFlags, segmentSequence, takePayload } from "./segment";
import { after, before } from "./sequence";

/**
 * Runs that one connection may have. More than the first number begin with full segments only: a
 * queue that overflows on the way drops every other one, while tiny segments are an attacker's.
 */
const RUNS_MAX: u32 = 128;
const FULL_RUNS_MAX: u32 = 512;
/** Frames that one connection may hold beyond its first hole: so many, or a window of full segments. */
const FRAMES_MAX: u32 = 1024;

/**
 * Keeps the segment being processed; a gap is always acknowledged at once, by an acknowledgment that
 * tells of this segment.
 */
export function storeOutOfOrder(connection: Connection): void {
  count(COUNTER_TCP_OUT_OF_ORDER);
  keep(connection);
  acknowledgeGap(connection);
}

function keep(connection: Connection): void {
  const fin = (segmentFlags & Tcp.FIN) != 0;
  if (segmentBytes == 0 && !fin) return;
  // The pool's last quarter is for segments in order. The device is given frames down to the last
  // eighth only, so a lower limit here could use up all that it has and the missing one never comes.
  const limit = max(FRAMES_MAX, connection.receiveBuffer / connection.mss);
  if (connection.reassemblyCount >= limit || framesLeft(connection) < framesTotal() >> 2) {
    count(COUNTER_DROP_TCP_REASSEMBLY_FULL);
    return;
  }
  const payload = takePayload();
  payload.sequence = segmentSequence;
  payload.mark = runMark(++connection.arrivals, fin);
  insert(connection, payload);
}

function insert(connection: Connection, payload: Frame): void {
  let previous: Frame | null = null;
  let run = connection.reassemblyHead;
  while (run !== null && before(run.sequence + run.total, payload.sequence)) {
    previous = run;
    run = run.link;
  }
  if (run !== null && !after(run.sequence, payload.sequence)) {
    extend(connection, run, payload);
    return;
  }
  const limit = payload.total < <u32>connection.mss ? RUNS_MAX : FULL_RUNS_MAX;
  if (connection.runs >= limit) {
    count(COUNTER_DROP_TCP_REASSEMBLY_FULL);
    release(payload);
    return;
  }
  let rest: Frame | null = null;
  if (run !== null) rest = splitAt(payload, run.sequence);
  payload.link = run;
  payload.detail = <u32>changetype<usize>(lastFrame(payload));
  if (previous === null) connection.reassemblyHead = payload;
  else previous.link = payload;
  connection.runs++;
  connection.reassemblyCount += framesOf(payload);
  joinNext(connection, payload);
  if (rest !== null) insert(connection, rest);
}

/** `payload` begins inside `run` or right behind it. */
function extend(connection: Connection, run: Frame, payload: Frame): void {
  const end = run.sequence + run.total;
  const known = end - payload.sequence;
  noteDuplicate(connection, payload.sequence, min(known, payload.total));
  const mark = payload.mark;
  if (known >= payload.total) {
    takeMark(run, known == payload.total ? mark : mark & ~RUN_FIN);
    release(payload);
    return;
  }
  const fresh = trimFront(payload, known);
  fresh.sequence = end;
  fresh.mark = mark;
  const next = run.link;
  let rest: Frame | null = null;
  if (next !== null) rest = splitAt(fresh, next.sequence);
  connection.reassemblyCount += framesOf(fresh);
  join(run, fresh, <u32>changetype<usize>(lastFrame(fresh)));
  joinNext(connection, run);
  if (rest !== null) insert(connection, rest);
}

/**
 * Cuts a chain where bytes received earlier begin, and returns what reaches into them and beyond; it
 * is dropped where no frame is left to cut with.
 */
function splitAt(payload: Frame, sequence: u32): Frame | null {
  const room = sequence - payload.sequence;
  if (payload.total <= room) return null;
  const rest = splitChain(payload, room);
  if (rest === null) {
    trimBack(payload, room);
  } else {
    rest.sequence = sequence;
    rest.mark = payload.mark;
  }
  payload.mark &= ~RUN_FIN;
  return rest;
}

function join(run: Frame, chain: Frame, last: u32): void {
  changetype<Frame>(<usize>run.detail).next = chain;
  run.detail = last;
  run.total += chain.total;
  takeMark(run, chain.mark);
}

/** Joins the next run when the gap before it has closed. */
function joinNext(connection: Connection, run: Frame): void {
  const next = run.link;
  if (next === null || next.sequence != run.sequence + run.total) return;
  run.link = next.link;
  connection.runs--;
  if (next.total != 0) {
    join(run, next, next.detail);
    return;
  }
  takeMark(run, next.mark);
  connection.reassemblyCount -= framesOf(next);
  release(next);
}

function framesOf(chain: Frame): u32 {
  let frames: u32 = 0;
  for (let frame: Frame | null = chain; frame !== null; frame = frame.next) frames++;
  return frames;
}

/** RCV.NXT has moved: takes over what is now in order. */
export function fillFromReassembly(connection: Connection): void {
  let run = connection.reassemblyHead;
  let filled = false;
  let fin = false;
  while (run !== null && !after(run.sequence, connection.receiveNext)) {
    const next = run.link;
    const known = connection.receiveNext - run.sequence;
    connection.runs--;
    connection.reassemblyCount -= framesOf(run);
    // A FIN behind bytes that arrived again by themselves is still the FIN.
    if ((run.mark & RUN_FIN) != 0 && known <= run.total) fin = true;
    if (known >= run.total) {
      release(run);
    } else {
      const fresh = known == 0 ? run : trimFront(run, known);
      fresh.link = null;
      append(connection, fresh);
      filled = true;
    }
    run = next;
  }
  connection.reassemblyHead = run;
  if (filled) {
    acknowledgeNow(connection);
    servePops(connection);
  }
  if (fin) finReceived(connection);
}

export function clearReassembly(connection: Connection): void {
  let run = connection.reassemblyHead;
  while (run !== null) {
    const next = run.link;
    release(run);
    run = next;
  }
  connection.reassemblyHead = null;
  connection.reassemblyCount = 0;
  connection.runs = 0;
}
