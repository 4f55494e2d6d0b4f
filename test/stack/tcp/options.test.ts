/** TCP options: MSS, window scale, and everything that is wrong with them (RFC 9293 3.2, 3.7.1). */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { pattern } from "../packets";
import { Lab } from "./lab";
import { accepted, Peer } from "./peer";
import { option } from "./segments";

/** Opens with these options in the SYN; the first segment's payload of a long push. */
function segmentBytes(options: readonly number[], device: object = {}): number {
  const lab = new Lab({}, device);
  const listener = lab.listen();
  const peer = new Peer(lab);
  peer.inject("S", { options });
  expect(peer.take()).toMatchObject([{ flags: "SA", ack: 1 }]);
  peer.inject("A", { seq: 1, ack: 1 });
  const qd = lab.accepted(listener);
  lab.push(qd, pattern(20_000));
  return peer.take()[0]?.length ?? 0;
}

test("without an MSS option segments have 536 bytes (MUST-15)", () => {
  expect(segmentBytes([])).toBe(536);
});

test("the MSS is the smaller of the peer's and our link's (MUST-16)", () => {
  expect(segmentBytes(option.mss(1000))).toBe(1000);
  expect(segmentBytes(option.mss(65535))).toBe(1460);
  expect(segmentBytes(option.mss(65535), { mtu: 1280 })).toBe(1240);
});

test("a tiny MSS is taken as 64 (T09)", () => {
  for (const mss of [0, 1, 7, 48, 63]) expect(segmentBytes(option.mss(mss))).toBe(64);
  expect(segmentBytes(option.mss(65))).toBe(65);
});

test("the announced MSS is the link's, or the configured one (MUST-14, MUST-67)", () => {
  const cases: [stack: object, mtu: number, mss: number][] = [
    [{}, 1500, 1460],
    [{}, 9000, 8960],
    [{ mssBytes: 1200 }, 1500, 1200],
    [{ mssBytes: 4000 }, 1500, 1460],
  ];
  for (const [stack, mtu, mss] of cases) {
    const lab = new Lab(stack, { mtu });
    lab.listen();
    const peer = new Peer(lab);
    peer.inject("S");
    peer.expect({ flags: "SA", ack: 1, options: option.mss(mss) });
  }
});

test("MSS and window scale on a segment without SYN are ignored (MUST-65, T10)", () => {
  const { lab, peer, qd } = accepted();
  peer.inject("PA", {
    seq: 1,
    ack: 1,
    length: 5,
    options: [...option.mss(100), ...option.scale(9)],
  });
  lab.push(qd, pattern(1460));
  peer.expect({ flags: "PA", seq: 1, ack: 6, length: 1460 });
});

test("a window scale above 14 is taken as 14 (RFC 7323 2.3, T11)", () => {
  const sent = [13, 14, 15, 30, 255].map((scale) => {
    const { lab, peer, qd } = accepted({ scale });
    lab.push(qd, pattern(14_600));
    expect(peer.take()).toHaveLength(10);
    peer.inject("A", { seq: 1, ack: 14_601, window: 1 });
    lab.push(qd, pattern(60_000));
    return peer.take().reduce((sum, { length }) => sum + length, 0);
  });
  // Whole segments below 8,192 and 16,384 bytes.
  expect(sent).toEqual([7300, 16_060, 16_060, 16_060, 16_060]);
});

test("the window of a SYN is not scaled (RFC 7323 2.2)", () => {
  const { lab, peer, qd } = accepted({ scale: 7, window: 1000 });
  peer.inject("A", { seq: 1, ack: 1, window: 500 });
  lab.push(qd, pattern(60_000));
  expect(peer.take()).toHaveLength(10);

  const other = new Lab();
  const qd2 = other.socket();
  other.connect(qd2);
  const server = new Peer(other, { scale: 7 });
  server.findSyn();
  server.expect({ flags: "S" });
  server.inject("SA", { ack: 1, options: server.synOptions, window: 3000 });
  server.expect({ flags: "A", ack: 1 });
  other.push(qd2, pattern(60_000));
  expect(server.take().map(({ length }) => length)).toEqual([1460, 1460]);
});

test("options whose lengths lie end the parsing, never the stack (T04–T08, T12–T14)", () => {
  const kinds = Array.from({ length: 254 }, (_, index) => index + 2);
  const lists = [
    ...kinds.map((kind) => [kind, 0]),
    ...kinds.map((kind) => [kind, 1]),
    ...kinds.map((kind) => [1, 1, 1, kind]),
    [2, 4],
    [1, 1, 2, 4],
    [2, 3, 5],
    [2, 5, 5, 0xb4, 0],
    [3, 2],
    [3, 4, 7, 0],
    [8, 9, 1, 2, 3, 4, 5, 6, 7],
    [8, 11, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [4, 3, 0],
    [5, 9, 1, 2, 3, 4, 5, 6, 7],
    [5, 2],
    new Array<number>(40).fill(1),
    [...new Array<number>(39).fill(1), 0],
    [0, 2, 4, 0, 64],
    [29, 3, 1],
    [29, 255, 1],
    [19, 2],
    [19, 18, 1, 2],
  ];
  const lab = new Lab();
  lab.listen();
  const peer = new Peer(lab);
  for (const options of lists) {
    peer.initial += 1000;
    peer.inject("S", { options });
    const [reply] = peer.take();
    expect(reply).toMatchObject({ flags: "SA", ack: 1, options: option.mss(1460) });
    peer.inject("R", { seq: 1 });
  }
});

test("of options given twice the last counts (T12)", () => {
  expect(segmentBytes([...option.mss(600), ...option.mss(700)])).toBe(700);
});

test("any bytes as options leave the stack answering (fuzz of T04–T14)", () => {
  const lab = new Lab();
  const listener = lab.listen();
  const peer = new Peer(lab);
  const other = new Peer(lab, { port: 9999 });
  const qd = other.establish(listener);
  let received = 0;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.boolean(), (bytes, established) => {
      const options = [...bytes];
      if (established) {
        other.inject("PA", { seq: 1 + received, ack: 1, length: 1, options });
        received++;
        expect(lab.read(qd)).toHaveLength(1);
        return;
      }
      peer.initial += 1000;
      peer.inject("S", { options });
      expect(peer.take()).toMatchObject([{ flags: "SA", ack: 1 }]);
      peer.inject("R", { seq: 1 });
    }),
    { numRuns: 1000, seed: 42 },
  );
});

test("urgent pointers never reach outside the segment; the data is inline (MUST-30, T15)", () => {
  const { lab, peer, qd } = accepted();
  let seq = 1;
  for (const urgent of [0, 1, 10, 11, 0xffff]) {
    for (const length of [0, 10]) {
      lab.host.send(peer.frame("PAU", { seq, ack: 1, length }, { urgent }));
      seq += length;
    }
  }
  expect(lab.read(qd)).toHaveLength(50);
  peer.take();
});

test("the reserved bits are ignored, also beside ECN (T16)", () => {
  const lab = new Lab();
  const listener = lab.listen();
  const peer = new Peer(lab);
  const frame = peer.frame("SEC");
  // Set the four reserved bits too and mend the checksum by their weight.
  frame[34 + 12] = (frame[34 + 12] as number) | 0x0f;
  const sum = (((frame[50] as number) << 8) | (frame[51] as number)) - 0x0f00;
  frame.set([(sum >>> 8) & 255, sum & 255], 50);
  lab.host.send(frame);
  peer.expect({ flags: "SAE", seq: 0, ack: 1 });
  peer.inject("A", { seq: 1, ack: 1 });
  lab.accepted(listener);
});
