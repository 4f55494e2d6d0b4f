/**
 * What acknowledgments tell of segments beyond a gap (RFC 2018) and of those that came twice (RFC
 * 2883). Blocks travel on segments without payload: each segment beyond a gap is answered by one.
 */
import { Frame } from "../../memory/frame";
import { Connection, SACK_PERMITTED } from "./connection";
import { before } from "./sequence";

/** No-operation twice, SACK, and its length in the top byte (RFC 2018 section 3). */
const SACK_WORD: u32 = 1 | (1 << 8) | (5 << 16);
const BLOCK_BYTES: u32 = 8;
/** Blocks that 40 bytes of options hold, and beside timestamps. */
const BLOCKS_MAX: u32 = 4;
const BLOCKS_BESIDE_TIMESTAMPS: u32 = 3;

function blocksOf(connection: Connection): usize {
  return changetype<usize>(connection) + offsetof<Connection>("sackLeft0");
}

/** Says whether something came twice that the peer has not been told of. */
export function hasDuplicate(connection: Connection): bool {
  return connection.duplicateLeft != connection.duplicateRight;
}

/** Bytes of the SACK option that a bare acknowledgment carries now, 0 for none. */
export function sackBytes(connection: Connection): u32 {
  const known = <u32>connection.sackCount + (hasDuplicate(connection) ? 1 : 0);
  if (known == 0) return 0;
  const most = connection.optionBytes != 0 ? BLOCKS_BESIDE_TIMESTAMPS : BLOCKS_MAX;
  return 4 + BLOCK_BYTES * min(known, most);
}

/**
 * Writes a SACK option of `bytes` at `at`, the duplicate first (RFC 2883 section 4), which is told
 * once. The sum of its 32-bit words.
 */
export function writeSack(connection: Connection, at: usize, bytes: u32): u64 {
  const word = SACK_WORD | ((bytes - 2) << 24);
  store<u32>(at, word);
  let sum: u64 = word;
  let place = at + 4;
  if (hasDuplicate(connection)) {
    sum += writeBlock(place, connection.duplicateLeft, connection.duplicateRight);
    place += BLOCK_BYTES;
    connection.duplicateLeft = connection.duplicateRight;
  }
  const end = at + bytes;
  for (let block = blocksOf(connection); place < end; block += BLOCK_BYTES) {
    sum += writeBlock(place, load<u32>(block), load<u32>(block, 4));
    place += BLOCK_BYTES;
  }
  return sum;
}

function writeBlock(at: usize, left: u32, right: u32): u64 {
  const leftWord = bswap<u32>(left);
  const rightWord = bswap<u32>(right);
  store<u32>(at, leftWord);
  store<u32>(at, rightWord, 4);
  return <u64>leftWord + <u64>rightWord;
}

/**
 * A segment that begins with `sequence` was kept beyond a gap: the run that holds it becomes the first
 * block, in place of the blocks that it has swallowed (RFC 2018 section 4).
 */
export function reportRun(connection: Connection, sequence: u32): void {
  if ((connection.agreed & SACK_PERMITTED) == 0) return;
  const run = runWith(connection, sequence);
  if (run === null) return;
  const blocks = blocksOf(connection);
  const count: u32 = connection.sackCount;
  let left = run.sequence;
  let right = endOf(run);
  const whole = right - left;
  const start = left;
  let kept: u32 = 0;
  // Each block moves one place back, up to where a swallowed one leaves room.
  for (let index: u32 = 0; index < count; index++) {
    const block = blocks + index * BLOCK_BYTES;
    const blockLeft = load<u32>(block);
    const blockRight = load<u32>(block, 4);
    if (blockLeft - start < whole) continue;
    storeBlock(blocks, kept++, left, right);
    left = blockLeft;
    right = blockRight;
  }
  if (kept < BLOCKS_MAX) storeBlock(blocks, kept++, left, right);
  connection.sackCount = <u8>kept;
}

function storeBlock(blocks: usize, index: u32, left: u32, right: u32): void {
  const at = blocks + index * BLOCK_BYTES;
  store<u32>(at, left);
  store<u32>(at, right, 4);
}

/** RCV.NXT has moved over some runs: blocks are never below it (RFC 2018 section 4). */
export function forgetFilled(connection: Connection): void {
  const blocks = blocksOf(connection);
  const count: u32 = connection.sackCount;
  let kept: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const block = blocks + index * BLOCK_BYTES;
    const left = load<u32>(block);
    if (before(left, connection.receiveNext)) continue;
    storeBlock(blocks, kept++, left, load<u32>(block, 4));
  }
  connection.sackCount = <u8>kept;
}

function runWith(connection: Connection, sequence: u32): Frame | null {
  let run = connection.reassemblyHead;
  while (run !== null && !before(sequence, endOf(run))) run = run.link;
  return run !== null && !before(sequence, run.sequence) ? run : null;
}

/** A run's right edge, the peer's FIN included. */
function endOf(run: Frame): u32 {
  return run.sequence + run.total + run.mark;
}

/**
 * `bytes` from `sequence` have come again. What continues a duplicate not told yet extends it; any
 * other is left out, as one acknowledgment tells one (RFC 2883 section 4).
 */
export function noteDuplicate(connection: Connection, sequence: u32, bytes: u32): void {
  if (bytes == 0 || (connection.agreed & SACK_PERMITTED) == 0) return;
  if (!hasDuplicate(connection)) connection.duplicateLeft = sequence;
  else if (connection.duplicateRight != sequence) return;
  connection.duplicateRight = sequence + bytes;
}
