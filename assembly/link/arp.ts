/**
 * The Address Resolution Protocol (RFC 826) with RFC 5227's conflict rules. Only a request for our
 * own address makes a new neighbour; anything else may refresh one that is known, so a flood of
 * gratuitous ARP fills no table.
 */
import {
  COUNTER_ARP_REPLIES_SENT,
  COUNTER_ARP_REQUESTS_SENT,
  COUNTER_DROP_ARP,
  COUNTER_DROP_TRUNCATED,
  TX_HEADROOM,
} from "../layout";
import { count } from "../counters";
import { trimBack } from "../memory/chain";
import { Frame, release, takeFrame } from "../memory/frame";
import { nowUs } from "../time/clock";
import { Arp } from "../wire/arp";
import { Ethernet } from "../wire/ethernet";
import { Ipv4 } from "../wire/ipv4";
import { transmit } from "./device";
import { Interface } from "./interface";
import { findNeighbour, lookUpNeighbour, neighbourConfirm } from "./neighbour";

const PACKET_LENGTH: u32 = Ethernet.HEADER_LENGTH + Arp.LENGTH;
/** An address is defended at most once in this time (RFC 5227 section 2.4, DEFEND_INTERVAL). */
const DEFEND_INTERVAL_US: u64 = 10_000_000;

let defendableUs: u64 = 0;

export function openArp(): void {
  defendableUs = 0;
}

/** Takes an ARP packet, its Ethernet header included. */
export function arpReceive(nic: Interface, packet: Frame): void {
  if (<u32>packet.length < PACKET_LENGTH) {
    count(COUNTER_DROP_TRUNCATED);
    release(packet);
    return;
  }
  const at = packet.data + Ethernet.HEADER_LENGTH;
  if (!isSound(nic, at) || isConflict(nic, at)) {
    count(COUNTER_DROP_ARP);
    release(packet);
    return;
  }
  const forUs = Arp.targetProtocol(at) == nic.address;
  const isRequest = Arp.operation(at) == Arp.OPERATION_REQUEST;
  const sender = Arp.senderProtocol(at);
  if (sender != 0) learn(nic, sender, Arp.senderHardware(at), forUs && isRequest);
  if (forUs && isRequest) reply(nic, packet, at);
  else release(packet);
}

/**
 * Says whether the packet is ARP for IPv4 over Ethernet from a sender that can exist: a host of this
 * link, or nobody yet (an RFC 5227 probe).
 */
function isSound(nic: Interface, at: usize): bool {
  if (!Arp.isEthernetIpv4(at) || nic.address == 0) return false;
  const operation = Arp.operation(at);
  if (operation != Arp.OPERATION_REQUEST && operation != Arp.OPERATION_REPLY) return false;
  const hardware = Arp.senderHardware(at);
  if (Ethernet.isGroup(hardware) || Ethernet.isZero(hardware)) return false;
  const sender = Arp.senderProtocol(at);
  if (sender == 0) return true;
  return Ipv4.isUnicast(sender) && sender != nic.broadcast && nic.isOnLink(sender);
}

/** Says whether another host claims our address; answers such a claim, though rarely. */
function isConflict(nic: Interface, at: usize): bool {
  if (Arp.senderProtocol(at) != nic.address) return false;
  if (!Ethernet.isSame(Arp.senderHardware(at), nic.mac) && nowUs >= defendableUs) {
    defendableUs = nowUs + DEFEND_INTERVAL_US;
    arpAnnounce(nic);
  }
  return true;
}

function learn(nic: Interface, sender: u32, hardware: usize, mayCreate: bool): void {
  const neighbour = mayCreate ? findNeighbour(nic, sender) : lookUpNeighbour(nic, sender);
  if (neighbour !== null) neighbourConfirm(neighbour, hardware);
}

/** Turns a request into its reply in the same frame. */
function reply(nic: Interface, packet: Frame, at: usize): void {
  trimBack(packet, PACKET_LENGTH);
  Ethernet.copyMac(Arp.targetHardware(at), Arp.senderHardware(at));
  Arp.setTargetProtocol(at, Arp.senderProtocol(at));
  Arp.setFormat(at, Arp.OPERATION_REPLY);
  Ethernet.copyMac(Arp.senderHardware(at), nic.mac);
  Arp.setSenderProtocol(at, nic.address);
  Ethernet.copyMac(packet.data, Arp.targetHardware(at));
  Ethernet.copyMac(packet.data + Ethernet.SOURCE, nic.mac);
  count(COUNTER_ARP_REPLIES_SENT);
  transmit(nic, packet, 0);
}

/** Asks for the MAC of `address`: of the host whose MAC is at `mac`, or of everybody when it is 0. */
export function arpRequest(nic: Interface, address: u32, mac: usize): void {
  const packet = takeFrame(TX_HEADROOM);
  if (packet === null) return;
  packet.length = <u16>PACKET_LENGTH;
  packet.total = PACKET_LENGTH;
  const header = packet.data;
  if (mac != 0) Ethernet.copyMac(header, mac);
  else Ethernet.setBroadcast(header);
  Ethernet.copyMac(header + Ethernet.SOURCE, nic.mac);
  Ethernet.setType(header, Ethernet.TYPE_ARP);
  const at = header + Ethernet.HEADER_LENGTH;
  Arp.setFormat(at, Arp.OPERATION_REQUEST);
  Ethernet.copyMac(Arp.senderHardware(at), nic.mac);
  Arp.setSenderProtocol(at, nic.address);
  memory.fill(Arp.targetHardware(at), 0, Ethernet.MAC_LENGTH);
  Arp.setTargetProtocol(at, address);
  count(COUNTER_ARP_REQUESTS_SENT);
  transmit(nic, packet, 0);
}

/** Tells the link that our address is ours (RFC 5227 section 2.3): a request for itself. */
export function arpAnnounce(nic: Interface): void {
  arpRequest(nic, nic.address, 0);
}
