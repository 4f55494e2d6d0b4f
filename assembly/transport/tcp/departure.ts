/** Segments that have waited for the next hop's MAC: their round trips begin when they leave. */
import { nowUs } from "../../time/clock";
import { Connection, RTT_TIMING } from "./connection";
import { stampSent } from "./send-frame";
import { after } from "./sequence";
import { findConnection } from "./table";

/** A segment of ours with `bytes` of payload leaves. */
export function tcpDeparted(
  local: u32,
  remote: u32,
  sentPorts: u32,
  sequence: u32,
  bytes: u32,
): void {
  const connection = findConnection(local, remote, rotl<u32>(sentPorts, 16));
  if (connection === null) return;
  // A SYN and a FIN are timed like bytes.
  const timed = connection.rttSequence - sequence;
  if (connection.has(RTT_TIMING) && timed != 0 && timed <= bytes + 1) {
    connection.rttStart = <u32>nowUs;
  }
  if (bytes != 0 && isQueued(connection, sequence, bytes)) restamp(connection, sequence, bytes);
}

function isQueued(connection: Connection, sequence: u32, bytes: u32): bool {
  const una = connection.sendUna;
  return sequence - una < connection.sendMax - una && !after(sequence + bytes, connection.sendEnd);
}

function restamp(connection: Connection, sequence: u32, bytes: u32): void {
  let frame = connection.sendHead;
  while (frame !== null && !after(frame.sequence + frame.length, sequence)) frame = frame.next;
  if (frame !== null) stampSent(frame, sequence - frame.sequence, bytes, <u32>nowUs);
}
