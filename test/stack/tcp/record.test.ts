/** The connection record: what its bits share. */
import { expect, test } from "bun:test";
import * as record from "../../../assembly/transport/tcp/record";

const values = new Map(Object.entries(record));

const bytesOf = {
  flags:
    "NO_DELAY FIN_QUEUED FIN_RECEIVED ACK_NOW READY RECOVERY ORPHAN RTT_TIMING ACTIVE PERSIST HASHED " +
    "PORT_TAKEN SYN_REPEATED PARTIAL_SEEN SCALING KEEP_ALIVE",
  agreed: "TIMESTAMPS SACK_PERMITTED ECN",
  choices:
    "CORKED PUSHING READ_SHUT DELAYING MORE_COMES UNFINISHED RECEIVE_FIXED SEND_FIXED RATE_LIMITED " +
    "NAGLE_OFF PACED RECORDS",
  fastOpen:
    "FAST_CONNECT FAST_NO_COOKIE FAST_DEFERRED FAST_FIRST FAST_ASKED FAST_EXPERIMENTAL " +
    "FAST_DATA_ACKNOWLEDGED FAST_UNCONFIRMED FAST_COOKIE FAST_REFUSED",
  undoState: "UNDO_CURVE UNDO_WATCHED UNDO_TIMEOUT UNDO_ECHO FRTO_WAITING FRTO_SENDING FRTO_SENT",
};

test.each(Object.entries(bytesOf))("no two bits of %s are the same", (_field, names) => {
  const bits = names.split(" ").map((name) => Number(values.get(name)));
  for (const bit of bits) expect(bit & (bit - 1)).toBe(0);
  expect(new Set(bits).size).toBe(bits.length);
  expect(bits).not.toContain(Number.NaN);
});
