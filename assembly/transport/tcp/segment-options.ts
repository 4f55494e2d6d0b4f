/** The options of segments after the handshake: timestamps, and SACK blocks where there is no payload. */
import { Connection } from "./connection";
import { TIMESTAMPS_BYTES, TIMESTAMPS_WORD } from "./options";
import { sackBytes, writeSack } from "./sack";
import { timestampNow } from "./timestamp";

/** Bytes of options that a segment with `bytes` of payload carries. */
export function segmentOptionBytes(connection: Connection, bytes: u32): u32 {
  return bytes != 0 ? connection.optionBytes : connection.optionBytes + sackBytes(connection);
}

/** Writes `bytes` of options at `at`; their sum as 32-bit words that memory holds. */
export function writeSegmentOptions(connection: Connection, at: usize, bytes: u32): u64 {
  let sum: u64 = 0;
  let place = at;
  if (connection.optionBytes != 0) {
    const value = bswap<u32>(timestampNow(connection));
    const echo = bswap<u32>(connection.timestampRecent);
    store<u32>(place, TIMESTAMPS_WORD);
    store<u32>(place, value, 4);
    store<u32>(place, echo, 8);
    connection.lastAckSent = connection.receiveNext;
    sum = <u64>TIMESTAMPS_WORD + <u64>value + <u64>echo;
    place += TIMESTAMPS_BYTES;
  }
  return place == at + bytes ? sum : sum + writeSack(connection, place, <u32>(at + bytes - place));
}
