/** The SACK option of received segments (RFC 2018 section 3). */
import { Tcp } from "../../wire/tcp";
import { Connection } from "./connection";
import { widenReordering } from "./reordering";
import { beginBlocks, markSacked } from "./scoreboard";
import { segmentHeader } from "./segment";
import { after, before } from "./sequence";
import { noteReturned } from "./undo";

/** The blocks last taken told of a duplicate (RFC 2883). */
export let sawDuplicate: bool = false;

const KIND_END: u32 = 0;
const KIND_NO_OPERATION: u32 = 1;
const KIND_SACK: u32 = 5;
const BLOCK_SIZE: u32 = 8;

/** Says whether there are more options than the timestamps that every segment has. */
export function mayHaveBlocks(connection: Connection): bool {
  return Tcp.headerLength(segmentHeader) > Tcp.HEADER_LENGTH + <u32>connection.optionBytes;
}

/**
 * Marks what the blocks of the segment being processed name; returns the bytes that are new. Blocks
 * below SND.UNA tell of duplicates (RFC 2883), others that lie outside of what was sent are lies.
 */
export function takeSackBlocks(connection: Connection): u32 {
  sawDuplicate = false;
  let at = segmentHeader + Tcp.HEADER_LENGTH;
  const end = segmentHeader + Tcp.headerLength(segmentHeader);
  while (at + 1 < end) {
    const kind: u32 = load<u8>(at);
    if (kind == KIND_END) return 0;
    if (kind == KIND_NO_OPERATION) {
      at++;
      continue;
    }
    const length: u32 = load<u8>(at, 1);
    if (length < 2 || at + length > end) return 0;
    if (kind == KIND_SACK) return takeBlocks(connection, at + 2, (length - 2) / BLOCK_SIZE);
    at += length;
  }
  return 0;
}

function takeBlocks(connection: Connection, first: usize, blocks: u32): u32 {
  let fresh: u32 = 0;
  if (blocks != 0 && isDuplicate(connection, first, blocks)) {
    sawDuplicate = true;
    const left = bswap<u32>(load<u32>(first));
    noteReturned(connection, left, bswap<u32>(load<u32>(first, 4)));
    widenReordering(connection);
  }
  beginBlocks(connection);
  for (let index: u32 = 0; index < blocks; index++) {
    const at = first + <usize>index * BLOCK_SIZE;
    const left = bswap<u32>(load<u32>(at));
    const right = bswap<u32>(load<u32>(at, 4));
    if (!before(left, right)) continue;
    if (before(left, connection.sendUna) || after(right, connection.sendMax)) continue;
    fresh += markSacked(connection, left, right);
  }
  return fresh;
}

/** The first block lies below SND.UNA or within the second one (RFC 2883 section 4). */
function isDuplicate(connection: Connection, first: usize, blocks: u32): bool {
  const left = bswap<u32>(load<u32>(first));
  const right = bswap<u32>(load<u32>(first, 4));
  if (!before(left, right)) return false;
  if (!after(right, connection.sendUna)) return true;
  if (blocks < 2) return false;
  const outerLeft = bswap<u32>(load<u32>(first, 8));
  const outerRight = bswap<u32>(load<u32>(first, 12));
  return !before(left, outerLeft) && !after(right, outerRight);
}
