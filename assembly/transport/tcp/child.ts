/** The record of a connection that a peer opens to a listener: what it has of the two. */
import { COUNTER_DROP_TCP_BACKLOG_FULL } from "../../layout";
import { count } from "../../counters";
import {
  Connection,
  CORKED,
  DELAYING,
  KEEP_ALIVE,
  NAGLE_OFF,
  PACED,
  NO_DELAY,
  RECEIVE_FIXED,
  SEND_FIXED,
  SYN_RECEIVED,
} from "./connection";
import { returnConnection, takeConnection } from "./connection-pool";
import { routeConnection } from "./handshake";
import {
  segmentLocal,
  segmentPorts,
  segmentRemote,
  segmentSequence,
  segmentWindow,
} from "./segment";
import { addConnection } from "./table";

/** What a listener's connections begin with of its choices. */
const INHERITED: u16 = NAGLE_OFF | CORKED | DELAYING | RECEIVE_FIXED | SEND_FIXED | PACED;

/** A record for the sender of the segment being processed; null when none is free or no way leads. */
export function takeChild(listener: Connection): Connection | null {
  const connection = takeConnection();
  if (connection === null) {
    count(COUNTER_DROP_TCP_BACKLOG_FULL);
    return null;
  }
  connection.local = segmentLocal;
  connection.remote = segmentRemote;
  connection.ports = segmentPorts;
  connection.receiveBuffer = listener.receiveBuffer;
  connection.sendBuffer = listener.sendBuffer;
  connection.linger = listener.linger;
  connection.choices = listener.choices & INHERITED;
  connection.typeOfService = listener.typeOfService;
  connection.timeToLive = listener.timeToLive;
  connection.mssMax = listener.mssMax;
  connection.unsentMax = listener.unsentMax;
  connection.controller = listener.controller;
  connection.ecnMode = listener.ecnMode;
  connection.pacingRate = listener.pacingRate;
  connection.flags = listener.flags & (NO_DELAY | KEEP_ALIVE);
  connection.keepAliveIdleMs = listener.keepAliveIdleMs;
  connection.keepAliveIntervalMs = listener.keepAliveIntervalMs;
  connection.keepAliveProbes = listener.keepAliveProbes;
  connection.userTimeoutMs = listener.userTimeoutMs;
  if (routeConnection(connection)) return connection;
  returnConnection(connection);
  return null;
}

/**
 * Enters SYN-RECEIVED: the peer's SYN had the number `initialReceive`, ours has been chosen. What is
 * announced before the SYN-ACK leaves is nothing.
 */
export function enterSynReceived(
  connection: Connection,
  listener: Connection,
  initialReceive: u32,
): void {
  connection.initialReceive = initialReceive;
  connection.receiveNext = initialReceive + 1;
  connection.receiveEdge = connection.receiveNext;
  connection.sendWindow = segmentWindow;
  connection.windowMax = segmentWindow;
  connection.sendWl1 = segmentSequence;
  connection.sendWl2 = connection.initialSend;
  connection.state = SYN_RECEIVED;
  connection.listener = listener;
  listener.halfOpen++;
  addConnection(connection);
}
