/** One set of limits and one address plan for all that runs in memory. */
import { COUNTER_TCP_RETRANSMISSIONS, COUNTER_TCP_TIMEOUTS } from "../../assembly/layout";
import type { InterfaceOptions, Stack } from "../../src/wasm/stack";
import { defaultStackOptions, type StackOptions } from "../../src/wasm/stack-options";

/** Few entries, as a NIC has when its buffers are to stay in the cache. */
const RING_ENTRIES = 64;
const MTU_BYTES = 1500;

export const benchOptions: StackOptions = {
  ...defaultStackOptions,
  connections: 32768,
  queues: 65536,
  tokens: 65536,
  ringEntries: RING_ENTRIES,
  receiveBufferBytes: 65535,
  sendBufferBytes: 1 << 18,
  // As lwIP's figures were measured.
  timestamps: false,
  sack: false,
  // TIME_WAIT of virtual time; the default would fill the pool with closed connections.
  timeWaitUs: 1000,
};

export const memoryConditions =
  `MTU ${MTU_BYTES}, no timestamps, checksums computed and verified at both ends, 64 KiB window, Nagle off, the ` +
  "clock moves every poll, TIME_WAIT of 1 ms, " +
  `the application copies in and out, rings of ${RING_ENTRIES}`;

/** A device without any offload, 10.0.0.1 or 10.0.0.2. */
export function plainInterface(index: 0 | 1): InterfaceOptions {
  return {
    mac: Uint8Array.of(2, 0, 0, 0, 0, index + 1),
    mtu: MTU_BYTES,
    checksum: false,
    segmentMax: 0,
    chainMax: 1,
    postedMax: 0,
    partialReceive: false,
    sharedRings: false,
    address: 0x0a000001 + index,
    prefix: 24,
  };
}

/** Throws when packets were lost: nothing here loses any, so the stack would have erred. */
export function assertNothingLost(stack: Stack): void {
  const repeated = stack.counter(COUNTER_TCP_RETRANSMISSIONS) + stack.counter(COUNTER_TCP_TIMEOUTS);
  if (repeated > 0) throw new Error(`${repeated} segments were sent again over a lossless wire`);
}
