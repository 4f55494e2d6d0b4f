/**
 * What a packet costs the stack when its sender means harm: holes in the receive queue (CVE-2018-5390),
 * blocks that cut the send queue to pieces (CVE-2019-11477) and forged SYNs (RFC 4987).
 */
import {
  COMPLETION_ACCEPTED,
  CONTROL_ADDRESS,
  COUNTER_DROP_TCP_REASSEMBLY_FULL,
  COUNTER_FRAMES_OUT,
  COUNTER_TCP_COOKIES_SENT,
  KIND_STREAM,
} from "../../assembly/layout";
import { PacketRings } from "../../shims/packet-rings";
import { defaultOffsets } from "../../shims/ring";
import { parseIpv4, storeIpv4 } from "../../src/wasm/address";
import { Stack } from "../../src/wasm/stack";
import { defaultStackOptions } from "../../src/wasm/stack-options";
import { hostAddress, hostMac, peerAddress, peerMac, readU16 } from "../stack/packets";
import { option, type SegmentFields, segmentFrame } from "../stack/tcp/segments";
import { type Benchmark, type Budget, type Figure, figure } from "./figure";
import { probeModule } from "./probe";

const PACKETS = 100_000;
const PACKETS_BRIEF = 1000;
/** Packets handed over at once, as a NIC does; only the stack's work on them is timed. */
const BATCH = 64;
const REPEATS = 5;
const PORT = 80;
const BACKLOG = 128;
const PEER_PORT = 4000;
/** Initial sequence number of the attacker. */
const INITIAL = 1_000_000;
const SEGMENT_BYTES = 1448;
const SEQUENCE_AT = 14 + 20 + 4;

const conditions =
  `${PACKETS.toLocaleString("en")} packets in batches of ${BATCH}, the stack's answers and the ` +
  `verifying of checksums included; mean of all packets, best of ${REPEATS} repeats`;

/** A stack under attack, which listens on PORT. */
class Victim {
  readonly stack: Stack;
  readonly listener: number;
  readonly #rings: PacketRings;
  #nowUs = 1_000_000;
  #initial = 0;

  constructor(backlog: number) {
    this.stack = Stack.open(probeModule(), { ...defaultStackOptions }, this.#nowUs);
    this.stack.attach(
      0,
      {
        mac: hostMac,
        mtu: 1500,
        checksum: false,
        segmentMax: 0,
        chainMax: 1,
        postedMax: 0,
        partialReceive: false,
        sharedRings: false,
        address: parseIpv4(hostAddress, "benchmark"),
        prefix: 8,
      },
      defaultOffsets,
    );
    this.#rings = new PacketRings(this.stack.places(0));
    this.stack.setNeighbour(0, parseIpv4(peerAddress, "benchmark"), peerMac);
    const { exports } = this.stack;
    this.listener = this.stack.check("socket", exports.socket(KIND_STREAM));
    storeIpv4(this.stack.bytes, CONTROL_ADDRESS, 0);
    this.stack.check("bind", exports.bind(this.listener, PORT));
    this.stack.check("listen", exports.listen(this.listener, backlog));
    this.#turn();
    this.answers();
  }

  /** A frame of the attacker's connection; `seq` and `ack` count from the initial numbers. */
  frame(flags: string, seq: number, ack: number, more: Partial<SegmentFields> = {}): Uint8Array {
    return segmentFrame({
      sourcePort: PEER_PORT,
      destinationPort: PORT,
      sequence: INITIAL + seq,
      acknowledgment: flags.includes("A") ? this.#initial + ack : 0,
      flags,
      ...more,
    });
  }

  /** A SACK option with blocks of these edges, left and right in turn, counted as `ack` is. */
  sack(edges: readonly number[]): number[] {
    return option.sack(edges.map((edge) => (this.#initial + edge) >>> 0));
  }

  /** Opens the attacker's connection; its queue descriptor. */
  establish(): number {
    const options = [...option.mss(1460), ...option.scale(7), ...option.sackPermitted];
    this.deliver([this.frame("S", 0, 0, { options })]);
    const [answer] = this.answers();
    if (answer === undefined) throw new Error("no SYN-ACK");
    this.#initial = readU16(answer, SEQUENCE_AT) * 65536 + readU16(answer, SEQUENCE_AT + 2);
    this.deliver([this.frame("A", 1, 1)]);
    this.stack.check("accept", this.stack.exports.accept(this.listener));
    this.#turn();
    // The first completion of all.
    const { words, map } = this.stack;
    return words[(map.completions + COMPLETION_ACCEPTED) >>> 2] as number;
  }

  /** Nanoseconds a frame, all of which the device delivers. */
  deliver(frames: readonly Uint8Array[]): number {
    let spentMs = 0;
    for (let at = 0; at < frames.length; at += BATCH) {
      for (const frame of frames.slice(at, at + BATCH)) {
        if (!this.#rings.give(frame)) throw new Error("the stack has posted too few frames");
      }
      const start = performance.now();
      this.#turn();
      spentMs += performance.now() - start;
      if (at + BATCH < frames.length) this.answers();
    }
    return (spentMs * 1e6) / frames.length;
  }

  answers(): Uint8Array[] {
    const packets: Uint8Array[] = [];
    for (let packet = this.#rings.take(); packet !== undefined; packet = this.#rings.take()) {
      packets.push(packet);
    }
    return packets;
  }

  #turn(): void {
    this.#nowUs += BATCH;
    this.stack.exports.poll(this.#nowUs, BATCH);
    this.stack.exports.flush();
  }
}

/** The least of some repeats of an attack of `count` packets. */
function least({ brief }: Budget, attack: (count: number) => number): number {
  const count = brief ? PACKETS_BRIEF : PACKETS;
  let best = Number.POSITIVE_INFINITY;
  for (let left = brief ? 1 : REPEATS; left > 0; left--) best = Math.min(best, attack(count));
  return best;
}

/** One byte, one hole, and so on through the receive window: each packet is a hole of its own. */
function holes(count: number): number {
  const victim = new Victim(BACKLOG);
  victim.establish();
  const payload = new Uint8Array(1);
  const room = 60_000;
  const frames = Array.from({ length: count }, (_, index) =>
    victim.frame("A", 2 + ((2 * index) % room), 1, { payload }),
  );
  const spent = victim.deliver(frames);
  victim.stack.exports.measure();
  const { stack } = victim;
  if (stack.counter(COUNTER_DROP_TCP_REASSEMBLY_FULL) === 0) throw new Error("no hole was refused");
  const held = stack.counter(COUNTER_FRAMES_OUT);
  if (held > 600) throw new Error(`the holes hold ${held} frames`);
  stack[Symbol.dispose]();
  return spent;
}

/** Blocks of one byte each that lie in every other segments of a full send queue. */
function blocks(count: number): number {
  const victim = new Victim(BACKLOG);
  const qd = victim.establish();
  const { exports } = victim.stack;
  const inFlight = 10 * SEGMENT_BYTES;
  for (let left = 40; left > 0; left--) {
    victim.stack.check("push", exports.push(qd, exports.allocate(SEGMENT_BYTES)));
  }
  victim.deliver([victim.frame("A", 1, 1)]);
  victim.answers();
  const frames = Array.from({ length: count }, (_, index) => {
    const edges = [0, 1, 2, 3].flatMap((block) => {
      const left = 1 + ((index * 7 + block * 3001) % (inFlight - 2));
      return [left, left + 1];
    });
    return victim.frame("A", 1, 1, { options: victim.sack(edges) });
  });
  const spent = victim.deliver(frames);
  victim.stack[Symbol.dispose]();
  return spent;
}

/** SYNs from addresses and ports that do not exist, to a listener whose backlog is full. */
function flood(count: number): number {
  const victim = new Victim(BACKLOG);
  const frames = Array.from({ length: count }, (_, index) =>
    segmentFrame({
      source: `10.${(index >>> 12) & 255}.${(index >>> 4) & 255}.${index & 15}`,
      sourcePort: 1024 + (index % 60_000),
      destinationPort: PORT,
      sequence: (index * 2_654_435_761) >>> 0,
      flags: "S",
      options: option.mss(1460),
    }),
  );
  const spent = victim.deliver(frames);
  const cookies = victim.stack.counter(COUNTER_TCP_COOKIES_SENT);
  if (cookies < count - 2 * BACKLOG) throw new Error(`only ${cookies} cookies were sent`);
  victim.stack[Symbol.dispose]();
  return spent;
}

function benchmark(name: string, attack: (count: number) => number, what: string): Benchmark {
  const run = async (budget: Budget): Promise<Figure[]> => [
    figure(name, least(budget, attack), "ns", `${what}; ${conditions}`),
  ];
  return { names: [name], run };
}

export const attackBenchmarks: readonly Benchmark[] = [
  benchmark("attack.holes", holes, "one-byte segments with a hole before each, a packet"),
  benchmark("attack.blocks", blocks, "acknowledgments with four one-byte SACK blocks, a packet"),
  benchmark("attack.synFlood", flood, "SYNs from forged addresses while the backlog is full, each"),
];
