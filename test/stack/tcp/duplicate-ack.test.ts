/** What a receiver says about a gap. */
import { expect, test } from "bun:test";
import { accepted } from "./peer";

test("each segment beyond a gap is acknowledged by itself, also within a batch (RFC 5681 4.2)", () => {
  const { lab, peer, qd } = accepted();
  lab.hold();
  for (const seq of [101, 201, 301, 401]) peer.inject("A", { seq, ack: 1, length: 100 });
  peer.expect(...[1, 2, 3, 4].map(() => ({ flags: "A", seq: 1, ack: 1 })));

  peer.inject("A", { seq: 1, ack: 1, length: 100 });
  peer.expect({ flags: "A", seq: 1, ack: 501 });
  expect(lab.read(qd)).toHaveLength(500);
});
