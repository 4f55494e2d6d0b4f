/** Ethernet reception: whose frame it is and which protocol it carries. */
import {
  COUNTER_DROP_ETHERTYPE,
  COUNTER_DROP_OTHER_MAC,
  COUNTER_DROP_SOURCE_ADDRESS,
  COUNTER_DROP_TRUNCATED,
} from "../layout";
import { count } from "../counters";
import { skipHeader } from "../memory/chain";
import { Frame, release } from "../memory/frame";
import { ipv4Receive } from "../network/ipv4";
import { Ethernet } from "../wire/ethernet";
import { arpReceive } from "./arp";
import { Interface } from "./interface";

/** Frame flag of a received packet: it came to every station, not to our MAC alone. */
export const FRAME_BROADCAST: u16 = 4;

/**
 * Takes a packet from a device. No multicast group is joined and no VLAN configured, so frames to
 * groups and tagged frames (IEEE 802.1Q) are dropped.
 */
export function ethernetReceive(nic: Interface, packet: Frame): void {
  if (<u32>packet.length < Ethernet.HEADER_LENGTH) {
    drop(packet, COUNTER_DROP_TRUNCATED);
    return;
  }
  const at = packet.data;
  if (!Ethernet.isSame(at, nic.mac)) {
    if (!Ethernet.isBroadcast(at)) {
      drop(packet, COUNTER_DROP_OTHER_MAC);
      return;
    }
    packet.flags |= FRAME_BROADCAST;
  }
  if (Ethernet.isGroup(at + Ethernet.SOURCE)) {
    drop(packet, COUNTER_DROP_SOURCE_ADDRESS);
    return;
  }
  const type = Ethernet.type(at);
  if (type == Ethernet.TYPE_IPV4) {
    skipHeader(packet, Ethernet.HEADER_LENGTH);
    ipv4Receive(nic, packet);
  } else if (type == Ethernet.TYPE_ARP) {
    arpReceive(nic, packet);
  } else {
    drop(packet, COUNTER_DROP_ETHERTYPE);
  }
}

function drop(packet: Frame, counter: u32): void {
  count(counter);
  release(packet);
}
