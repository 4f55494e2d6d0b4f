/** Resets (RFC 9293 sections 3.5.2 and 3.10.7.1) and challenge acknowledgments (RFC 5961). */
import {
  COUNTER_DROP_TCP_NO_LISTENER,
  COUNTER_TCP_CHALLENGE_ACKS,
  COUNTER_TCP_RESETS_SENT,
} from "../../layout";
import { count } from "../../counters";
import { findNeighbour, neighbourSend } from "../../link/neighbour";
import { release } from "../../memory/frame";
import { route, routeInterface, routeNextHop } from "../../network/route";
import { nowUs } from "../../time/clock";
import { Tcp } from "../../wire/tcp";
import { Connection } from "./connection";
import { controlOptions, makeControl, markService, sealControl } from "./control";
import { acknowledgeNow } from "./delayed-ack";
import { writeSegmentOptions } from "./segment-options";
import {
  segmentAcknowledgment,
  segmentFlags,
  segmentLength,
  segmentLocal,
  segmentNic,
  segmentPorts,
  segmentRemote,
  segmentSequence,
} from "./segment";

/** One challenge a connection in this time, so that two confused stacks cannot feed each other. */
const CHALLENGE_INTERVAL_MS: u32 = 500;

/** The segment being processed belongs to no connection, or to none that could take it. */
export function rejectSegment(): void {
  count(COUNTER_DROP_TCP_NO_LISTENER);
  resetSender();
}

/** Answers the segment being processed as CLOSED does: with a reset that its sender must accept. */
export function resetSender(): void {
  if ((segmentFlags & Tcp.RST) != 0 || segmentLocal != segmentNic.address) return;
  if ((segmentFlags & Tcp.ACK) != 0) {
    sendReset(segmentLocal, segmentRemote, segmentPorts, segmentAcknowledgment, 0, Tcp.RST, null);
  } else {
    const acknowledgment = segmentSequence + segmentLength();
    sendReset(
      segmentLocal,
      segmentRemote,
      segmentPorts,
      0,
      acknowledgment,
      Tcp.RST | Tcp.ACK,
      null,
    );
  }
}

/** Resets a connection that this end gives up (RFC 9293 section 3.10.5). */
export function resetPeer(connection: Connection): void {
  sendReset(
    connection.local,
    connection.remote,
    connection.ports,
    connection.bareSequence,
    connection.receiveNext,
    Tcp.RST | Tcp.ACK,
    connection,
  );
}

/** `ports` as a segment from the peer holds them; a connection adds what it puts on every segment. */
function sendReset(
  local: u32,
  remote: u32,
  ports: u32,
  sequence: u32,
  acknowledgment: u32,
  flags: u32,
  connection: Connection | null,
): void {
  if (!route(remote)) return;
  const nic = routeInterface;
  const neighbour = findNeighbour(nic, routeNextHop);
  const turned = rotl<u32>(ports, 16);
  // Section 3.2 of RFC 7323 asks for timestamps in resets too.
  const options: u32 = connection === null ? 0 : connection.optionBytes;
  const packet = makeControl(local, remote, turned, sequence, acknowledgment, flags, 0, options);
  if (packet === null) return;
  if (neighbour === null) {
    release(packet);
    return;
  }
  if (connection !== null && options != 0) {
    writeSegmentOptions(connection, controlOptions(packet), options);
  }
  sealControl(packet);
  if (connection !== null) markService(packet, connection.typeOfService, connection.timeToLive);
  count(COUNTER_TCP_RESETS_SENT);
  neighbourSend(nic, neighbour, packet, 0);
}

/**
 * Tells the peer where this end stands, in answer to a segment that may be forged or stale. Limited
 * for each connection by itself, so that nothing leaks between them (RFC 5961 section 7,
 * CVE-2016-5696).
 */
export function challenge(connection: Connection): void {
  const nowMs = <u32>(nowUs / 1000);
  const since = nowMs - connection.challengeMs;
  if (connection.challengeMs != 0 && since < CHALLENGE_INTERVAL_MS) return;
  // 0 stands for never.
  connection.challengeMs = nowMs != 0 ? nowMs : u32.MAX_VALUE;
  count(COUNTER_TCP_CHALLENGE_ACKS);
  acknowledgeNow(connection);
}
