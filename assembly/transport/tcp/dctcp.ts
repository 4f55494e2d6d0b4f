/**
 * DCTCP (RFC 8257): the window goes down by the share of bytes that met congestion, so that queues of a
 * data centre stay as short as their marking threshold. Losses are answered as NewReno does.
 */
import { Tcp } from "../../wire/tcp";
import { Connection } from "./connection";
import { segmentFlags } from "./segment";
import { after } from "./sequence";

/** DCTCP.Alpha is held in 2^-15. */
const ONE: u32 = 1 << 15;
/** g of section 4.2: 1/16. */
const GAIN_SHIFT: u32 = 4;

/** What is remembered: it lies where CUBIC has its numbers, as only one of them runs. */
@unmanaged
class Observation {
  /** DCTCP.Alpha. */
  alpha: u32;
  /** DCTCP.WindowEnd, DCTCP.BytesAcked and DCTCP.BytesMarked. */
  windowEnd: u32;
  acked: u32;
  marked: u32;
}

function observationOf(connection: Connection): Observation {
  const at = changetype<usize>(connection) + offsetof<Connection>("cubicOrigin");
  return changetype<Observation>(at);
}

if (offsetof<Connection>("cubicPrior") - offsetof<Connection>("cubicOrigin") != 12)
  ERROR("DCTCP's numbers have lost their place in connection.ts");

/** The connection is established, or goes over to DCTCP: nothing is known (section 3.3). */
export function dctcpStart(connection: Connection): void {
  const observation = observationOf(connection);
  observation.alpha = ONE;
  observation.windowEnd = connection.sendUna;
  observation.acked = 0;
  observation.marked = 0;
}

/** Steps 1 to 8 of section 3.3: `bytes` were acknowledged, with or without an echo. */
export function dctcpAcknowledged(connection: Connection, bytes: u32): void {
  const observation = observationOf(connection);
  observation.acked += bytes;
  if ((segmentFlags & Tcp.ECE) != 0) observation.marked += bytes;
  if (!after(connection.sendUna, observation.windowEnd)) return;
  const alpha = observation.alpha;
  const share = <u32>((<u64>observation.marked * <u64>ONE) / <u64>observation.acked);
  // What the gain rounds away would keep α from ever reaching 0.
  const decay = max(alpha >> GAIN_SHIFT, min<u32>(alpha, 1));
  observation.alpha = min(ONE, alpha - decay + (share >> GAIN_SHIFT));
  observation.windowEnd = connection.sendMax;
  observation.acked = 0;
  observation.marked = 0;
}

/** ssthresh after an echo: step 9, cwnd × (1 − α/2). */
export function dctcpThreshold(connection: Connection, window: u32): u32 {
  const cut = <u32>((<u64>window * <u64>observationOf(connection).alpha) / (2 * <u64>ONE));
  return max(window - cut, 2 * <u32>connection.mss);
}
