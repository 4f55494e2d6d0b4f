/**
 * The module's exports: all that a host calls. The stack is a function of frames in, operations in,
 * time in and one seed; it reads no clock, keeps no randomness of its own and allocates nothing
 * after `open`.
 *
 * A host's turn: `poll`, read completions, start operations, `flush`.
 */
import {
  ADDRESS_IPV4,
  CAPABILITY_SEGMENTATION,
  CAPABILITY_SHARED_RINGS,
  CONTROL,
  CONTROL_ADDRESS,
  CONTROL_COMPLETION_CONSUMER,
  CONTROL_COMPLETION_PRODUCER,
  CONTROL_COUNTERS,
  CONTROL_MAC,
  CONTROL_MAP,
  CONTROL_OPEN,
  CONTROL_SIZE,
  COUNTER_CONNECTIONS_OPEN,
  COUNTER_FRAMES_OUT,
  COUNTER_POOL_EXHAUSTED,
  COUNTER_QUEUES_OPEN,
  COUNTER_TIMERS_ARMED,
  COUNTER_TOKENS_OUT,
  ERRNO_EINVAL,
  ERRNO_ENOBUFS,
  ERRNO_ENODEV,
  FRAME_PAYLOAD,
  MAP_COMPLETION_MASK,
  MAP_COMPLETIONS,
  MAP_CONNECTION_RECORDS,
  MAP_COUNTERS,
  MAP_FRAME_RECORDS,
  MAP_FRAMES,
  MAP_INTERFACES,
  MAP_QUEUE_RECORDS,
  MAP_RING_STRIDE,
  MAP_RINGS,
  OPEN_CONNECTIONS,
  OPEN_DATAGRAM_SOCKETS,
  OPEN_FRAMES,
  OPEN_INTERFACES,
  OPEN_NEIGHBOURS,
  OPEN_QUEUES,
  OPEN_REASSEMBLY_SETS,
  OPEN_RING_ENTRIES,
  OPEN_SEED,
  OPEN_TOKENS,
  PAGE_SIZE,
  REGIONS_BASE,
  RING_COUNT,
} from "./layout";
import { count } from "./counters";
import { arpAnnounce, openArp } from "./link/arp";
import { maintainRings, publishTransmit, receiveBatch, refill } from "./link/device";
import {
  Interface,
  interfaceAt,
  interfaceRecords,
  interfacesTotal,
  openInterfaces,
} from "./link/interface";
import { neighbourSet as setNeighbour, openNeighbours } from "./link/neighbour";
import { allocateChain } from "./memory/chain";
import {
  Frame,
  frameRecords,
  frameRegion,
  framesFree,
  framesTotal,
  isFrame,
  openFrames,
  release as releaseChain,
} from "./memory/frame";
import { ringBytes, ringsBytes } from "./memory/plan";
import { carve, resetRegions } from "./memory/region";
import { openIcmp } from "./network/icmp";
import { openIdentifications } from "./network/identification";
import { openPaths } from "./network/path-mtu";
import { openReassembly } from "./network/reassembly";
import { gatewaySet as setGateway } from "./network/route";
import { completionEntries, completionMask, openCompletions } from "./queue/completion";
import { openQueues, queueRecords, queuesOpen } from "./queue/queue";
import { openTokens, tokensPending } from "./queue/token";
import { seedRandom } from "./random";
import { resetClock, setNow, nowUs, TICK_SHIFT } from "./time/clock";
import { openWheel, runTimers, ticksToDeadline, timersArmed } from "./time/wheel";
import { openPorts } from "./transport/ports";
import { openAccepts, serveStarved } from "./transport/tcp/accept";
import { abortAll as abortConnections } from "./transport/tcp/close";
import {
  connectionRecords,
  connectionsOpen,
  openConnections,
} from "./transport/tcp/connection-pool";
import "./transport/tcp/connection-layout";
import { openCookies } from "./transport/tcp/cookie";
import { forgetServers, openFastOpenCache } from "./transport/tcp/fast-open-cache";
import { openFastOpenKey, rotateFastOpenKey } from "./transport/tcp/fast-open-key";
import { TIMESTAMPS_BYTES } from "./transport/tcp/options";
import { openPacing } from "./transport/tcp/pacing";
import { flushReady, openReady } from "./transport/tcp/ready";
import { TIMESTAMPS } from "./transport/tcp/record";
import { offeredOptions } from "./transport/tcp/settings";
import { openTable } from "./transport/tcp/table";
import { openTimeWait } from "./transport/tcp/time-wait";
import { openDatagramSockets } from "./transport/udp/socket";
import { Ipv4 } from "./wire/ipv4";
import { Tcp } from "./wire/tcp";

export {
  acceptStart as accept,
  bind,
  closeStart as close,
  connectStart as connect,
  getOption,
  listen,
  localAddress,
  popStart as pop,
  pushStart as push,
  pushToStart as pushTo,
  remoteAddress,
  setOption,
  shutdownRead,
  shutdownWrite,
  socket,
} from "./queue/operations";

let rings: usize = 0;
let ringEntries: u32 = 0;
let attached: u32 = 0;

function limit(word: u32): u32 {
  return load<u32>(CONTROL_OPEN + word);
}

/**
 * Opens the stack with the limits, defaults and seed that the host wrote at CONTROL_OPEN, and tells
 * its regions at CONTROL_MAP. Called once. EINVAL: a limit is 0, the ring size no power of two.
 */
export function open(now: f64): i32 {
  const entries = limit(OPEN_RING_ENTRIES);
  if (entries == 0 || (entries & (entries - 1)) != 0) return -ERRNO_EINVAL;
  if (limit(OPEN_FRAMES) == 0 || limit(OPEN_CONNECTIONS) == 0 || limit(OPEN_QUEUES) == 0) {
    return -ERRNO_EINVAL;
  }
  if (limit(OPEN_TOKENS) == 0 || limit(OPEN_INTERFACES) == 0) return -ERRNO_EINVAL;
  assert(__heap_base <= <usize>REGIONS_BASE, "static data runs into the regions");
  resetRegions();
  memory.fill(CONTROL_COUNTERS, 0, CONTROL + CONTROL_SIZE - CONTROL_COUNTERS);
  resetClock(now);
  seedRandom(CONTROL_OPEN + OPEN_SEED);
  ringEntries = entries;
  attached = 0;
  rings = carve(ringsBytes(limit(OPEN_INTERFACES), entries), PAGE_SIZE);
  openInterfaces(limit(OPEN_INTERFACES));
  openCompletions(limit(OPEN_TOKENS));
  openQueues(limit(OPEN_QUEUES));
  openTokens(limit(OPEN_TOKENS));
  openTransports();
  openNeighbours(limit(OPEN_NEIGHBOURS));
  openReassembly(limit(OPEN_REASSEMBLY_SETS));
  openWheel();
  openArp();
  openIcmp();
  openIdentifications();
  openPaths();
  openFrames(limit(OPEN_FRAMES));
  tellMap();
  return 0;
}

function openTransports(): void {
  openPorts();
  openConnections(limit(OPEN_CONNECTIONS));
  openTable(limit(OPEN_CONNECTIONS));
  openReady();
  openPacing();
  openTimeWait();
  openAccepts();
  openCookies();
  openFastOpenCache();
  openFastOpenKey();
  openDatagramSockets(limit(OPEN_DATAGRAM_SOCKETS));
}

function tellMap(): void {
  store<u32>(CONTROL_MAP, interfaceRecords(), MAP_INTERFACES);
  store<u32>(CONTROL_MAP, rings, MAP_RINGS);
  store<u32>(CONTROL_MAP, completionEntries(), MAP_COMPLETIONS);
  store<u32>(CONTROL_MAP, completionMask(), MAP_COMPLETION_MASK);
  store<u32>(CONTROL_MAP, frameRecords(), MAP_FRAME_RECORDS);
  store<u32>(CONTROL_MAP, frameRegion(), MAP_FRAMES);
  store<u32>(CONTROL_MAP, CONTROL_COUNTERS, MAP_COUNTERS);
  store<u32>(CONTROL_MAP, ringBytes(ringEntries), MAP_RING_STRIDE);
  store<u32>(CONTROL_MAP, connectionRecords(), MAP_CONNECTION_RECORDS);
  store<u32>(CONTROL_MAP, queueRecords(), MAP_QUEUE_RECORDS);
}

/**
 * Brings interface `index` up: the host has written its record's fields, the device's side of the
 * rings is ready at the given field offsets. Posts frames for receiving and announces the address.
 */
export function attach(
  index: u32,
  producer: u32,
  consumer: u32,
  flags: u32,
  descriptors: u32,
): i32 {
  if (index >= interfacesTotal()) return -ERRNO_ENODEV;
  const nic = interfaceAt(index);
  if (nic.mtu < 68 || nic.chainMax == 0 || nic.prefix > 32) return -ERRNO_EINVAL;
  const shared = nic.has(CAPABILITY_SHARED_RINGS);
  const place = rings + <usize>index * RING_COUNT * ringBytes(ringEntries);
  for (let kind: u32 = 0; kind < RING_COUNT; kind++) {
    const base = place + <usize>kind * ringBytes(ringEntries);
    nic.ring(kind).open(base, ringEntries, producer, consumer, flags, descriptors, shared);
  }
  // A packet must find room in the ring, or it would wait for ever.
  if (nic.chainMax > ringEntries) nic.chainMax = ringEntries;
  if (nic.postedMax == 0 || nic.postedMax > ringEntries) nic.postedMax = ringEntries;
  nic.index = index;
  nic.mask = nic.prefix == 0 ? 0 : bswap<u32>(u32.MAX_VALUE << (32 - nic.prefix));
  // RFC 3021: a link of two addresses has no broadcast address of its own.
  nic.broadcast = nic.prefix >= 31 ? u32.MAX_VALUE : nic.address | ~nic.mask;
  if (!nic.has(CAPABILITY_SEGMENTATION)) nic.segmentMax = nic.mtu;
  nic.up = 1;
  if (index >= attached) attached = index + 1;
  refill(nic);
  arpAnnounce(nic);
  publishTransmit(nic);
  return 0;
}

/** Sets the gateway of interface `index` to the IPv4 address at CONTROL_ADDRESS. */
export function gatewaySet(index: u32): i32 {
  if (index >= interfacesTotal()) return -ERRNO_ENODEV;
  setGateway(interfaceAt(index), load<u32>(CONTROL_ADDRESS, ADDRESS_IPV4));
  return 0;
}

/** Fixes the MAC at CONTROL_MAC for the neighbour at CONTROL_ADDRESS. */
export function neighbourSet(index: u32): i32 {
  if (index >= interfacesTotal()) return -ERRNO_ENODEV;
  const address = load<u32>(CONTROL_ADDRESS, ADDRESS_IPV4);
  return setNeighbour(interfaceAt(index), address, CONTROL_MAC) ? 0 : -ERRNO_ENOBUFS;
}

/**
 * Makes Fast Open's cookies by the key at CONTROL_FAST_OPEN_KEY from now on; those of the key before it
 * stay good.
 */
export function fastOpenKeySet(): void {
  rotateFastOpenKey();
}

/** Forgets the cookies of servers and what else connects have learnt of them. */
export function fastOpenForget(): void {
  forgetServers();
}

/**
 * One turn of the stack at time `now` (microseconds, never going back): takes back sent frames,
 * receives at most `budget` packets an interface, runs timers. What became due to be sent leaves now,
 * unless completions wait: the host's answers to those may carry the acknowledgments, so it reads
 * them, starts its operations and calls `flush`. Returns the packets received.
 */
export function poll(now: f64, budget: u32): u32 {
  setNow(now);
  let packets: u32 = 0;
  for (let index: u32 = 0; index < attached; index++) {
    const nic = interfaceAt(index);
    if (nic.up == 0) continue;
    const received = receiveBatch(nic, budget);
    maintainRings(nic, received == 0);
    packets += received;
  }
  runTimers();
  serveStarved();
  const unread = load<u32>(CONTROL_COMPLETION_PRODUCER) - load<u32>(CONTROL_COMPLETION_CONSUMER);
  if (unread == 0) flush();
  return packets;
}

/** Sends what operations and the last poll made ready. */
export function flush(): void {
  flushReady();
  for (let index: u32 = 0; index < attached; index++) publishTransmit(interfaceAt(index));
}

/**
 * When `poll` next has work without a packet coming in, in microseconds of the host's clock; infinity
 * when no timer runs. Never later than the first timer, sometimes earlier. For a host about to sleep.
 */
export function nextDeadline(): f64 {
  const ticks = ticksToDeadline();
  if (ticks == u32.MAX_VALUE) return Infinity;
  return <f64>(((nowUs >> TICK_SHIFT) + <u64>ticks) << TICK_SHIFT);
}

/** Resets every connection, for a host about to go; the resets leave before this returns. */
export function abortAll(): void {
  abortConnections();
  flush();
}

/** Stores the gauges (how much is out of each pool) among the counters. */
export function measure(): void {
  let posted: u32 = 0;
  for (let index: u32 = 0; index < attached; index++) posted += interfaceAt(index).posted;
  store<u64>(CONTROL_COUNTERS, framesTotal() - framesFree() - posted, COUNTER_FRAMES_OUT * 8);
  store<u64>(CONTROL_COUNTERS, connectionsOpen(), COUNTER_CONNECTIONS_OPEN * 8);
  store<u64>(CONTROL_COUNTERS, timersArmed(), COUNTER_TIMERS_ARMED * 8);
  store<u64>(CONTROL_COUNTERS, tokensPending(), COUNTER_TOKENS_OUT * 8);
  store<u64>(CONTROL_COUNTERS, queuesOpen(), COUNTER_QUEUES_OPEN * 8);
}

/**
 * A chain of frames for an array of `bytes` to push, its first record's address; 0 when the pool
 * lacks: the last three sixteenths are not the application's. Frames hold at most one segment each
 * where the device cannot segment, so that each is sent in place.
 */
export function allocate(bytes: u32): u32 {
  const nic = interfaceAt(0);
  const perFrame = nic.has(CAPABILITY_SEGMENTATION) ? FRAME_PAYLOAD : usualSegment(nic);
  // Received packets, acknowledgments and retransmissions need frames too, or nothing would ever be
  // acknowledged and so given back.
  const reserve = (framesTotal() >> 3) + (framesTotal() >> 4);
  if (framesFree() < reserve + bytes / perFrame + 1) {
    count(COUNTER_POOL_EXHAUSTED);
    return 0;
  }
  return <u32>changetype<usize>(allocateChain(bytes, perFrame));
}

/** Payload of a full segment when the peer takes up all that we offer. */
function usualSegment(nic: Interface): u32 {
  const options = (offeredOptions() & TIMESTAMPS) != 0 ? TIMESTAMPS_BYTES : 0;
  return nic.mtu - Ipv4.HEADER_LENGTH - Tcp.HEADER_LENGTH - options;
}

/** Gives back an array that was popped or allocated and not pushed. EINVAL: it is none. */
export function release(record: u32): i32 {
  if (!isFrame(record)) return -ERRNO_EINVAL;
  releaseChain(changetype<Frame>(<usize>record));
  return 0;
}
