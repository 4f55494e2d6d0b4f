/** Path MTU discovery (RFC 1191), whom it believes (RFC 5927), black holes (RFC 4821 7.7). */
import { describe, expect, test } from "bun:test";
import {
  COUNTER_TCP_BLACK_HOLES,
  COUNTER_TCP_PATH_MTU_LOWERED,
  METADATA_SEGMENT_SIZE,
} from "../../../assembly/layout";
import { hostAddress, pattern, peerAddress, readIpv4, tooBigFrame } from "../packets";
import { Lab } from "./lab";
import { accepted, Peer } from "./peer";
import { segmentFrame } from "./segments";

const minute = 60_000;

/** The IP packet of a segment that the stack has sent to the peer. */
function quote(peer: Peer, seq: number, length: number, port = peer.port): Uint8Array {
  const fields = { source: hostAddress, destination: peerAddress, flags: "A" };
  const ports = { sourcePort: peer.hostPort, destinationPort: port };
  const sequence = peer.hostInitial + seq;
  const payload = new Uint8Array(length);
  return segmentFrame({ ...fields, ...ports, sequence, payload }).subarray(14);
}

function tooBig(peer: Peer, mtu: number, seq = 1, length = 1460, port = peer.port): void {
  peer.lab.host.send(tooBigFrame(quote(peer, seq, length, port), mtu));
}

/** Sends and acknowledges this many bytes; the lengths of the segments they went in. */
function transfer(peer: Peer, qd: number, from: number, bytes: number): number[] {
  peer.lab.push(qd, pattern(bytes));
  const lengths = peer.take().map(({ length }) => length);
  peer.inject("A", { seq: 1, ack: from + bytes });
  return lengths;
}

describe("what a router says of a full segment (I09)", () => {
  test.each([
    [0, 1452],
    [1, 512],
    [67, 512],
    [68, 512],
    [551, 512],
    [552, 512],
    [576, 536],
    [1280, 1240],
    [1499, 1459],
    [1500, 1460],
    [65_535, 1460],
  ])("an MTU of %d makes segments of %d bytes", (mtu, mss) => {
    const { lab, peer, qd } = accepted();
    lab.push(qd, pattern(1460));
    peer.expect({ flags: "PA", seq: 1, length: 1460 });
    tooBig(peer, mtu);
    const again = peer.take();
    if (mss === 1460) expect(again).toEqual([]);
    else
      expect(again.map(({ length }) => length).slice(0, 2)).toEqual([
        mss,
        Math.min(mss, 1460 - mss),
      ]);
    // What comes after it can only lower it.
    tooBig(peer, mtu === 0 ? 1492 : Math.max(mtu, 552));
    expect(peer.take()).toEqual([]);
    peer.inject("A", { seq: 1, ack: 1461 });
    expect(Math.max(...transfer(peer, qd, 1461, 2920))).toBe(mss);
  });
});

test("segments for a path below the floor may be fragmented and are told apart (RFC 6864)", () => {
  const { lab, peer, qd } = accepted();
  lab.push(qd, pattern(1460));
  peer.take();
  tooBig(peer, 300);
  lab.host.completions();
  const packets = lab.host.sent().map(({ bytes }) => readIpv4(bytes));
  expect(packets.map(({ fragment }) => fragment)).toEqual([0, 0, 0]);
  expect(new Set(packets.map(({ identification }) => identification)).size).toBe(3);
  peer.inject("A", { seq: 1, ack: 1461 });
});

test("super-frames say the new segment size; fragmentable segments go one by one", () => {
  const device = { checksum: true, segmentMax: 65_535, chainMax: 40, partialReceive: true };
  const { lab, peer, qd } = accepted({ scale: 7 }, {}, device);
  lab.push(qd, pattern(14_600));
  peer.expect({ flags: "PA", seq: 1, length: 14_600 });
  const sizes = () =>
    lab.host.sent().map(({ metadata }) => metadata?.getUint16(METADATA_SEGMENT_SIZE, true));
  tooBig(peer, 1240);
  expect(sizes()[0]).toBe(1200);
  tooBig(peer, 300);
  expect(new Set(sizes())).toEqual(new Set([0]));
  peer.inject("A", { seq: 1, ack: 14_601 });
});

test("only what is in flight and large enough is believed (RFC 5927 4.1)", () => {
  const { lab, peer, qd } = accepted();
  lab.push(qd, pattern(700));
  peer.expect({ flags: "PA", seq: 1, length: 700 });
  tooBig(peer, 600, 0);
  tooBig(peer, 600, 701);
  tooBig(peer, 600, -1);
  tooBig(peer, 600, 142);
  tooBig(peer, 600, 1, 700, 4001);
  tooBig(peer, 740);
  lab.silence();
  expect(lab.counter(COUNTER_TCP_PATH_MTU_LOWERED)).toBe(0);
  tooBig(peer, 600);
  peer.expect({ flags: "A", seq: 1, length: 560 }, { flags: "PA", seq: 561, length: 140 });
  peer.inject("A", { seq: 1, ack: 701 });
});

test("a size that has arrived stays until a timeout agrees (RFC 5927 7.2)", () => {
  const { lab, peer, qd } = accepted();
  expect(transfer(peer, qd, 1, 1460)).toEqual([1460]);
  lab.push(qd, pattern(1460));
  peer.expect({ flags: "PA", seq: 1461, length: 1460 });
  tooBig(peer, 1000, 1461);
  lab.silence();
  lab.advance(250);
  peer.expect({ flags: "A", seq: 1461, length: 960 });
  peer.inject("A", { seq: 1, ack: 2921 });
});

test("doubt can be turned off", () => {
  const { lab, peer, qd } = accepted({}, { doubtPathMtu: false });
  transfer(peer, qd, 1, 1460);
  lab.push(qd, pattern(1460));
  peer.expect({ flags: "PA", seq: 1461, length: 1460 });
  tooBig(peer, 1000, 1461);
  peer.expect({ flags: "A", seq: 1461, length: 960 }, { flags: "PA", seq: 2421, length: 500 });
  peer.inject("A", { seq: 1, ack: 2921 });
});

test("what lies before the quoted segment is not sent again", () => {
  const { lab, peer, qd } = accepted();
  lab.push(qd, pattern(400));
  peer.expect({ flags: "PA", seq: 1, length: 400 });
  lab.push(qd, pattern(1460));
  peer.expect({ flags: "PA", seq: 401, length: 1460 });
  tooBig(peer, 1000, 401);
  peer.expect({ flags: "A", seq: 401, length: 960 }, { flags: "PA", seq: 1361, length: 500 });
  peer.inject("A", { seq: 1, ack: 1861 });
});

test("ten minutes later the full size is tried again (RFC 1191 6.3)", () => {
  const { lab, peer, qd } = accepted();
  lab.push(qd, pattern(1460));
  peer.take();
  tooBig(peer, 1000);
  peer.take();
  peer.inject("A", { seq: 1, ack: 1461 });
  lab.advance(9 * minute, 10_000);
  expect(transfer(peer, qd, 1461, 960)).toEqual([960]);
  expect(transfer(peer, qd, 2421, 1460)).toEqual([960, 500]);
  lab.advance(1.1 * minute, 10_000);
  expect(transfer(peer, qd, 3881, 960)).toEqual([960]);
  expect(transfer(peer, qd, 4841, 1460)).toEqual([1460]);
  expect(transfer(peer, qd, 6301, 1460)).toEqual([1460]);
});

test("a larger size that does not pass is given up at its second timeout", () => {
  const { lab, peer, qd } = accepted();
  lab.push(qd, pattern(1460));
  peer.take();
  tooBig(peer, 1000);
  peer.take();
  peer.inject("A", { seq: 1, ack: 1461 });
  lab.advance(11 * minute, 10_000);
  transfer(peer, qd, 1461, 960);
  lab.push(qd, pattern(1460));
  peer.expect({ flags: "PA", seq: 2421, length: 1460 });
  lab.advance(250);
  peer.expect({ flags: "PA", seq: 2421, length: 1460 });
  lab.advance(450);
  peer.expect({ flags: "A", seq: 2421, length: 960 });
  peer.inject("A", { seq: 1, ack: 3881 });
});

test("a new connection to the host starts with what is known, one to another host does not", () => {
  const lab = new Lab();
  const listener = lab.listen();
  const first = new Peer(lab);
  const qd = first.establish(listener);
  lab.push(qd, pattern(1460));
  first.take();
  tooBig(first, 1000);
  first.take();
  first.inject("A", { seq: 1, ack: 1461 });
  const second = new Peer(lab, { port: 4001 });
  expect(transfer(second, second.establish(listener), 1, 1460)).toEqual([960, 500]);
});

describe("black holes (RFC 4821 7.7)", () => {
  /** Lets the timer strike until a segment of another length goes again; the lengths on the way. */
  function strikes(peer: Peer, times: number): number[] {
    const lengths: number[] = [];
    for (let ms = 0; lengths.length < times && ms < 200_000; ms += 50) {
      peer.lab.advance(50, 50);
      lengths.push(...peer.take().map(({ length }) => length));
    }
    return lengths;
  }

  test("smaller segments are tried, the smallest may be fragmented, all is undone", () => {
    const { lab, peer, qd } = accepted();
    lab.push(qd, pattern(1460));
    peer.expect({ flags: "PA", seq: 1, length: 1460 });
    expect(strikes(peer, 4)).toEqual([1460, 1460, 984, 984]);
    expect(strikes(peer, 2)).toEqual([512, 512]);
    expect(lab.counter(COUNTER_TCP_BLACK_HOLES)).toBe(2);
    expect(strikes(peer, 2)).toEqual([1460, 1460]);
    peer.inject("A", { seq: 1, ack: 1461 });
    expect(transfer(peer, qd, 1461, 1460)).toEqual([1460]);
    expect(lab.counter(COUNTER_TCP_PATH_MTU_LOWERED)).toBe(0);
  });

  test("a size that has passed is suspected later", () => {
    const { lab, peer, qd } = accepted();
    expect(transfer(peer, qd, 1, 1460)).toEqual([1460]);
    lab.push(qd, pattern(1460));
    peer.expect({ flags: "PA", seq: 1461, length: 1460 });
    expect(strikes(peer, 7)).toEqual([1460, 1460, 1460, 1460, 984, 984, 1460]);
    peer.inject("A", { seq: 1, ack: 2921 });
  });

  test("segments that are small already are none", () => {
    const { lab, peer, qd } = accepted();
    lab.push(qd, pattern(400));
    peer.expect({ flags: "PA", seq: 1, length: 400 });
    expect(strikes(peer, 8)).toEqual([400, 400, 400, 400, 400, 400, 400, 400]);
    expect(lab.counter(COUNTER_TCP_BLACK_HOLES)).toBe(0);
    peer.inject("A", { seq: 1, ack: 401 });
  });

  test("detection can be turned off", () => {
    const { lab, peer, qd } = accepted({}, { blackHoleDetection: false });
    lab.push(qd, pattern(1460));
    peer.take();
    expect(strikes(peer, 6)).toEqual([1460, 1460, 1460, 1460, 1460, 1460]);
    peer.inject("A", { seq: 1, ack: 1461 });
  });
});
