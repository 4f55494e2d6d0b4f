/** The completion ring: results of operations, written here, read by the host in batches. */
import {
  COMPLETION_ACCEPTED,
  COMPLETION_BYTES,
  COMPLETION_ERRNO,
  COMPLETION_FRAME,
  COMPLETION_OPCODE,
  COMPLETION_QD,
  COMPLETION_SIZE,
  COMPLETION_TOKEN,
  CONTROL_COMPLETION_CONSUMER,
  CONTROL_COMPLETION_PRODUCER,
  OPCODE_FAILED,
} from "../layout";
import { Frame, release } from "../memory/frame";
import { completionCount } from "../memory/plan";
import { carve } from "../memory/region";
import { reclaimTokens, spendToken, Token, tokenAvailable } from "./token";

let entries: usize = 0;
let mask: u32 = 0;
let producer: u32 = 0;
/** Completions before this one have been read, and their tokens' slots are free. */
let reclaimed: u32 = 0;

export function openCompletions(tokens: u32): void {
  const capacity = completionCount(tokens);
  mask = capacity - 1;
  producer = 0;
  reclaimed = 0;
  entries = carve(capacity * COMPLETION_SIZE, 64);
  store<u32>(CONTROL_COMPLETION_PRODUCER, 0);
  store<u32>(CONTROL_COMPLETION_CONSUMER, 0);
}

export function completionEntries(): usize {
  return entries;
}

export function completionMask(): u32 {
  return mask;
}

/**
 * Says whether one more operation may start. A token is free, pending or unread, and the ring has a
 * place for each, so a completion always finds its place.
 */
export function completionRoom(): bool {
  const consumer = load<u32>(CONTROL_COMPLETION_CONSUMER);
  // The host's index is not trusted to lie within what was written.
  if (consumer != reclaimed && consumer - reclaimed <= producer - reclaimed) {
    reclaimTokens(consumer - reclaimed);
    reclaimed = consumer;
  }
  return tokenAvailable();
}

/**
 * Completes an operation and ends its token. Returns the entry's address so that accept and
 * datagram pop can add the peer. The frames of `frame` go to the host with it.
 */
export function complete(
  token: Token,
  opcode: u32,
  frame: Frame | null,
  bytes: u32,
  accepted: u32,
): usize {
  const at = entries + <usize>(producer & mask) * COMPLETION_SIZE;
  store<f64>(at, token.number, COMPLETION_TOKEN);
  store<u32>(at, token.queue.qd, COMPLETION_QD);
  store<u32>(at, opcode, COMPLETION_OPCODE);
  store<u32>(at, 0, COMPLETION_ERRNO);
  store<u32>(at, changetype<usize>(frame), COMPLETION_FRAME);
  store<u32>(at, bytes, COMPLETION_BYTES);
  store<u32>(at, accepted, COMPLETION_ACCEPTED);
  producer++;
  store<u32>(CONTROL_COMPLETION_PRODUCER, producer);
  spendToken(token);
  return at;
}

/** Completes an operation as failed with a positive errno; a waiting push's frames are released. */
export function completeFailed(token: Token, errno: i32): void {
  const frame = token.frame;
  if (frame !== null) release(frame);
  store<u32>(complete(token, OPCODE_FAILED, null, 0, 0), errno, COMPLETION_ERRNO);
}
