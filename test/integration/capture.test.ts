/** The rules that captures are held against find what they are for. */
import { expect, test } from "bun:test";
import { option, segmentFrame, type SegmentFields } from "../stack/tcp/segments";
import { beyondWindow, resets, strayResets } from "./capture";
import { checkChecksums } from "./checksums";
import { type Packet, readPcap } from "./pcap";

const client = "10.77.0.1";
const server = "10.77.0.2";

/** A pcap file of these frames, as tcpdump -w writes it. */
function pcap(frames: readonly Uint8Array[]): Packet[] {
  const bytes = new Uint8Array(24 + frames.reduce((sum, frame) => sum + 16 + frame.length, 0));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0xa1b2c3d4, true);
  let at = 24;
  for (const frame of frames) {
    view.setUint32(at + 8, frame.length, true);
    view.setUint32(at + 12, frame.length, true);
    bytes.set(frame, at + 16);
    at += 16 + frame.length;
  }
  return [...readPcap(bytes)];
}

type Fields = Omit<SegmentFields, "sourcePort" | "destinationPort">;

function fromClient(fields: Fields): Uint8Array {
  const ports = { sourcePort: 4000, destinationPort: 80 };
  return segmentFrame({ source: client, destination: server, ...ports, ...fields });
}

function fromServer(fields: Fields): Uint8Array {
  const ports = { sourcePort: 80, destinationPort: 4000 };
  return segmentFrame({ source: server, destination: client, ...ports, ...fields });
}

/** The client's window is 1,000 << 2 bytes, announced when it acknowledges; the wrap is near. */
const isn = 0xffff_fff0;
const opening = [
  fromClient({ flags: "S", sequence: 100, window: 500, options: option.scale(2) }),
  fromServer({ flags: "SA", sequence: isn, acknowledgment: 101, options: option.scale(0) }),
  fromClient({ flags: "A", sequence: 101, acknowledgment: isn + 1, window: 1000 }),
];

function data(offset: number, length: number): Uint8Array {
  const payload = new Uint8Array(length).fill(7);
  return fromServer({ flags: "A", sequence: isn + 1 + offset, acknowledgment: 101, payload });
}

test("a segment may reach the scaled window's edge and not beyond", () => {
  expect(beyondWindow(pcap([...opening, data(3000, 1000)]))).toEqual([]);
  expect(beyondWindow(pcap([...opening, data(3001, 1000)]))).toHaveLength(1);
  expect(beyondWindow(pcap([...opening, data(3500, 1000)]))[0]).toContain("500 bytes beyond");
  // A probe of one byte at the edge is the exception.
  expect(beyondWindow(pcap([...opening, data(4000, 1)]))).toEqual([]);
  expect(beyondWindow(pcap([...opening, data(4000, 2)]))).toHaveLength(1);
});

test("a later window counts from when it was announced", () => {
  const update = fromClient({ flags: "A", sequence: 101, acknowledgment: isn + 1, window: 2000 });
  expect(beyondWindow(pcap([...opening, update, data(7000, 1000)]))).toEqual([]);
  expect(beyondWindow(pcap([...opening, data(7000, 1000), update]))).toHaveLength(1);
});

test("a reset answers a SYN or data after the end; elsewhere it is out of place", () => {
  const syn = fromClient({ flags: "S", sequence: 100 });
  const refusal = fromServer({ flags: "RA", sequence: 0, acknowledgment: 101 });
  expect(strayResets(pcap([syn, refusal]), server)).toEqual([]);
  const reset = fromServer({ flags: "R", sequence: isn + 1 });
  const stray = pcap([...opening, reset]);
  expect(strayResets(stray, server)).toHaveLength(1);
  expect(strayResets(stray, client)).toEqual([]);
  expect(resets(stray, server)).toBe(1);
  const end = fromServer({ flags: "FA", sequence: isn + 1, acknowledgment: 101 });
  expect(strayResets(pcap([...opening, end, reset]), server)).toEqual([]);
});

test("a wrong checksum is found, a partial one explained", () => {
  const good = checkChecksums(pcap([...opening, data(0, 101)]));
  expect(good).toEqual({ valid: 4, partial: 0, bad: [] });
  const flipped = data(0, 101);
  flipped[60] = (flipped[60] as number) ^ 1;
  expect(checkChecksums(pcap([flipped])).bad).toHaveLength(1);
  const header = data(0, 101);
  header[14 + 8] = (header[14 + 8] as number) ^ 1;
  expect(checkChecksums(pcap([header])).bad).toContain(
    "packet 1 from 10.77.0.2, 141 bytes: IPv4 header",
  );
});

test("a checksum that is only the pseudo-header's sum counts as partial", () => {
  // 10.77.0.2 + 10.77.0.1 + protocol 6 + 20 bytes.
  const checksum = 0x0a4d + 0x0002 + 0x0a4d + 0x0001 + 6 + 20;
  const frame = fromServer({ flags: "A", sequence: 1, acknowledgment: 2, checksum });
  expect(checkChecksums(pcap([frame]))).toEqual({ valid: 0, partial: 1, bad: [] });
});
