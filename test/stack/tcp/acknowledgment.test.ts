/** When acknowledgments and small segments leave (RFC 9293 3.7.4, 3.8.6.3; RFC 5681 4.2). */
import { expect, test } from "bun:test";
import { SOCKET_OPTION_NODELAY } from "../../../assembly/layout";
import { pattern } from "../packets";
import { accepted } from "./peer";

test("one segment is acknowledged within half a second (MUST-40)", () => {
  const { lab, peer } = accepted();
  peer.inject("PA", { seq: 1, ack: 1, length: 1460 });
  lab.silence();
  lab.advance(30);
  lab.silence();
  lab.advance(20);
  peer.expect({ flags: "A", seq: 1, ack: 1461 });
  lab.quiet(1000);
});

test("every second full segment is acknowledged at once (SHLD-19)", () => {
  const { lab, peer } = accepted();
  for (let segment = 0; segment < 6; segment++) {
    peer.inject("A", { seq: 1 + segment * 1460, ack: 1, length: 1460 });
    if (segment % 2 === 0) lab.silence();
    else peer.expect({ flags: "A", seq: 1, ack: 1461 + segment * 1460 });
  }
  lab.quiet(1000);
});

test("one acknowledgment answers all that one batch brought (MUST-58)", () => {
  const { lab, peer } = accepted();
  lab.hold();
  for (let segment = 0; segment < 10; segment++) {
    peer.inject("A", { seq: 1 + segment * 1460, ack: 1, length: 1460 });
  }
  peer.expect({ flags: "A", seq: 1, ack: 14_601 });
  lab.quiet(1000);
});

test("data carries the acknowledgment (MUST-59)", () => {
  const { lab, peer, qd } = accepted();
  peer.inject("PA", { seq: 1, ack: 1, length: 100 });
  lab.push(qd, pattern(10));
  peer.expect({ flags: "PA", seq: 1, ack: 101, length: 10 });
  peer.inject("A", { seq: 101, ack: 11 });
  lab.quiet(1000);
});

test("a gap and what fills it are acknowledged at once (RFC 5681 4.2)", () => {
  const { peer } = accepted();
  peer.inject("PA", { seq: 101, ack: 1, length: 100 });
  peer.expect({ flags: "A", seq: 1, ack: 1 });
  peer.inject("PA", { seq: 201, ack: 1, length: 100 });
  peer.expect({ flags: "A", seq: 1, ack: 1 });
  peer.inject("PA", { seq: 1, ack: 1, length: 100 });
  peer.expect({ flags: "A", seq: 1, ack: 301 });
});

test("acknowledgments are not acknowledged (3.8.6.3)", () => {
  const { lab, peer, qd } = accepted();
  lab.push(qd, pattern(10));
  peer.expect({ flags: "PA", length: 10 });
  for (const window of [1000, 2000, 2000, 65535]) peer.inject("A", { seq: 1, ack: 11, window });
  lab.quiet(2000);
});

test("Nagle: while something is in flight small pieces wait and leave together (SHLD-7)", () => {
  const { lab, peer, qd } = accepted({}, { noDelay: false });
  lab.push(qd, pattern(1));
  peer.expect({ flags: "PA", seq: 1, length: 1 });
  for (let round = 0; round < 5; round++) lab.push(qd, pattern(10));
  lab.silence();
  peer.inject("A", { seq: 1, ack: 2 });
  peer.expect({ flags: "PA", seq: 2, length: 50 });
});

test("Nagle: full segments do not wait, and the rest goes once all is acknowledged (3.7.4)", () => {
  const { lab, peer, qd } = accepted({}, { noDelay: false });
  lab.push(qd, pattern(10));
  peer.expect({ flags: "PA", seq: 1, length: 10 });
  lab.push(qd, pattern(3000));
  peer.expect({ flags: "A", seq: 11, length: 1460 }, { flags: "A", seq: 1471, length: 1460 });
  peer.inject("A", { seq: 1, ack: 11 });
  lab.silence();
  peer.inject("A", { seq: 1, ack: 2931 });
  peer.expect({ flags: "PA", seq: 2931, length: 80 });
});

test("Nagle can be switched off, which sends what waits (MUST-17)", () => {
  const { lab, peer, qd } = accepted({}, { noDelay: false });
  lab.push(qd, pattern(1));
  lab.push(qd, pattern(10));
  peer.expect({ flags: "PA", seq: 1, length: 11 });
  lab.push(qd, pattern(20));
  lab.silence();
  lab.host.stack.exports.setOption(qd, SOCKET_OPTION_NODELAY, 1);
  peer.expect({ flags: "PA", seq: 12, length: 20 });
  lab.push(qd, pattern(1));
  peer.expect({ flags: "PA", seq: 32, length: 1 });
});

test("Nagle does not hold back a FIN (3.7.4)", () => {
  const { lab, peer, qd } = accepted({}, { noDelay: false });
  lab.push(qd, pattern(1));
  peer.expect({ flags: "PA", seq: 1, length: 1 });
  lab.push(qd, pattern(5));
  lab.silence();
  lab.close(qd);
  peer.expect({ flags: "FPA", seq: 2, length: 5 });
});

test("PSH is set on the last segment of what is queued (MUST-61)", () => {
  const { lab, peer, qd } = accepted();
  lab.push(qd, pattern(2000));
  lab.push(qd, pattern(2000));
  const sent = peer.take();
  expect(sent.map(({ flags }) => flags).join(" ")).toMatch(/^(A )+PA$/);
});

test("an acknowledgment after a timeout has the highest number, not a repeated one", () => {
  const { lab, peer, qd } = accepted();
  lab.push(qd, pattern(4380));
  expect(peer.take()).toHaveLength(3);
  lab.advance(250);
  peer.expect({ flags: "A", seq: 1, length: 1460 });
  // The peer has all three segments, only its acknowledgment was lost: it would refuse number 1461.
  peer.inject("A", { seq: 1, ack: 1, length: 1460 });
  peer.inject("A", { seq: 1461, ack: 1, length: 1460 });
  expect(peer.take().at(-1)).toMatchObject({ flags: "A", seq: 4381, ack: 2921, length: 0 });
});
