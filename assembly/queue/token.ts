/**
 * Tokens: pending operations. A token's number is generation × TOKEN_SLOTS + slot, so a number kept
 * past its completion never matches the slot's next use.
 */
import { TOKEN_SIZE, TOKEN_SLOTS } from "../layout";
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
let freeToken: Token | null = null;
/** Completed tokens in the order of their completions, until the host has read those. */
let spentFirst: Token | null = null;
let spentLast: Token | null = null;

export function openTokens(limit: u32): void {
  tokensOut = 0;
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

/**
 * Says whether so many operations are pending that only those may start that make others complete:
 * pushes wait for the peer, and a peer that waits itself must find us popping.
 */
export function tokensLow(): bool {
  return tokensOut >= tokenCount - (tokenCount >> 2);
}

/** Takes a slot for an operation on `queue`; null when all are pending. */
export function takeToken(queue: Queue, opcode: u32): Token | null {
  const token = freeToken;
  if (token === null) return null;
  freeToken = token.next;
  token.next = null;
  token.queue = queue;
  token.opcode = opcode;
  token.size = 0;
  token.frame = null;
  tokensOut++;
  return token;
}

export function tokenAvailable(): bool {
  return freeToken !== null;
}

/** Gives back the slot of an operation that never completes: its number was told to nobody. */
export function releaseToken(token: Token): void {
  token.generation = token.generation == u32.MAX_VALUE ? 1 : token.generation + 1;
  token.next = freeToken;
  freeToken = token;
  tokensOut--;
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
  tokensOut--;
}

/** Frees the slots of the oldest `count` spent tokens. */
export function reclaimTokens(count: u32): void {
  for (; count > 0; count--) {
    const token = spentFirst;
    if (token === null) return;
    spentFirst = token.next;
    if (token.next === null) spentLast = null;
    tokensOut++;
    releaseToken(token);
  }
}
