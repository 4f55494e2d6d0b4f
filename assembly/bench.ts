/**
 * The benchmark's harness: both ends of a connection in one module, on two interfaces joined by a
 * wire. Both whole stacks run for every packet; the wire copies it from the sender's frame to one the
 * receiver posted, as two devices would. Not part of the released module.
 */
import {
  ADDRESS_IPV4,
  COMPLETION_ACCEPTED,
  COMPLETION_BYTES,
  COMPLETION_FRAME,
  COMPLETION_OPCODE,
  COMPLETION_QD,
  COMPLETION_SIZE,
  CONTROL_ADDRESS,
  CONTROL_COMPLETION_CONSUMER,
  CONTROL_COMPLETION_PRODUCER,
  DESCRIPTOR_LENGTH,
  DESCRIPTOR_OPTIONS,
  OPCODE_ACCEPT,
  OPCODE_FAILED,
  OPCODE_POP,
  RX_HEADROOM,
} from "./layout";
import { allocate, flush, poll } from "./index";
import { Interface, interfaceAt } from "./link/interface";
import { copyBytes } from "./memory/copy";
import { Frame, frameRegion, release } from "./memory/frame";
import { completionEntries, completionMask } from "./queue/completion";
import {
  acceptStart,
  bind,
  closeStart,
  connectStart,
  listen,
  popStart,
  pushStart,
  socket,
} from "./queue/operations";
import { KIND_STREAM } from "./layout";

/** Microseconds of virtual time; advanced by one a poll, as if the clock were read each time. */
let clock: f64 = 0;
/** Packets that one poll takes at most. */
export const BUDGET: u32 = 64;

/** Scratch the application copies from and to; no array of a benchmark is larger. */
const application: usize = memory.data(16384, 16);

/** Moves what `from` sends into frames `to` has posted; what finds none waits in the ring. */
function carry(from: Interface, to: Interface): u32 {
  const tx = from.tx;
  const done = from.completion;
  const rx = to.rx;
  const fill = to.fill;
  const region = frameRegion();
  let sent = load<u32>(tx.consumer);
  const end = load<u32>(tx.producer);
  let posted = load<u32>(fill.consumer);
  const postedEnd = load<u32>(fill.producer);
  let received = load<u32>(rx.producer);
  let completed = load<u32>(done.producer);
  let packets: u32 = 0;
  while (sent != end && posted != postedEnd) {
    const at = tx.descriptor(sent);
    const address = load<u32>(at);
    const length = load<u32>(at, DESCRIPTOR_LENGTH);
    const target = load<u32>(fill.entry(posted)) + RX_HEADROOM;
    copyBytes(region + target, region + address, length);
    rx.write(received, target, length, load<u32>(at, DESCRIPTOR_OPTIONS) & 1);
    store<u64>(done.entry(completed), address);
    sent++;
    posted++;
    received++;
    completed++;
    packets++;
  }
  store<u32>(tx.consumer, sent);
  store<u32>(fill.consumer, posted);
  store<u32>(rx.producer, received);
  store<u32>(done.producer, completed);
  return packets;
}

function wire(): u32 {
  const one = interfaceAt(0);
  const other = interfaceAt(1);
  return carry(one, other) + carry(other, one);
}

function step(): void {
  clock += 1;
  poll(clock, BUDGET);
}

/** The next completion's address, or 0. */
export function nextCompletion(): usize {
  const consumed = load<u32>(CONTROL_COMPLETION_CONSUMER);
  if (load<u32>(CONTROL_COMPLETION_PRODUCER) == consumed) return 0;
  const at = completionEntries() + <usize>(consumed & completionMask()) * COMPLETION_SIZE;
  store<u32>(CONTROL_COMPLETION_CONSUMER, consumed + 1);
  return at;
}

let server: u32 = 0;

/** Starts a listener on interface 1, port 7; call once. */
export function benchListen(address: u32): i32 {
  server = <u32>socket(KIND_STREAM);
  store<u32>(CONTROL_ADDRESS, address, ADDRESS_IPV4);
  const bound = bind(server, 7);
  if (bound != 0) return bound;
  return listen(server, 4096);
}

/** The client's and the server's end of the connection opened last. */
export let benchClient: u32 = 0;
export let benchAccepted: u32 = 0;

/** Opens one more connection from interface 0 to the listener; 0 when both ends are established. */
export function benchConnect(address: u32): i32 {
  const client = <u32>socket(KIND_STREAM);
  acceptStart(server);
  store<u32>(CONTROL_ADDRESS, address, ADDRESS_IPV4);
  const token = connectStart(client, 7);
  if (token < 0) return <i32>token;
  flush();
  let left = 2;
  for (let turn = 0; turn < 100; turn++) {
    wire();
    step();
    let at = nextCompletion();
    while (at != 0) {
      const opcode = load<u32>(at, COMPLETION_OPCODE);
      if (opcode == OPCODE_FAILED) return -1;
      if (opcode == OPCODE_ACCEPT) benchAccepted = load<u32>(at, COMPLETION_ACCEPTED);
      left--;
      at = nextCompletion();
    }
    flush();
    if (left == 0) {
      benchClient = client;
      wire();
      step();
      return 0;
    }
  }
  return -2;
}

/** Copies `bytes` from the application into a new array and pushes it. */
export function pushCopy(qd: u32, bytes: u32): bool {
  const record = allocate(bytes);
  if (record == 0) return false;
  let frame: Frame | null = changetype<Frame>(<usize>record);
  let from = application;
  while (frame !== null) {
    copyBytes(frame.data, from, frame.length);
    from += frame.length;
    frame = frame.next;
  }
  return pushStart(qd, record, 0) > 0;
}

/** Copies a popped array out to the application and releases it. */
export function popCopy(at: usize): u32 {
  const chain = changetype<Frame>(<usize>load<u32>(at, COMPLETION_FRAME));
  let frame: Frame | null = chain;
  let to = application;
  while (frame !== null) {
    copyBytes(to, frame.data, frame.length);
    to += frame.length;
    frame = frame.next;
  }
  release(chain);
  return load<u32>(at, COMPLETION_BYTES);
}

/** `rounds` round trips of `bytes` on one connection; returns how many completed. */
export function benchEcho(client: u32, accepted: u32, bytes: u32, rounds: u32): u32 {
  let done: u32 = 0;
  popStart(accepted, 0);
  popStart(client, 0);
  pushCopy(client, bytes);
  flush();
  let idle: u32 = 0;
  while (done < rounds && idle < 1000) {
    idle = wire() == 0 ? idle + 1 : 0;
    step();
    let at = nextCompletion();
    while (at != 0) {
      if (load<u32>(at, COMPLETION_OPCODE) == OPCODE_POP) {
        const qd = load<u32>(at, COMPLETION_QD);
        popCopy(at);
        if (qd == client) done++;
        if (done < rounds) {
          pushCopy(qd, bytes);
          // A pop left over at the server's end would pile up from call to call.
          if (qd == client || done + 1 < rounds) popStart(qd, 0);
        }
      }
      at = nextCompletion();
    }
    flush();
  }
  return done;
}

/** Sends `total` bytes in pushes of `bytes` one way; returns how many arrived. */
export function benchBulk(client: u32, accepted: u32, bytes: u32, total: u32): u32 {
  let sent: u32 = 0;
  let received: u32 = 0;
  let outstanding: u32 = 0;
  popStart(accepted, 0);
  let idle: u32 = 0;
  while (received < total && idle < 100000) {
    while (outstanding < 8 && sent < total) {
      if (!pushCopy(client, bytes)) break;
      sent += bytes;
      outstanding++;
    }
    flush();
    idle = wire() == 0 ? idle + 1 : 0;
    step();
    let at = nextCompletion();
    while (at != 0) {
      if (load<u32>(at, COMPLETION_OPCODE) == OPCODE_POP) {
        received += popCopy(at);
        if (received < total) popStart(accepted, 0);
      } else {
        outstanding--;
      }
      at = nextCompletion();
    }
  }
  return received;
}

/** Opens and closes `count` connections one after another; returns how many closed at both ends. */
export function benchConnectClose(address: u32, count: u32): u32 {
  for (let index: u32 = 0; index < count; index++) {
    if (benchConnect(address) != 0) return index;
    popStart(benchAccepted, 0);
    closeStart(benchClient);
    flush();
    let closes = 0;
    for (let turn = 0; turn < 100 && closes < 2; turn++) {
      wire();
      step();
      let at = nextCompletion();
      while (at != 0) {
        const opcode = load<u32>(at, COMPLETION_OPCODE);
        if (opcode == OPCODE_POP) closeStart(benchAccepted);
        else closes++;
        at = nextCompletion();
      }
      flush();
    }
    if (closes < 2) return index;
  }
  return count;
}
