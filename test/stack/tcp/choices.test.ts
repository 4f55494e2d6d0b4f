/** Options of sockets that scripts cannot see all of: headers, quick acknowledgments, absurd values. */
import { expect, test } from "bun:test";
import {
  SOCKET_OPTION_CORK,
  SOCKET_OPTION_QUICK_ACK,
  SOCKET_OPTION_TIME_TO_LIVE,
  SOCKET_OPTION_TYPE_OF_SERVICE,
  SOCKET_OPTION_UNSENT_MAX,
} from "../../../assembly/layout";
import { pattern } from "../packets";
import { Lab } from "./lab";
import { accepted, Peer } from "./peer";

const IP_AT = 14;
const quick = { quickAcks: true };

/** Type of service and time to live of each packet sent from here on. */
function headersOf(lab: Lab): [service: number, hops: number][] {
  const headers: [number, number][] = [];
  const { pending } = lab;
  lab.wire = (frame, segment) => {
    headers.push([frame[IP_AT + 1] as number, frame[IP_AT + 8] as number]);
    pending.push(segment);
  };
  return headers;
}

test("type of service and time to live stand in every segment, SYN-ACK and RST too (MUST-48, MUST-49)", () => {
  const lab = new Lab();
  const headers = headersOf(lab);
  const listener = lab.listen();
  const { exports } = lab.host.stack;
  expect(exports.setOption(listener, SOCKET_OPTION_TYPE_OF_SERVICE, 0xb8)).toBe(0);
  expect(exports.setOption(listener, SOCKET_OPTION_TIME_TO_LIVE, 7)).toBe(0);
  const peer = new Peer(lab);
  const qd = peer.establish(listener);
  lab.push(qd, pattern(10));
  lab.collect();
  expect(exports.setOption(qd, SOCKET_OPTION_TYPE_OF_SERVICE, 0x23)).toBe(0);
  lab.push(qd, pattern(3000));
  lab.collect();
  lab.host.poll();
  lab.finish();
  expect(headers[0]).toEqual([0xb8, 7]);
  expect(headers[1]).toEqual([0xb8, 7]);
  // SHLD-21: changed while the connection lasts; ECN's two bits are not the application's.
  expect(headers.length).toBeGreaterThan(3);
  for (const header of headers.slice(2)) expect(header).toEqual([0x20, 7]);
});

test("sixteen acknowledgments at most are quick", () => {
  const { lab, peer } = accepted({}, quick);
  for (let at = 0; at < 16; at++) {
    peer.inject("A", { seq: 1 + 100 * at, ack: 1, length: 100 });
    peer.expect({ flags: "A", ack: 101 + 100 * at });
  }
  peer.inject("A", { seq: 1601, ack: 1, length: 100 });
  lab.silence();
  lab.advance(50);
  peer.expect({ flags: "A", ack: 1701 });
});

test("after a silence longer than the timeout acknowledgments are quick again", () => {
  const { lab, peer } = accepted({}, quick);
  for (let at = 0; at < 17; at++) peer.inject("A", { seq: 1 + 100 * at, ack: 1, length: 100 });
  lab.advance(3000);
  peer.take();
  peer.inject("A", { seq: 1701, ack: 1, length: 100 });
  peer.expect({ flags: "A", ack: 1801 });
});

test("a duplicate ends the delay of one who answers", () => {
  const { lab, peer, qd } = accepted({}, quick);
  lab.host.stack.exports.setOption(qd, SOCKET_OPTION_QUICK_ACK, 0);
  peer.inject("A", { seq: 1, ack: 1, length: 100 });
  lab.silence();
  peer.inject("A", { seq: 1, ack: 1, length: 100 });
  peer.expect({ flags: "A", ack: 101 });
  peer.inject("A", { seq: 101, ack: 1, length: 100 });
  peer.expect({ flags: "A", ack: 201 });
});

test("a cork holds a super-frame's rest back as well", () => {
  const device = { segmentMax: 65536, checksum: true };
  const { lab, peer, qd } = accepted({}, { noDelay: true }, device);
  lab.host.stack.exports.setOption(qd, SOCKET_OPTION_CORK, 1);
  lab.push(qd, pattern(2 * 1460 + 100));
  peer.expect({ flags: "A", seq: 1, length: 2 * 1460 });
  lab.host.stack.exports.setOption(qd, SOCKET_OPTION_CORK, 0);
  lab.host.poll();
  peer.expect({ flags: "PA", seq: 1 + 2 * 1460, length: 100 });
});

test("a limit of unsent bytes lets the next push in when they have left", () => {
  const { lab, peer, qd } = accepted({ window: 1000 }, { noDelay: true });
  lab.host.stack.exports.setOption(qd, SOCKET_OPTION_UNSENT_MAX, 500);
  lab.push(qd, pattern(1600));
  const second = lab.push(qd, pattern(100));
  expect(lab.isDone(second)).toBe(false);
  peer.take();
  peer.inject("A", { seq: 1, ack: 1001, window: 1000 });
  expect(lab.isDone(second)).toBe(true);
  peer.expect({ flags: "PA", seq: 1001, length: 600 }, { flags: "PA", seq: 1601, length: 100 });
});
