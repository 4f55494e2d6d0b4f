/**
 * Neighbours: which MAC a next hop has (RFC 826, RFC 1122 section 2.3.2). A bounded table, hashed
 * by address and interface under a secret, so that nobody can aim at one bucket.
 *
 * A neighbour is incomplete while its address is being asked for, reachable once it has answered,
 * polled by unicast requests when its time is up and it is still in use, or static by configuration.
 */
import {
  CONTROL_OPEN,
  COUNTER_DROP_NEIGHBOUR_UNRESOLVED,
  ERRNO_EHOSTUNREACH,
  NEIGHBOUR_SIZE,
  OPEN_ARP_RETRIES,
  OPEN_ARP_TIMEOUT_US,
  OPEN_ARP_TTL_US,
} from "../layout";
import { count } from "../counters";
import { addHeader } from "../memory/chain";
import { Frame, release } from "../memory/frame";
import { bucketCount } from "../memory/plan";
import { carve } from "../memory/region";
import { MAPPED_PREFIX } from "../network/address";
import { tellDeparture } from "../network/departure";
import { tellUnreachable } from "../network/unreachable";
import { KEY_NETWORK, secretKey } from "../random";
import { tickAfter } from "../time/clock";
import { TIMER_NEIGHBOUR } from "../time/expire";
import { armTimer, forgetTimer, Timer } from "../time/wheel";
import { Ethernet } from "../wire/ethernet";
import { arpRequest } from "./arp";
import { transmit } from "./device";
import { Interface } from "./interface";
import { takeWaitingPacket, waitForMac } from "./neighbour-queue";

const FREE: u8 = 0;
const INCOMPLETE: u8 = 1;
const REACHABLE: u8 = 2;
const POLLED: u8 = 3;
const STATIC: u8 = 4;

@unmanaged
export class Neighbour extends Timer {
  /** Next of the same hash bucket, or of the free list. */
  bucketNext: Neighbour | null;
  /** Youngest packet that waits for the MAC; its link is the oldest one. */
  waitTail: Frame | null;
  nic: Interface;
  /** Sent to since the last confirmation or the last look of the evicting hand. */
  used: u8;
  waiting: u8;
  reserved: u16;
  /** IPv4-mapped next hop, network byte order. */
  addressHigh: u64;
  addressMapped: u32;
  address: u32;
  /** The Ethernet header of a packet to this neighbour. */
  destinationHigh: u32;
  destinationLow: u16;
  sourceHigh: u16;
  sourceLow: u32;
  etherType: u16;
  state: u8;
  /** Requests sent since the last confirmation. */
  requests: u8;

  /** Says whether the prepared header is good to send with. */
  @inline get isResolved(): bool {
    return this.state >= REACHABLE;
  }
  @inline get isStatic(): bool {
    return this.state == STATIC;
  }
  @inline get header(): usize {
    return changetype<usize>(this) + offsetof<Neighbour>("destinationHigh");
  }
}

if (offsetof<Neighbour>() != NEIGHBOUR_SIZE) ERROR("Neighbour drifted from layout.ts");

/** Unicast polls without an answer before a neighbour in use is forgotten (section 2.3.2.1). */
const POLLS_MAX: u8 = 2;
/** At most one request a second for one address (section 2.3.2.1). */
const INTERVAL_MIN_US: u32 = 1_000_000;

let neighbours: usize = 0;
let neighbourCount: u32 = 0;
let buckets: usize = 0;
let mask: u32 = 0;
let multiplier: u64 = 0;
let freeHead: Neighbour | null = null;
/** Where the search for a record to evict goes on. */
let hand: u32 = 0;
let lifetimeUs: u32 = 0;
let retriesMax: u32 = 0;
let intervalMaxUs: u32 = 0;

/** Makes room for `limit` neighbours; the times come from the control page. */
export function openNeighbours(limit: u32): void {
  neighbourCount = limit;
  neighbours = carve(limit * NEIGHBOUR_SIZE, 64);
  const capacity = bucketCount(limit);
  buckets = carve(capacity * 4, 64);
  mask = capacity - 1;
  multiplier = secretKey(KEY_NETWORK) | 1;
  freeHead = null;
  hand = 0;
  for (let index = <i32>limit - 1; index >= 0; index--) {
    const neighbour = neighbourAt(index);
    neighbour.bucketNext = freeHead;
    freeHead = neighbour;
  }
  lifetimeUs = load<u32>(CONTROL_OPEN + OPEN_ARP_TTL_US);
  retriesMax = min(load<u32>(CONTROL_OPEN + OPEN_ARP_RETRIES), 100);
  intervalMaxUs = max(load<u32>(CONTROL_OPEN + OPEN_ARP_TIMEOUT_US), INTERVAL_MIN_US);
}

function neighbourAt(index: u32): Neighbour {
  return changetype<Neighbour>(neighbours + <usize>index * NEIGHBOUR_SIZE);
}

/** Address of the bucket's first pointer. */
function bucketOf(nic: Interface, address: u32): usize {
  const hash = (<u64>(address ^ (nic.index << 24)) * multiplier) >> 32;
  return buckets + <usize>(((<u32>hash) & mask) << 2);
}

/** The neighbour with this address, or null when it is not known. */
export function lookUpNeighbour(nic: Interface, address: u32): Neighbour | null {
  let neighbour = changetype<Neighbour | null>(load<usize>(bucketOf(nic, address)));
  while (neighbour !== null) {
    if (neighbour.address == address && neighbour.nic == nic) return neighbour;
    neighbour = neighbour.bucketNext;
  }
  return null;
}

/**
 * Finds or makes the record of a next hop. A full table gives up a record that has not been sent to
 * lately; null when all are static. A record stays valid memory for ever: whoever keeps it compares
 * `address`, which a forgotten neighbour has lost, before each use.
 */
export function findNeighbour(nic: Interface, nextHop: u32): Neighbour | null {
  const known = lookUpNeighbour(nic, nextHop);
  if (known !== null) return known;
  const neighbour = takeRecord();
  if (neighbour === null) return null;
  const bucket = bucketOf(nic, nextHop);
  neighbour.kind = TIMER_NEIGHBOUR;
  neighbour.state = INCOMPLETE;
  neighbour.requests = 0;
  neighbour.used = 0;
  neighbour.nic = nic;
  neighbour.addressHigh = 0;
  neighbour.addressMapped = MAPPED_PREFIX;
  neighbour.address = nextHop;
  neighbour.bucketNext = changetype<Neighbour | null>(load<usize>(bucket));
  store<usize>(bucket, changetype<usize>(neighbour));
  return neighbour;
}

function takeRecord(): Neighbour | null {
  if (freeHead === null) evict();
  const neighbour = freeHead;
  if (neighbour === null) return null;
  freeHead = neighbour.bucketNext;
  return neighbour;
}

/** Second chance: the hand passes over records sent to since it last came by. */
function evict(): void {
  for (let looks = neighbourCount << 1; looks > 0; looks--) {
    const neighbour = neighbourAt(hand);
    hand = hand + 1 < neighbourCount ? hand + 1 : 0;
    if (neighbour.isStatic) continue;
    if (neighbour.used != 0) {
      neighbour.used = 0;
      continue;
    }
    forgetNeighbour(neighbour);
    return;
  }
}

/** Takes a record out of the table; packets that wait for it are released and counted. */
function forgetNeighbour(neighbour: Neighbour): void {
  forgetTimer(neighbour);
  let packet = takeWaitingPacket(neighbour);
  while (packet !== null) {
    count(COUNTER_DROP_NEIGHBOUR_UNRESOLVED);
    release(packet);
    packet = takeWaitingPacket(neighbour);
  }
  let link = bucketOf(neighbour.nic, neighbour.address);
  while (load<usize>(link) != changetype<usize>(neighbour)) {
    link = load<usize>(link) + offsetof<Neighbour>("bucketNext");
  }
  store<usize>(link, changetype<usize>(neighbour.bucketNext));
  neighbour.state = FREE;
  neighbour.address = 0;
  neighbour.bucketNext = freeHead;
  freeHead = neighbour;
}

/** Writes the 14 bytes of the Ethernet header of a packet to a resolved neighbour. */
export function writeEthernet(neighbour: Neighbour, at: usize): void {
  neighbour.used = 1;
  Ethernet.copyHeader(at, neighbour.header);
}

/**
 * Sends an IP packet, whose ownership it takes; its first frame has 14 bytes of headroom. `options`
 * are the first descriptor's; the caller has placed any metadata before the Ethernet header's place.
 * While the MAC is not known the packet waits, and its `link` and `mark` are used.
 */
export function neighbourSend(
  nic: Interface,
  neighbour: Neighbour,
  packet: Frame,
  options: u32,
): void {
  if (neighbour.isResolved) {
    addHeader(packet, Ethernet.HEADER_LENGTH);
    writeEthernet(neighbour, packet.data);
    transmit(nic, packet, options);
    return;
  }
  packet.mark = options;
  waitForMac(neighbour, packet);
  neighbourResolve(neighbour);
}

/** Starts to ask for a neighbour's MAC unless that is under way or done. */
export function neighbourResolve(neighbour: Neighbour): void {
  neighbour.used = 1;
  if (neighbour.state == INCOMPLETE && neighbour.requests == 0) requestAgain(neighbour);
}

/** Asks once more and waits: 1 s first, doubling up to the configured time. */
function requestAgain(neighbour: Neighbour): void {
  const polled = neighbour.state == POLLED;
  arpRequest(neighbour.nic, neighbour.address, polled ? neighbour.header : 0);
  const doublings = min<u32>(neighbour.requests, 11);
  neighbour.requests++;
  armTimer(neighbour, tickAfter(min(INTERVAL_MIN_US << doublings, intervalMaxUs)));
}

/** A neighbour's time is up: its lifetime, or the wait for an answer. */
export function neighbourTimer(record: usize): void {
  const neighbour = changetype<Neighbour>(record);
  if (neighbour.state == INCOMPLETE) {
    if (<u32>neighbour.requests > retriesMax) neighbourFailed(neighbour);
    else requestAgain(neighbour);
    return;
  }
  if (neighbour.state == REACHABLE && neighbour.used != 0) {
    neighbour.state = POLLED;
    neighbour.requests = 0;
  }
  if (neighbour.state == POLLED && neighbour.requests < POLLS_MAX) requestAgain(neighbour);
  else forgetNeighbour(neighbour);
}

/** Nobody answers for the address: gives up what waits for it, and tells those who sent it. */
function neighbourFailed(neighbour: Neighbour): void {
  let packet = takeWaitingPacket(neighbour);
  while (packet !== null) {
    count(COUNTER_DROP_NEIGHBOUR_UNRESOLVED);
    tellUnreachable(packet.data, ERRNO_EHOSTUNREACH);
    release(packet);
    packet = takeWaitingPacket(neighbour);
  }
  forgetNeighbour(neighbour);
}

/** The neighbour has told its MAC: takes it, unless it is static, and sends what has waited. */
export function neighbourConfirm(neighbour: Neighbour, mac: usize): void {
  if (neighbour.isStatic) return;
  neighbour.state = REACHABLE;
  neighbour.requests = 0;
  neighbour.used = 0;
  prepareHeader(neighbour, mac);
  armTimer(neighbour, tickAfter(lifetimeUs));
  sendWaiting(neighbour);
}

/** Fixes a neighbour's MAC (6 bytes at `mac`); false when the table is full of such ones. */
export function neighbourSet(nic: Interface, address: u32, mac: usize): bool {
  const neighbour = findNeighbour(nic, address);
  if (neighbour === null) return false;
  forgetTimer(neighbour);
  neighbour.state = STATIC;
  prepareHeader(neighbour, mac);
  sendWaiting(neighbour);
  return true;
}

function prepareHeader(neighbour: Neighbour, mac: usize): void {
  const header = neighbour.header;
  Ethernet.copyMac(header, mac);
  Ethernet.copyMac(header + Ethernet.SOURCE, neighbour.nic.mac);
  Ethernet.setType(header, Ethernet.TYPE_IPV4);
}

function sendWaiting(neighbour: Neighbour): void {
  let packet = takeWaitingPacket(neighbour);
  while (packet !== null) {
    tellDeparture(packet.data);
    neighbourSend(neighbour.nic, neighbour, packet, packet.mark);
    packet = takeWaitingPacket(neighbour);
  }
}
