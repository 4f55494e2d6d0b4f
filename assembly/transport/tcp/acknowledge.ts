/** What a segment's acknowledgment and window do (RFC 9293 section 3.10.7.4, fifth check). */
import { Frame, releaseFrame } from "../../memory/frame";
import { nowTick, nowUs } from "../../time/clock";
import { disarmTimer } from "../../time/wheel";
import { Tcp } from "../../wire/tcp";
import {
  Connection,
  ECN,
  FIN_QUEUED,
  FRTO_WAITING,
  ORPHAN,
  PERSIST,
  RECOVERY,
  RTT_TIMING,
  UNDO_CURVE,
} from "./connection";
import {
  acknowledgedNew,
  duplicateAcknowledgment,
  enterRecovery,
  reduceOnce,
  sackedAcknowledgment,
} from "./congestion";
import { growWindow } from "./controller";
import { duplicateEcho } from "./ecn-reduction";
import { sampleDeliveryRate } from "./delivery-rate";
import { frtoAcknowledged } from "./frto";
import { rest } from "./keep-alive";
import { isHeadLost, judge } from "./loss";
import { pathProved } from "./path-mtu";
import { acceptWaitingPushes } from "./push";
import { makeReady } from "./ready";
import { noteRoundTrip } from "./reordering";
import { sampleRtt } from "./rtt";
import { mayHaveBlocks, sawDuplicate, takeSackBlocks } from "./sack-blocks";
import { inSackRecovery, reduceRate, usesSack } from "./sack-recovery";
import { forgetMarks, trimMarks } from "./scoreboard";
import { forgetCuts } from "./send-frame";
import {
  segmentAcknowledgment,
  segmentBytes,
  segmentFlags,
  segmentLength,
  segmentSequence,
  segmentWindow,
} from "./segment";
import { after, before } from "./sequence";
import {
  armLossTimer,
  awaitReordering,
  cancelProbe,
  FIN_APART,
  PROBE_ARMED,
  probeAnswered,
} from "./tail-probe";
import { sampleEcho } from "./timestamp";
import { judgeEcho } from "./undo";

/** Set by `measure`: the segment that was timed shows that the path carries full ones. */
let isPathProved: bool = false;

/** What makes an acknowledgment more than the next step, in the word that begins with `agreed`. */
const UNCALM: u32 = (<u32>ECN) | (0xff << 8) | ((0xff & ~(<u32>UNDO_CURVE)) << 16) | (0xff << 24);

/** Nothing that went before has a say in what the next acknowledgment means, and it has no blocks. */
function isCalm(connection: Connection): bool {
  const word = load<u32>(changetype<usize>(connection), offsetof<Connection>("agreed"));
  return (
    ((word & UNCALM) | connection.sackedBytes) == 0 &&
    (connection.flags & (RECOVERY | PERSIST)) == 0 &&
    (connection.tailState & ~(FIN_APART | PROBE_ARMED)) == 0 &&
    connection.cuts == 0 &&
    connection.sendNext == connection.sendMax &&
    !mayHaveBlocks(connection)
  );
}

/** The same as `acknowledge`, of the next segment in order: what it mostly comes to is little. */
export function acknowledgePredicted(connection: Connection): void {
  const acknowledged = segmentAcknowledgment - connection.sendUna;
  // What moves nothing and brings nothing may be a duplicate.
  if (!isCalm(connection) || (acknowledged == 0 && segmentBytes == 0)) {
    acknowledge(connection);
    return;
  }
  connection.heardTick = nowTick;
  if (acknowledged != 0) advanceCalmly(connection, acknowledged);
  takeWindow(connection);
}

/**
 * Processes the acknowledgment of a segment whose SEG.ACK lies in SND.UNA..SND.MAX, and its window.
 */
export function acknowledge(connection: Connection): void {
  connection.heardTick = nowTick;
  const acknowledged = segmentAcknowledgment - connection.sendUna;
  const sacked = connection.sackedBytes;
  if (acknowledged != 0) {
    advance(connection, acknowledged);
    takeWindow(connection);
    if (usesSack(connection)) takeSack(connection, acknowledged, sacked);
    if (connection.undoState >= FRTO_WAITING) frtoAcknowledged(connection, acknowledged, 0, false);
    return;
  }
  const window = segmentWindow << connection.sendScale;
  // RFC 5681 section 2: outstanding data, no payload, no FIN, the same window. The answers to window
  // probes look the same and are no sign of loss.
  const duplicate =
    segmentLength() == 0 &&
    window == connection.sendWindow &&
    connection.sendMax != connection.sendUna &&
    !connection.has(PERSIST);
  takeWindow(connection);
  if ((segmentFlags & Tcp.ECE) != 0) duplicateEcho(connection);
  const fresh = takeDuplicate(connection, duplicate, sacked);
  if (connection.undoState >= FRTO_WAITING) frtoAcknowledged(connection, 0, fresh, duplicate);
}

/** SND.UNA has not moved: what a duplicate, or its blocks, mean. The bytes that they newly tell of. */
function takeDuplicate(connection: Connection, duplicate: bool, sacked: u32): u32 {
  if (!usesSack(connection)) {
    if (duplicate) duplicateAcknowledgment(connection);
    return 0;
  }
  if (sacked == 0 && !mayHaveBlocks(connection)) return 0;
  const fresh = takeSackBlocks(connection);
  judge(connection);
  if (connection.sackedBytes != 0) cancelProbe(connection);
  // RFC 6675 section 2: new blocks make a duplicate of it, whatever else it carries, and nothing else.
  if (fresh == 0) return 0;
  sackedAcknowledgment(connection, connection.sackedBytes - sacked);
  awaitReordering(connection);
  return fresh;
}

/**
 * An acknowledgment that a later one has overtaken: its number and its window are stale, its blocks
 * may still tell of something new.
 */
export function acknowledgeOld(connection: Connection): void {
  if (!usesSack(connection) || !mayHaveBlocks(connection)) return;
  const sacked = connection.sackedBytes;
  if (takeSackBlocks(connection) == 0) return;
  judge(connection);
  cancelProbe(connection);
  sackedAcknowledgment(connection, connection.sackedBytes - sacked);
  awaitReordering(connection);
}

/** SND.UNA has moved: blocks beyond it, and what they mean for a recovery under way. */
function takeSack(connection: Connection, acknowledged: u32, sacked: u32): void {
  if (sacked == 0 && (connection.tailState & ~FIN_APART) == 0 && !mayHaveBlocks(connection)) return;
  forgetCuts(connection, acknowledged);
  takeSackBlocks(connection);
  judge(connection);
  if (connection.sackedBytes != 0) cancelProbe(connection);
  if (probeAnswered(connection, sawDuplicate)) reduceOnce(connection);
  const delivered = acknowledged + (connection.sackedBytes - sacked);
  if (inSackRecovery(connection)) reduceRate(connection, delivered, true);
  else if (!connection.has(RECOVERY) && isHeadLost(connection))
    enterRecovery(connection, delivered);
  if (connection.sackedBytes != 0) awaitReordering(connection);
}

/** SND.UNA moves forward by `acknowledged`. */
function advance(connection: Connection, acknowledged: u32): void {
  const unaBefore = connection.sendUna;
  const elapsedUs = measure(connection, acknowledged);
  if (elapsedUs == 0 && connection.sampleLost != 0 && connection.optionBytes != 0) {
    sampleEcho(connection);
  }
  // Karn's algorithm (RFC 6298 section 5): what was doubled stays so until a round trip is measured.
  if (connection.sampleLost == 0) connection.backoff = 0;
  moveUna(connection);
  if (connection.undoState != 0) judgeEcho(connection);
  const flightBefore = connection.sendNext - unaBefore;
  // After a timeout SND.NXT went back; what is acknowledged needs no sending again.
  if (before(connection.sendNext, connection.sendUna)) connection.sendNext = connection.sendUna;
  if (isPathProved) pathProved(connection);
  const first = acknowledgedNew(connection, acknowledged, flightBefore);
  settle(connection, elapsedUs, first);
}

/** The same where nothing is unusual. */
function advanceCalmly(connection: Connection, acknowledged: u32): void {
  const flightBefore = connection.flight;
  const elapsedUs = measure(connection, acknowledged);
  connection.backoff = 0;
  moveUna(connection);
  if (isPathProved) pathProved(connection);
  growWindow(connection, acknowledged, flightBefore);
  settle(connection, elapsedUs, true);
}

/** The round trip that ends with this acknowledgment in µs, which the estimates have taken; 0: none does. */
function measure(connection: Connection, acknowledged: u32): u32 {
  isPathProved = false;
  if (!connection.has(RTT_TIMING) || before(segmentAcknowledgment, connection.rttSequence))
    return 0;
  connection.clear(RTT_TIMING);
  const elapsedUs = max<u32>(1, <u32>nowUs - connection.rttStart);
  sampleRtt(connection, elapsedUs);
  noteRoundTrip(connection, elapsedUs);
  isPathProved =
    acknowledged >= <u32>connection.mss && connection.provingSequence == connection.rttSequence;
  return elapsedUs;
}

function moveUna(connection: Connection): void {
  if (segmentAcknowledgment < connection.sendUna) connection.sendWraps++;
  connection.sendUna = segmentAcknowledgment;
  connection.retries = 0;
}

/** SND.UNA has moved: frees what is acknowledged, sets the timer, and says whether more may leave. */
function settle(connection: Connection, elapsedUs: u32, restart: bool): void {
  const una = connection.sendUna;
  trimSendQueue(connection, una);
  if (elapsedUs != 0) sampleDeliveryRate(connection, elapsedUs);
  if (connection.sendNext == una) {
    // Probing goes on while something waits; the last byte may have been a probe's.
    if (!after(connection.sendEnd, una)) connection.clear(PERSIST);
    if (!connection.has(PERSIST)) rest(connection);
  } else if (restart) {
    // RFC 6298 section 5.3.
    armLossTimer(connection);
  }
  const queue = connection.queue;
  if (queue !== null && queue.sendHead !== null) acceptWaitingPushes(connection, queue);
  // A FIN that waited behind a probed byte follows it.
  if (connection.sendEnd != connection.sendNext || connection.has(FIN_QUEUED))
    makeReady(connection);
}

/** Releases frames that are wholly acknowledged and trims the one that is partly so. */
export function trimSendQueue(connection: Connection, una: u32): void {
  let frame = connection.sendHead;
  if (frame === null) return;
  while (frame !== null) {
    const end = frame.sequence + frame.length;
    if (after(end, una)) break;
    const next: Frame | null = frame.next;
    if (connection.sendPoint === frame) connection.sendPoint = next;
    if ((frame.mark | connection.sackedBytes) != 0) forgetMarks(connection, frame);
    releaseFrame(frame);
    connection.sendFrames--;
    frame = next;
  }
  connection.sendHead = frame;
  if (frame === null) {
    connection.sendTail = null;
    return;
  }
  const gone = una - frame.sequence;
  if (<i32>gone > 0) {
    if (frame.mark != 0) trimMarks(connection, frame, gone);
    frame.offset += <u16>gone;
    frame.length -= <u16>gone;
    frame.sequence = una;
  }
}

/** SND.WND from segments not older than the one that set it last (WL1, WL2). */
function takeWindow(connection: Connection): void {
  if (
    before(segmentSequence, connection.sendWl1) ||
    (segmentSequence == connection.sendWl1 && before(segmentAcknowledgment, connection.sendWl2))
  ) {
    return;
  }
  connection.sendWl1 = segmentSequence;
  connection.sendWl2 = segmentAcknowledgment;
  const window = segmentWindow << connection.sendScale;
  const grown = window > connection.sendWindow;
  connection.sendWindow = window;
  if (window > connection.windowMax) connection.windowMax = window;
  // RFC 9293 section 3.8.6.1: a peer that answers with a closed window is alive (MUST-37). It keeps
  // open what the application still has, not what that has closed (RFC 6429 section 4).
  if ((connection.has(PERSIST) || window == 0) && !connection.has(ORPHAN)) connection.retries = 0;
  if (grown && connection.has(PERSIST)) {
    connection.clear(PERSIST);
    connection.backoff = 0;
    disarmTimer(connection.timer);
  }
  if (grown && connection.sendEnd != connection.sendNext) makeReady(connection);
}
