/** Packets that wait for a neighbour's MAC (RFC 1122 section 2.3.2.2): a ring through `link`. */
import { COUNTER_DROP_NEIGHBOUR_UNRESOLVED } from "../layout";
import { count } from "../counters";
import { Frame, framesFree, framesTotal, release } from "../memory/frame";
import { Neighbour } from "./neighbour";

/** Packets that wait for one neighbour: the 45 fragments of the largest datagram, and some more. */
const WAITING_MAX: u8 = 64;

/**
 * Puts a packet behind those that wait; the oldest gives way. The last quarter of the pool is spared,
 * but one packet always waits: a retransmission may be what gives frames back.
 */
export function waitForMac(neighbour: Neighbour, packet: Frame): void {
  if (neighbour.waiting != 0 && framesFree() < framesTotal() >> 2) {
    count(COUNTER_DROP_NEIGHBOUR_UNRESOLVED);
    release(packet);
    return;
  }
  if (neighbour.waiting == WAITING_MAX) {
    count(COUNTER_DROP_NEIGHBOUR_UNRESOLVED);
    release(takeWaitingPacket(neighbour));
  }
  const tail = neighbour.waitTail;
  if (tail === null) {
    packet.link = packet;
  } else {
    packet.link = tail.link;
    tail.link = packet;
  }
  neighbour.waitTail = packet;
  neighbour.waiting++;
}

/** Takes the oldest packet that waits. */
export function takeWaitingPacket(neighbour: Neighbour): Frame | null {
  const tail = neighbour.waitTail;
  if (tail === null) return null;
  const packet = <Frame>tail.link;
  if (packet == tail) neighbour.waitTail = null;
  else tail.link = packet.link;
  packet.link = null;
  neighbour.waiting--;
  return packet;
}
