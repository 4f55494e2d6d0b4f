/** Captures read back as they were written; broken ones are told, never thrown at or hung on. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { DemibunError } from "../../src/errors";
import {
  type Capture,
  type CapturePacket,
  LINK_TYPE_ETHERNET,
  LINK_TYPE_RAW,
  PcapngWriter,
  readPcapng,
} from "../../src/pcapng";
import { concat } from "../stack/packets";

const timeNs = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const text = fc.string({ unit: "grapheme", maxLength: 40 });
const u32 = fc.nat(0xffffffff);
const direction = fc.constantFrom("in" as const, "out" as const);
const packet = fc.record(
  {
    interfaceId: fc.nat(1),
    timeNs,
    bytes: fc.uint8Array({ maxLength: 100 }),
    originalLength: u32,
    comments: fc.array(text, { maxLength: 3 }),
    direction,
    dropped: fc.integer({ min: 1, max: 1000 }),
  },
  { requiredKeys: ["interfaceId", "timeNs", "bytes"] },
);

function write(packets: readonly CapturePacket[]): Uint8Array {
  const writer = new PcapngWriter({ application: "test", hardware: "none", comment: "of a test" });
  writer.addInterface({ name: "one", description: "the first", linkType: LINK_TYPE_ETHERNET });
  writer.addInterface({ linkType: LINK_TYPE_RAW, snapLength: 50 });
  for (const each of packets) writer.addPacket(each);
  return writer.finish();
}

test("what is written is read back", () => {
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 20 }), (packets) => {
      const capture = readPcapng(write(packets));
      expect(capture.problem).toBeUndefined();
      expect(capture).toMatchObject({
        application: "test",
        hardware: "none",
        comment: "of a test",
      });
      const [one, two] = capture.interfaces;
      expect(one).toMatchObject({
        name: "one",
        description: "the first",
        linkType: 1,
        snapLength: 0,
      });
      expect(two).toMatchObject({ linkType: 101, snapLength: 50 });
      const expected = packets.map((each) => ({
        comments: [],
        originalLength: each.bytes.length,
        ...each,
        bytes: each.interfaceId === 0 ? each.bytes : each.bytes.subarray(0, 50),
      }));
      expect(capture.packets).toEqual(expected as never);
      for (const [id, read] of capture.interfaces.entries()) {
        const own = packets.filter(({ interfaceId }) => interfaceId === id);
        expect(read.received).toBe(own.length);
        expect(read.dropped).toBe(own.reduce((sum, { dropped = 0 }) => sum + dropped, 0));
      }
    }),
  );
});

test("times as numbers are nanoseconds too", () => {
  const bytes = Uint8Array.of(1);
  const capture = readPcapng(write([{ interfaceId: 0, timeNs: 2 ** 52 + 1, bytes }]));
  expect(capture.packets[0]?.timeNs).toBe(2n ** 52n + 1n);
});

test("drained pieces are the capture, and none comes twice", () => {
  const writer = new PcapngWriter();
  const interfaceId = writer.addInterface({ name: "one", linkType: LINK_TYPE_ETHERNET });
  const pieces: Uint8Array[] = [writer.drain(), writer.drain()];
  expect(pieces[1]).toHaveLength(0);
  for (let index = 0; index < 100; index++) {
    writer.addPacket({ interfaceId, timeNs: index, bytes: new Uint8Array(index * 10).fill(index) });
    if (index % 7 === 0) pieces.push(writer.drain());
  }
  const capture = readPcapng(concat(...pieces, writer.finish()));
  expect(capture.problem).toBeUndefined();
  expect(capture.packets.map(({ bytes }) => bytes.length)).toEqual(
    Array.from({ length: 100 }, (_, index) => index * 10),
  );
  expect(capture.packets[99]?.bytes).toEqual(new Uint8Array(990).fill(99));
});

test("a comment that is too long for an option is cut before a character", () => {
  const comments = [`a${"é".repeat(40_000)}`];
  const capture = readPcapng(
    write([{ interfaceId: 0, timeNs: 0, bytes: new Uint8Array(1), comments }]),
  );
  expect(capture.packets[0]?.comments).toEqual([`a${"é".repeat(32_767)}`]);
});

test("misuse of the writer is refused", () => {
  const writer = new PcapngWriter();
  const bytes = new Uint8Array(1);
  expect(() => writer.addPacket({ interfaceId: 0, timeNs: 0, bytes })).toThrow(
    "pcapng: interface 0 was not added (EINVAL)",
  );
  const interfaceId = writer.addInterface({ linkType: LINK_TYPE_ETHERNET });
  expect(() => writer.addPacket({ interfaceId, timeNs: -1, bytes })).toThrow("-1 ns is negative");
  expect(() => writer.addPacket({ interfaceId, timeNs: Number.NaN, bytes })).toThrow("no number");
  writer.finish();
  expect(() => writer.addPacket({ interfaceId, timeNs: 0, bytes })).toThrow("is finished");
  expect(() => writer.finish()).toThrow(DemibunError);
});

/** A block by hand, in either byte order. */
function block(type: number, isLittle: boolean, ...words: (number | Uint8Array)[]): Uint8Array {
  const body = concat(
    ...words.map((word) => (typeof word === "number" ? u32Bytes(word, isLittle) : word)),
  );
  const length = u32Bytes(body.length + 12, isLittle);
  return concat(u32Bytes(type, isLittle), length, body, length);
}

function u32Bytes(value: number, isLittle: boolean): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, isLittle);
  return bytes;
}

function section(isLittle: boolean): Uint8Array {
  const version = isLittle ? 0x00000001 : 0x00010000;
  return block(0x0a0d0d0a, isLittle, 0x1a2b3c4d, version, 0xffffffff, 0xffffffff);
}

test("sections of both byte orders, old packet blocks, other resolutions", () => {
  const data = Uint8Array.of(1, 2, 3, 4);
  const bigEndian = [
    section(false),
    // Link type 1; if_tsresol 2^-10; if_tsoffset 5 s.
    block(1, false, 0x00010000, 0, 0x00090001, Uint8Array.of(0x8a, 0, 0, 0), 0x000e0008, 0, 5, 0),
    block(2, false, 0x00000007, 0, 1024 + 512, 4, 9, data),
    block(3, false, 4, data),
    block(0x0bad, false, 1, 2, 3),
  ];
  const littleEndian = [
    section(true),
    // Microseconds are the default.
    block(1, true, 101, 0),
    block(6, true, 0, 0, 3, 4, 4, data),
  ];
  const capture = readPcapng(concat(...bigEndian, ...littleEndian));
  expect(capture).toEqual({
    interfaces: [
      { linkType: 1, snapLength: 0 },
      { linkType: 101, snapLength: 0 },
    ],
    packets: [
      { interfaceId: 0, timeNs: 6_500_000_000n, bytes: data, originalLength: 9, comments: [] },
      { interfaceId: 0, timeNs: 0n, bytes: data, originalLength: 4, comments: [] },
      { interfaceId: 1, timeNs: 3000n, bytes: data, originalLength: 4, comments: [] },
    ],
  });
});

test("what is no capture is refused", () => {
  const nothing = "pcapng: this is no pcapng file: the block at byte 0 is cut off after 0 bytes";
  expect(() => readPcapng(new Uint8Array(0))).toThrow(nothing);
  expect(() => readPcapng(new Uint8Array(40))).toThrow("the block at byte 0 is no section header");
  const noMagic = section(true);
  noMagic[8] = 0;
  expect(() => readPcapng(noMagic)).toThrow("has no byte-order magic");
  const future = section(true);
  future[12] = 2;
  expect(() => readPcapng(future)).toThrow("is of version 2");
  expect(() => readPcapng(new Uint8Array(40))).toThrow(DemibunError);
});

const endings: readonly (readonly [string, Uint8Array])[] = [
  ["is cut off after 8 bytes", new Uint8Array(8)],
  ["has the length 13", block(6, true).with(4, 13)],
  ["has the length 8", block(6, true).with(4, 8)],
  ["is 4096 bytes long but 12 are left", block(6, true).with(4, 0).with(5, 16)],
  ["ends with another length", block(6, true).with(8, 16)],
  ["names interface 5, which is not there", block(6, true, 5, 0, 0, 0, 0)],
  ["names interface 5, which is not there", block(5, true, 5, 0, 0)],
  ["has contents that reach behind its end", block(6, true, 0, 0, 0, 100, 100)],
  ["has contents that reach behind its end", block(6, true, 0, 0, 0, 0, 0, 0x00ff0001)],
];

test.each(endings)("a capture whose last block %s keeps its packets", (what, ending) => {
  const whole = write([{ interfaceId: 0, timeNs: 1, bytes: Uint8Array.of(9) }]);
  const capture = readPcapng(concat(whole, ending));
  expect(capture.problem).toBe(`the block at byte ${whole.length} ${what}`);
  expect(capture.packets).toHaveLength(1);
});

test("a simple packet needs an interface", () => {
  const capture = readPcapng(concat(section(true), block(3, true, 0)));
  expect(capture.problem).toBe("the block at byte 28 comes before any interface");
});

/** Either a capture or a refusal that says why. */
function read(bytes: Uint8Array): Capture | undefined {
  try {
    return readPcapng(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(DemibunError);
    return undefined;
  }
}

const sample = write([
  { interfaceId: 0, timeNs: 1, bytes: Uint8Array.of(1, 2, 3), comments: ["a", "b"] },
  { interfaceId: 1, timeNs: 2, bytes: new Uint8Array(60), direction: "in", dropped: 2 },
]);

test("every cut is told, unless it is between two blocks", () => {
  let whole = 0;
  for (let length = 0; length < sample.length; length++) {
    const capture = read(sample.subarray(0, length));
    if (capture !== undefined && capture.problem === undefined) whole++;
  }
  // Section, two interfaces, two packets, one of two statistics.
  expect(whole).toBe(6);
});

test("random and changed bytes never throw anything unclear", () => {
  const changes = fc.array(fc.tuple(fc.nat(sample.length - 1), fc.nat(255)), { maxLength: 5 });
  fc.assert(
    fc.property(changes, fc.uint8Array({ maxLength: 100 }), (list, tail) => {
      const bytes = concat(sample, tail);
      for (const [at, value] of list) bytes[at] = value;
      const capture = read(bytes);
      const total = capture?.packets.reduce((sum, each) => sum + each.bytes.length, 0) ?? 0;
      expect(total).toBeLessThanOrEqual(bytes.length);
      read(tail);
    }),
    { numRuns: 2000 },
  );
});
