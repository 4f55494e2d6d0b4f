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

/** The connection is established, or goes over to DCTCP: nothing is known (section 3.3). */
export function dctcpStart(connection: Connection): void {
  connection.dctcpAlpha = ONE;
  connection.dctcpAcked = 0;
  connection.dctcpMarked = 0;
  connection.dctcpWindowEnd = connection.sendUna;
}

/** Steps 1 to 8 of section 3.3: `bytes` were acknowledged, with or without an echo. */
export function dctcpAcknowledged(connection: Connection, bytes: u32): void {
  const acked = connection.dctcpAcked + bytes;
  const marked = connection.dctcpMarked + ((segmentFlags & Tcp.ECE) != 0 ? bytes : 0);
  if (!after(connection.sendUna, connection.dctcpWindowEnd)) {
    connection.dctcpAcked = acked;
    connection.dctcpMarked = marked;
    return;
  }
  const alpha = connection.dctcpAlpha;
  const share = <u32>((<u64>marked * <u64>ONE) / <u64>acked);
  // What the gain rounds away would keep α from ever reaching 0.
  const decay = max(alpha >> GAIN_SHIFT, min<u32>(alpha, 1));
  connection.dctcpAlpha = min(ONE, alpha - decay + (share >> GAIN_SHIFT));
  connection.dctcpWindowEnd = connection.sendMax;
  connection.dctcpAcked = 0;
  connection.dctcpMarked = 0;
}

/** ssthresh after an echo: step 9, cwnd × (1 − α/2). */
export function dctcpThreshold(connection: Connection, window: u32): u32 {
  const cut = <u32>((<u64>window * <u64>connection.dctcpAlpha) / (2 * <u64>ONE));
  return max(window - cut, 2 * <u32>connection.mss);
}
