/**
 * Tokens: pending operations. A token's number is generation × TOKEN_SLOTS + slot, so a number kept
 * past its completion never matches the slot's next use.
 */
import { OPCODE_CLOSE, OPCODE_PUSH, TOKEN_SIZE, TOKEN_SLOTS } from "../layout";
import { Frame } from "../memory/frame";
import { carve } from "../memory/region";
import { Queue } from "./queue";

@unmanaged
export class Token {
  /** Next token of the same queue's list, or of the free list. */
  next: Token | null;
  queue: Queue;
  /** Counts the uses of this slot; never 0. */
  generation: u32;
  slot: u32;
  /** OPCODE_… of the operation. */
  opcode: u32;
  /** Pop: the most bytes wanted, 0 for all there is. Push: bytes not yet accepted. */
  size: u32;
  /** Push: the array that waits for room in the send buffer. */
  frame: Frame | null;
  reserved: u32;

  @inline get number(): f64 {
    return <f64>this.generation * <f64>TOKEN_SLOTS + <f64>this.slot;
  }
}

if (offsetof<Token>() != TOKEN_SIZE) ERROR("Token drifted from layout.ts");

let tokens: usize = 0;
let tokensOut: u32 = 0;
let tokenCount: u32 = 0;
/** Of those: pushes; pops, accepts and connects. */
let pushesOut: u32 = 0;
let waitsOut: u32 = 0;
let freeToken: Token | null = null;
/** Completed tokens in the order of their completions, until the host has read those. */
let spentFirst: Token | null = null;
let spentLast: Token | null = null;

export function openTokens(limit: u32): void {
  tokensOut = 0;
  pushesOut = 0;
  waitsOut = 0;
  tokenCount = limit;
  tokens = carve(limit * TOKEN_SIZE, 64);
  freeToken = null;
  spentFirst = null;
  spentLast = null;
  for (let slot = <i32>limit - 1; slot >= 0; slot--) {
    const token = changetype<Token>(tokens + <usize>slot * TOKEN_SIZE);
    token.slot = slot;
    token.generation = 1;
    token.next = freeToken;
    freeToken = token;
  }
}

/** Tokens whose operations have not completed. */
export function tokensPending(): u32 {
  return tokensOut;
}

/** Pending operations of the kind of `opcode`: pushes wait for peers, pops and accepts for their data. */
function pendingLike(opcode: u32): u32 {
  return opcode == OPCODE_PUSH ? pushesOut : opcode == OPCODE_CLOSE ? 0 : waitsOut;
}

function countPending(opcode: u32, change: i32): void {
  tokensOut += change;
  if (opcode == OPCODE_PUSH) pushesOut += change;
  else if (opcode != OPCODE_CLOSE) waitsOut += change;
}

/**
 * Takes a slot for an operation on `queue`; null when all are pending, or three quarters by others
 * of its kind. A peer that waits to send must find us popping and one that waits to receive must find
 * us pushing, so neither kind may take what the other needs.
 */
export function takeToken(queue: Queue, opcode: u32): Token | null {
  const token = freeToken;
  if (token === null || pendingLike(opcode) >= tokenCount - (tokenCount >> 2)) return null;
  freeToken = token.next;
  token.next = null;
  token.queue = queue;
  token.opcode = opcode;
  token.size = 0;
  token.frame = null;
  countPending(opcode, 1);
  return token;
}

export function tokenAvailable(): bool {
  return freeToken !== null;
}

/** Gives back the slot of an operation that never completes: its number was told to nobody. */
export function releaseToken(token: Token): void {
  countPending(token.opcode, -1);
  recycle(token);
}

function recycle(token: Token): void {
  token.generation = token.generation == u32.MAX_VALUE ? 1 : token.generation + 1;
  token.next = freeToken;
  freeToken = token;
}

/**
 * Ends a token whose completion has been written. The host keeps its records by slot, so the slot
 * is not used again before the host has read that completion.
 */
export function spendToken(token: Token): void {
  token.next = null;
  const last = spentLast;
  if (last === null) spentFirst = token;
  else last.next = token;
  spentLast = token;
  countPending(token.opcode, -1);
}

/** Frees the slots of the oldest `count` spent tokens. */
export function reclaimTokens(count: u32): void {
  for (; count > 0; count--) {
    const token = spentFirst;
    if (token === null) return;
    spentFirst = token.next;
    if (token.next === null) spentLast = null;
    recycle(token);
  }
}
