/**
 * What acknowledgments tell of segments beyond a gap (RFC 2018) and of those that came twice (RFC
 * 2883). Blocks travel on segments without payload: each segment beyond a gap is answered by one.
 */
import { Frame } from "../../memory/frame";
import { Connection, SACK_PERMITTED } from "./connection";
import { arrivalOf, RUN_FIN } from "./run";
import { after } from "./sequence";

/** No-operation twice, SACK, and its length in the top byte (RFC 2018 section 3). */
const SACK_WORD: u32 = 1 | (1 << 8) | (5 << 16);
const BLOCK_BYTES: u32 = 8;
/** Blocks that 40 bytes of options hold, and beside timestamps. */
const BLOCKS_MAX: u32 = 4;
const BLOCKS_BESIDE_TIMESTAMPS: u32 = 3;

/** Says whether something came twice that the peer has not been told of. */
export function hasDuplicate(connection: Connection): bool {
  return connection.duplicateLeft != connection.duplicateRight;
}

/** Bytes of the SACK option that a bare acknowledgment carries now, 0 for none. */
export function sackBytes(connection: Connection): u32 {
  let known: u32 = hasDuplicate(connection) ? 1 : 0;
  if (connection.reassemblyHead === null && known == 0) return 0;
  if ((connection.agreed & SACK_PERMITTED) == 0) return 0;
  const most = connection.optionBytes != 0 ? BLOCKS_BESIDE_TIMESTAMPS : BLOCKS_MAX;
  known = min(known + connection.runs, most);
  return 4 + BLOCK_BYTES * known;
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
  findLatest(connection);
  for (let rank: u32 = 0; place < at + bytes; rank++) {
    const run = latestRun(rank);
    sum += writeBlock(place, run.sequence, endOf(run));
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

/** The runs that grew last, the very last first: addresses of their first frames. */
const latest: usize = memory.data(16, 16);

function latestRun(rank: u32): Frame {
  return changetype<Frame>(<usize>load<u32>(latest + ((<usize>rank) << 2)));
}

/** Fills `latest` by one walk over the runs. */
function findLatest(connection: Connection): void {
  let found: u32 = 0;
  let run = connection.reassemblyHead;
  while (run !== null) {
    // Those that are older move one place back, and the fifth falls off.
    let rank = found;
    while (rank > 0 && after(arrivalOf(run), arrivalOf(latestRun(rank - 1)))) rank--;
    if (rank < BLOCKS_MAX) {
      if (found < BLOCKS_MAX) found++;
      for (let place = found - 1; place > rank; place--) {
        store<u32>(latest + ((<usize>place) << 2), <u32>changetype<usize>(latestRun(place - 1)));
      }
      store<u32>(latest + ((<usize>rank) << 2), <u32>changetype<usize>(run));
    }
    run = run.link;
  }
}

/** A run's right edge, the peer's FIN included. */
function endOf(run: Frame): u32 {
  return run.sequence + run.total + (run.mark & RUN_FIN);
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
